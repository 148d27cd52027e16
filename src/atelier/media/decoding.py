"""From bytes that anybody may have made to one canonical picture.

The loader is chosen by the first bytes, never by name or by asking the library to guess, so that
only these formats are ever parsed; width and height are read from the header and limited before a
single pixel is decoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyvips

from atelier.media.errors import MediaRefused

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEBIBYTE = 1024 * 1024
MAX_BYTES = 32 * MEBIBYTE
MAX_PIXELS = 64_000_000
# The longest side that WebP can hold; nothing honest is longer.
MAX_SIDE = 16_383
MIN_SIDE = 8
HEAD_BYTES = 64

pyvips.block_untrusted_set(True)
# Uploads are all different; remembering operations on them would only hold memory.
pyvips.cache_set_max(0)

_AVIF_BRANDS = (b"avif", b"avis")
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


@dataclass(frozen=True, slots=True)
class Canonical:
    """The one picture that everything else reads: its PNG bytes, size and pixels."""

    png: bytes
    width: int
    height: int
    image: Any

    def pixels(self) -> NDArray[np.uint8]:
        """Height, width, RGB."""
        found: NDArray[np.uint8] = np.ascontiguousarray(self.image.numpy())
        return found


def sniff(head: bytes) -> str:
    """The content type by the first bytes; raises :class:`MediaRefused` for what is no picture."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[:6] in {b"GIF87a", b"GIF89a"}:
        return "image/gif"
    if head[4:8] == b"ftyp" and head[8:12] in _AVIF_BRANDS:
        return "image/avif"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return "image/heic"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml", b"<!doctype", b"<html", b"<script", b"<")):
        raise MediaRefused(
            "That file is SVG, HTML or XML, which can carry scripts. Send PNG, JPEG, WebP, AVIF, "
            "HEIC or GIF.",
            code="unsupported_format",
        )
    raise MediaRefused(
        "That file is not a picture this site reads. Send PNG, JPEG, WebP, AVIF, HEIC or GIF.",
        code="unsupported_format",
    )


_LOADERS = {
    "image/png": "pngload_buffer",
    "image/jpeg": "jpegload_buffer",
    "image/webp": "webpload_buffer",
    "image/gif": "gifload_buffer",
    "image/avif": "heifload_buffer",
    "image/heic": "heifload_buffer",
}


def _undecodable() -> MediaRefused:
    return MediaRefused(
        "That picture is damaged or incomplete: it could not be read to its end. Export it again "
        "and send the new file.",
        code="undecodable",
    )


def _load(data: bytes) -> Any:
    loader = getattr(pyvips.Image, _LOADERS[sniff(data[:HEAD_BYTES])])
    try:
        # Lazy: this reads the header. Any flaw in the pixels is an error when they are read.
        return loader(data, fail_on="error")
    except pyvips.Error as problem:
        raise _undecodable() from problem


def check_size(data: bytes) -> tuple[int, int]:
    """Width and height by the header alone; raises :class:`MediaRefused` beyond the limits."""
    image = _load(data)
    width, height = int(image.width), int(image.height)
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise MediaRefused(
            f"That picture says it is {width:,} by {height:,} pixels. The most is "
            f"{MAX_PIXELS // 1_000_000} megapixels and {MAX_SIDE:,} pixels a side.",
            code="too_large",
        )
    if min(width, height) < MIN_SIDE:
        raise MediaRefused(
            f"That picture is {width} by {height} pixels. The least is {MIN_SIDE} a side.",
            code="too_small",
        )
    return width, height


def canonical(data: bytes) -> Canonical:
    """The oriented, flattened, first-frame, 8-bit sRGB picture without any metadata.

    Raises :class:`MediaRefused` for what is damaged, truncated or beyond the limits.
    """
    check_size(data)
    try:
        image = _rgb(_load(data).autorot())
        image = image.copy_memory()
        png = image.pngsave_buffer(compression=3, keep="none")
    except pyvips.Error as problem:
        raise _undecodable() from problem
    return Canonical(png=bytes(png), width=image.width, height=image.height, image=image)


def _rgb(image: Any) -> Any:
    if image.get_typeof("icc-profile-data"):
        try:
            image = image.icc_transform("srgb", embedded=True, intent="relative")
        except pyvips.Error:
            image = image.colourspace("srgb")  # a broken profile is as good as none
    elif image.interpretation != "srgb":
        image = image.colourspace("srgb")
    if image.hasalpha():
        image = image.flatten(background=[255, 255, 255])
    if image.bands == 1:
        image = image.bandjoin([image, image])
    if image.bands > 3:  # noqa: PLR2004 - red, green, blue
        image = image.extract_band(0, n=3)
    return image.cast("uchar")
