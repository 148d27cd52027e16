"""Was this picture made here? Answered from its manifest, its invisible mark, or its bytes.

The answer names no person and shows no picture: asking about a file tells nothing of its owner.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from atelier.media import decoding, marks
from atelier.media.errors import MediaRefused
from atelier.media.models import Media
from atelier_engine import provenance

if TYPE_CHECKING:
    import pyvips

RGB_BANDS = 3


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that a file says of its making: what was looked at, and what it said."""

    kind: str
    is_found: bool
    text: str


@dataclass(frozen=True, slots=True)
class Recognition:
    """Whether any sign says that this site made the picture, and all that were looked for."""

    is_ours: bool
    signs: tuple[Sign, ...]


def recognise(data: bytes) -> Recognition:
    """Look for this site's signs in a file.

    Raises :class:`MediaRefused` for what is no picture or beyond the limits of intake.
    """
    decoding.check_size(data)
    signs = (_manifest(data), _mark(data), _bytes(data))
    return Recognition(is_ours=any(sign.is_found for sign in signs), signs=signs)


def _manifest(data: bytes) -> Sign:
    key = marks.site_key()
    credential = key.read(data)
    if credential is None:
        return Sign("manifest", is_found=False, text="The file carries no C2PA manifest.")
    if credential.ours:
        return Sign(
            "manifest",
            is_found=True,
            text="Its C2PA manifest is signed by this site, and nothing changed since.",
        )
    if credential.state == "invalid":
        return Sign(
            "manifest", is_found=False, text="Its C2PA manifest does not fit the file any more."
        )
    who = credential.issuer or "somebody else"
    return Sign("manifest", is_found=False, text=f"Its C2PA manifest is signed by {who}.")


def _mark(data: bytes) -> Sign:
    pixels = _pixels(data)
    number = provenance.decode(pixels, key=marks.site_key().watermark_key)
    if number is None:
        return Sign("watermark", is_found=False, text="No invisible mark of this site was found.")
    return Sign("watermark", is_found=True, text="It carries this site's invisible mark.")


def _pixels(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    image: pyvips.Image = decoding.canonical(data).image
    flat = np.frombuffer(image.write_to_memory(), np.uint8)
    return flat.reshape(image.height, image.width, RGB_BANDS)


def _bytes(data: bytes) -> Sign:
    digest = hashlib.sha256(data).hexdigest()
    if Media.objects.filter(sha256=digest, generated=True).exists():
        return Sign("fingerprint", is_found=True, text="These exact bytes were made here.")
    return Sign("fingerprint", is_found=False, text="These exact bytes were not made here.")


__all__ = ["MediaRefused", "Recognition", "Sign", "recognise"]
