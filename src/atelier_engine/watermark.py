"""An invisible mark that survives recompression and resizing: an opaque number, nothing else.

The number is spread over middle frequencies of the luminance. The embedder knows the picture, so it
moves each bit's sum exactly as far as needed, checks the result as a JPEG of itself, and repeats.
Absence of a mark proves nothing: whoever wants to can remove it.
"""

import hashlib
import hmac
import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from atelier_engine.onnx import Floats, Pixels

Indices = NDArray[np.intp]

ID_BITS = 40
"""Marks are numbers below 2 to this power."""

_CHECK_BITS = 24
_BITS = ID_BITS + _CHECK_BITS
_SIDE = 256
_LOW, _HIGH = 20.0, 96.0
_MARGIN = 3.0
_ROUNDS = 5
_QUALITY = 75
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_PUBLIC_KEY = b"atelier"


class MarkTooLargeError(ValueError):
    """The number does not fit into a mark."""


def embed(picture: Pixels, mark: int, *, key: bytes = _PUBLIC_KEY) -> Pixels:
    """The picture with a mark in it; at 256 pixels and more it is not seen."""
    if not 0 <= mark < 2**ID_BITS:
        raise MarkTooLargeError(f"A mark is a number below 2^{ID_BITS}.")
    wanted = _code(mark, key) * 2.0 - 1.0
    rows, columns, signs, owners = _pattern(key)
    original = picture.astype(np.float32)
    shift = np.zeros(picture.shape[:2], dtype=np.float32)
    marked = picture
    for _ in range(_ROUNDS):
        marked = np.clip(original + shift[..., None], 0, 255).round().astype(np.uint8)
        # Whatever is weak in the plain picture or in its JPEG is pushed further.
        plain = _sums(_canonical(marked), key) * wanted
        pressed = _sums(_canonical(_as_jpeg(marked)), key) * wanted
        missing = np.maximum(_MARGIN - np.minimum(plain, pressed), 0.0)
        if float(missing.max()) < _MARGIN / 3:
            break
        spectrum = np.zeros((int(_HIGH) + 1, int(_HIGH) + 1), dtype=np.float32)
        spectrum[rows, columns] = signs * (missing * wanted)[owners]
        grown = Image.fromarray(_from_frequencies(spectrum)).resize(
            (picture.shape[1], picture.shape[0]), Image.Resampling.BICUBIC
        )
        shift += np.asarray(grown, dtype=np.float32)
    return marked


def decode(picture: Pixels, *, key: bytes = _PUBLIC_KEY) -> int | None:
    """The mark of a picture, also if it was mirrored or turned; None where there is none."""
    luma = _canonical(picture)
    for turned in (luma, luma[:, ::-1]):
        for quarter in range(4):
            found = _read(_sums(np.rot90(turned, quarter), key), key)
            if found is not None:
                return found
    return None


def _read(sums: Floats, key: bytes) -> int | None:
    bits = sums > 0
    # The weakest bits are the likeliest to be wrong; the check tells whether flipping them helps.
    doubtful = np.argsort(np.abs(sums))[:4]
    for flips in range(16):
        tried = bits.copy()
        for place, index in enumerate(doubtful):
            if flips >> place & 1:
                tried[index] = not tried[index]
        mark = int("".join("1" if bit else "0" for bit in tried[:ID_BITS]), 2)
        if np.array_equal(_code(mark, key).astype(bool), tried):
            return mark
    return None


def _code(mark: int, key: bytes) -> Floats:
    """The number's bits, and a keyed check over them."""
    payload = mark.to_bytes(ID_BITS // 8, "big")
    check = hmac.digest(key, payload, hashlib.sha256)[: _CHECK_BITS // 8]
    bits = np.unpackbits(np.frombuffer(payload + check, dtype=np.uint8))
    return bits.astype(np.float32)


def _canonical(picture: Pixels) -> Floats:
    """Luminance at the size where marks live, whatever the size of the picture."""
    luma: Floats = (picture.astype(np.float32) @ _LUMA).astype(np.float32)
    if luma.shape == (_SIDE, _SIDE):
        return luma
    small = Image.fromarray(luma).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return np.asarray(small, dtype=np.float32)


def _sums(luma: Floats, key: bytes) -> Floats:
    """Each bit's mean over its frequencies."""
    rows, columns, signs, owners = _pattern(key)
    spectrum = _frequencies(luma - 128.0)
    totals = np.bincount(owners, weights=spectrum[rows, columns] * signs, minlength=_BITS)
    counts = np.bincount(owners, minlength=_BITS)
    sums: Floats = (totals / counts).astype(np.float32)
    return sums


@lru_cache(maxsize=8)
def _pattern(
    key: bytes,
) -> tuple[Indices, Indices, Floats, Indices]:
    """Which frequencies belong to which bit, with which sign: keyed, so not everyone can forge."""
    rows, columns = np.mgrid[0 : int(_HIGH) + 1, 0 : int(_HIGH) + 1]
    distance = np.hypot(rows, columns)
    rows, columns = np.nonzero((distance >= _LOW) & (distance <= _HIGH))
    seed = int.from_bytes(hmac.digest(key, b"pattern", hashlib.sha256)[:8], "big")
    draw = np.random.default_rng(seed)
    owners = draw.permutation(np.arange(len(rows)) % _BITS)
    signs = draw.choice(np.array([-1.0, 1.0], dtype=np.float32), len(rows))
    return rows, columns, signs, owners


# Cosine transforms by way of Fourier's. As matrix products they would be shorter, but the linear
# algebra library then wakes all its threads for a millisecond of work, which costs many.


def _frequencies(luma: Floats) -> Floats:
    """The low corner of the orthonormal cosine transform."""
    wide = _cosines(_cosines(luma).T)
    return np.ascontiguousarray(wide.T)


def _cosines(rows: Floats) -> Floats:
    count = int(_HIGH) + 1
    turned = np.fft.rfft(rows, n=2 * _SIDE, axis=1)[:, :count] * _phase().conj()
    cosines: Floats = (turned.real * _weights()).astype(np.float32)
    return cosines


def _from_frequencies(corner: Floats) -> Floats:
    """The picture whose low corner this is."""
    return np.ascontiguousarray(_from_cosines(_from_cosines(corner).T).T)


def _from_cosines(rows: Floats) -> Floats:
    turned = np.fft.ifft(rows * _weights() * _phase(), n=2 * _SIDE, axis=1)[:, :_SIDE]
    values: Floats = (turned.real * (2 * _SIDE)).astype(np.float32)
    return values


@lru_cache(maxsize=1)
def _phase() -> NDArray[np.complex128]:
    phase: NDArray[np.complex128] = np.exp(0.5j * np.pi * np.arange(int(_HIGH) + 1) / _SIDE)
    return phase


@lru_cache(maxsize=1)
def _weights() -> NDArray[np.float64]:
    weights = np.full(int(_HIGH) + 1, np.sqrt(2 / _SIDE))
    weights[0] = np.sqrt(1 / _SIDE)
    return weights


def _as_jpeg(picture: Pixels) -> Pixels:
    pressed = io.BytesIO()
    Image.fromarray(picture).save(pressed, "JPEG", quality=_QUALITY)
    with Image.open(pressed) as opened:
        return np.asarray(opened.convert("RGB"))
