"""The marks of this site's own pictures: an invisible number, their settings, and a signature.

The order matters: the number changes pixels, the settings change the file, and the signature covers
both.
"""

from __future__ import annotations

import hashlib
import io
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from PIL import Image

from atelier_engine import metadata, provenance

if TYPE_CHECKING:
    from atelier.media.origins import OriginFacts

PNG_LEVEL = 6


@cache
def site_key() -> provenance.SiteKey:
    """The site's signing authority, made on first use and kept in its home."""
    return provenance.SiteKey(settings.ATELIER_HOME / "provenance")


def number_of(work_id: str, index: int) -> int:
    """The number that a picture carries; whoever made the picture keeps it, to find it again."""
    digest = hashlib.sha256(f"{work_id}:{index}".encode()).digest()
    space: int = 2**provenance.ID_BITS
    return int.from_bytes(digest[:8], "big") % space


def finish(image: Image.Image, *, facts: OriginFacts, work_id: str, index: int) -> bytes:
    """A drawn picture as the PNG that leaves the site: marked, described and signed.

    ``work_id`` is the opaque id of the generation or training that drew it.
    """
    key = site_key()
    pixels = np.asarray(image.convert("RGB"))
    marked = provenance.embed(pixels, number_of(work_id, index), key=key.watermark_key)
    out = io.BytesIO()
    Image.fromarray(marked).save(out, "PNG", compress_level=PNG_LEVEL)
    known: dict[str, str | int] = {"work": work_id, "picture": index}
    described = metadata.write_png(out.getvalue(), _settings(facts), facts=known)
    signed: bytes = key.sign(described, {**known, "settings": facts.settings})
    return signed


def _settings(facts: OriginFacts) -> metadata.Settings:
    """An origin in the words of picture files. The checkpoint is the model, the rest resources."""
    own: dict[str, Any] = facts.settings
    model = next((r for r in facts.resources if r.get("type") == "Checkpoint"), {})
    return metadata.Settings(
        prompt=facts.prompt,
        negative_prompt=facts.negative_prompt,
        steps=own.get("steps"),
        sampler=own.get("sampler"),
        cfg_scale=own.get("cfg_scale"),
        seed=own.get("seed"),
        width=own.get("width"),
        height=own.get("height"),
        clip_skip=own.get("clip_skip"),
        model=model.get("name"),
        model_hash=str(model.get("hash", ""))[:10] or None,
        resources=tuple(
            metadata.Resource(
                kind=str(resource.get("type", "")).lower(),
                name=resource.get("name"),
                hash=str(resource.get("hash", ""))[:10] or None,
                version=resource.get("version_id"),
                strength=resource.get("strength"),
            )
            for resource in facts.resources
            if resource is not model
        ),
        generator="Atelier",
    )
