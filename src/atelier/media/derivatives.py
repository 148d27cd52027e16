"""The sizes in which a picture is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyvips

WIDTHS = (160, 320, 640, 1024)
FORMATS = ("avif", "webp")
# Below this a picture is pixel art or the output of a small model: no loss is visible nor needed.
CRISP_WIDTH = 320
COLOR_SIDE = 8


@dataclass(frozen=True, slots=True)
class Derivative:
    """One size in one format."""

    width: int
    format: str
    data: bytes


def widths_for(width: int) -> list[int]:
    """The widths a picture is shown at: never wider than it is, and its own when it is small."""
    return sorted({step for step in WIDTHS if step < width} | {min(width, WIDTHS[-1])})


def make(image: Any) -> list[Derivative]:
    """All sizes of a canonical picture."""
    own = int(image.width)
    found = []
    for width in widths_for(own):
        # The height is bounded by nothing but the ratio.
        small = image if width == own else image.thumbnail_image(width, height=100_000, size="down")
        crisp = width == own and own <= CRISP_WIDTH
        webp = (
            small.webpsave_buffer(lossless=True, effort=2, keep="none")
            if crisp
            else small.webpsave_buffer(Q=80, effort=2, keep="none")
        )
        avif = small.heifsave_buffer(
            compression="av1", Q=80 if crisp else 58, effort=1, subsample_mode="off", keep="none"
        )
        found += [
            Derivative(width, "avif", bytes(avif)),
            Derivative(width, "webp", bytes(webp)),
        ]
    return found


def dominant_color(image: Any) -> str:
    """The average colour of the most common tone, as ``#rrggbb``."""
    small = image.thumbnail_image(COLOR_SIDE * 4, height=COLOR_SIDE * 4, size="force")
    pixels = small.numpy().reshape(-1, 3)
    # Sixteen tones a channel: the fullest box names the colour, its mean is the colour.
    boxes = (pixels // 64).astype(np.int32)
    keys = boxes[:, 0] * 16 + boxes[:, 1] * 4 + boxes[:, 2]
    fullest = np.bincount(keys).argmax()
    red, green, blue = pixels[keys == fullest].mean(axis=0).round().astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"


def small_rgb(image: Any, side: int) -> Any:
    """Pixels with the longer side at most ``side``, for placeholders."""
    if max(image.width, image.height) <= side:
        return image.numpy()
    return image.thumbnail_image(side, height=side, size="down").numpy()


def concurrency(threads: int) -> None:
    """How many threads the picture library may use; the web process shares its cores."""
    pyvips.concurrency_set(threads)
