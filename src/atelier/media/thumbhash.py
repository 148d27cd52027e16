"""ThumbHash: a picture's few lowest frequencies in about 25 bytes, for the placeholder.

The layout is the public one of evanw's format, so that any decoder of it shows ours: luminance and
two colour differences, each as cosine coefficients in a triangle, four bits each.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_SIDE = 100
LUMA_TERMS = 7
CHROMA_TERMS = 3
SMALLEST = 1e-6


def _half_up(value: float) -> int:
    return int(np.floor(value + 0.5))


def _channel(
    values: NDArray[np.float64], across: int, down: int
) -> tuple[float, float, NDArray[np.float64]]:
    """The mean, the largest coefficient, and the others scaled to 0…1 in reading order."""
    height, width = values.shape
    x = np.cos(np.pi / width * np.outer(np.arange(across), np.arange(width) + 0.5))
    y = np.cos(np.pi / height * np.outer(np.arange(down), np.arange(height) + 0.5))
    terms = y @ values @ x.T / (width * height)
    kept = [
        terms[row, column]
        for row in range(down)
        for column in range(across)
        if (row or column) and column * down < across * (down - row)
    ]
    varying = np.array(kept)
    scale = float(np.abs(varying).max())
    # Below this it is rounding noise of an even picture, which would differ between machines.
    varying = 0.5 + 0.5 / scale * varying if scale > SMALLEST else np.zeros_like(varying)
    return float(terms[0, 0]), scale, varying


def encode(rgb: NDArray[np.uint8]) -> str:
    """The hash of an opaque picture of at most 100 pixels a side, in base64."""
    height, width, _ = rgb.shape
    if max(height, width) > MAX_SIDE:
        message = f"at most {MAX_SIDE} pixels a side"
        raise ValueError(message)
    red, green, blue = (rgb[..., band].astype(np.float64) / 255 for band in range(3))
    longer = max(width, height)
    across = max(1, _half_up(LUMA_TERMS * width / longer))
    down = max(1, _half_up(LUMA_TERMS * height / longer))
    luma = _channel((red + green + blue) / 3, max(CHROMA_TERMS, across), max(CHROMA_TERMS, down))
    yellow = _channel((red + green) / 2 - blue, CHROMA_TERMS, CHROMA_TERMS)
    magenta = _channel(red - green, CHROMA_TERMS, CHROMA_TERMS)

    landscape = width > height
    first = (
        _half_up(63 * luma[0])
        | _half_up(31.5 + 31.5 * yellow[0]) << 6
        | _half_up(31.5 + 31.5 * magenta[0]) << 12
        | min(31, _half_up(31 * luma[1])) << 18
    )
    second = (
        (down if landscape else across)
        | min(63, _half_up(63 * yellow[1])) << 3
        | min(63, _half_up(63 * magenta[1])) << 9
        | int(landscape) << 15
    )
    packed = bytearray(first.to_bytes(3, "little") + second.to_bytes(2, "little"))
    digits = [_half_up(15 * value) for part in (luma, yellow, magenta) for value in part[2]]
    for low, high in zip(digits[::2], [*digits[1::2], 0], strict=False):
        packed.append(low | high << 4)
    return base64.b64encode(bytes(packed)).decode()
