from __future__ import annotations

import io

import numpy as np
import pytest
from bench.mascot import fox
from PIL import Image

from atelier_engine import watermark

KEY = b"a key of the site"
MARK = 0xA5_0F_C3_99_01


def pressed(picture: np.ndarray, quality: int) -> np.ndarray:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=quality)
    with Image.open(out) as opened:
        return np.asarray(opened.convert("RGB"))


def resized(picture: np.ndarray, factor: float) -> np.ndarray:
    size = (round(picture.shape[1] * factor), round(picture.shape[0] * factor))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


@pytest.mark.parametrize("seed", range(6))
def test_a_mark_survives_what_pictures_go_through(seed: int) -> None:
    plain = np.asarray(fox(seed))
    marked = watermark.embed(plain, MARK + seed, key=KEY)
    for changed in (
        marked,
        pressed(marked, 75),
        pressed(marked, 60),
        resized(marked, 0.5),
        resized(marked, 2.0),
        pressed(resized(marked, 0.75), 75),
        np.ascontiguousarray(marked[:, ::-1]),
        np.rot90(marked).copy(),
        np.clip(marked.astype(int) - 12, 0, 255).astype(np.uint8),
    ):
        assert watermark.decode(changed, key=KEY) == MARK + seed
    error = np.square(marked.astype(float) - plain).mean()
    assert 10 * np.log10(255**2 / error) > 36


@pytest.mark.parametrize("size", [(256, 320), (320, 256), (512, 512)])
def test_other_sizes_carry_marks_too(size: tuple[int, int]) -> None:
    plain = np.asarray(fox(2).resize(size))
    marked = watermark.embed(plain, 1, key=KEY)
    assert marked.shape == plain.shape
    assert watermark.decode(pressed(marked, 75), key=KEY) == 1


def test_blank_pictures_can_be_marked() -> None:
    for value in (0, 128, 255):
        plain = np.full((256, 256, 3), value, dtype=np.uint8)
        assert watermark.decode(watermark.embed(plain, 77, key=KEY), key=KEY) == 77


def test_no_mark_is_read_where_none_is_or_with_another_key() -> None:
    draw = np.random.default_rng(1)
    for seed in range(8):
        assert watermark.decode(np.asarray(fox(seed)), key=KEY) is None
        noise = draw.integers(0, 256, (256, 256, 3), dtype=np.uint8)
        assert watermark.decode(noise, key=KEY) is None
    marked = watermark.embed(np.asarray(fox(1)), MARK, key=KEY)
    assert watermark.decode(marked, key=b"another") is None


@pytest.mark.parametrize("mark", [-1, 2**40])
def test_a_number_that_does_not_fit_is_refused(mark: int) -> None:
    with pytest.raises(watermark.MarkTooLargeError):
        watermark.embed(np.asarray(fox(1)), mark)
