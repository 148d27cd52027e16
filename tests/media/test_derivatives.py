from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image
from tests.factories import photographs

from atelier.media import decoding, derivatives, thumbhash


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (64, [64]),
        (160, [160]),
        (256, [160, 256]),
        (512, [160, 320, 512]),
        (1024, [160, 320, 640, 1024]),
        (5000, [160, 320, 640, 1024]),
    ],
)
def test_pictures_are_never_shown_wider_than_they_are(width: int, expected: list[int]) -> None:
    assert derivatives.widths_for(width) == expected


def test_each_size_is_made_in_both_formats() -> None:
    made = derivatives.make(decoding.canonical(photographs.real_woman()).image)
    assert [(one.width, one.format) for one in made] == [
        (width, form) for width in (160, 320, 512) for form in ("avif", "webp")
    ]
    for one in made:
        found = Image.open(io.BytesIO(one.data))
        assert (found.format or "").lower() == one.format
        assert found.size == (one.width, one.width)


def test_small_pictures_keep_every_pixel() -> None:
    picture = decoding.canonical(photographs.drawing(1, size=128))
    webp = next(one for one in derivatives.make(picture.image) if one.format == "webp")
    found = np.asarray(Image.open(io.BytesIO(webp.data)).convert("RGB"))
    assert np.array_equal(found, picture.pixels())


def test_a_narrow_tall_picture_keeps_its_shape() -> None:
    out = io.BytesIO()
    Image.new("RGB", (200, 3000), "green").save(out, "PNG")
    made = derivatives.make(decoding.canonical(out.getvalue()).image)
    assert Image.open(io.BytesIO(made[0].data)).size == (160, 2400)


def test_the_dominant_colour_is_the_commonest() -> None:
    picture = Image.new("RGB", (90, 90), (20, 40, 200))
    picture.paste((250, 250, 0), (0, 0, 30, 30))
    out = io.BytesIO()
    picture.save(out, "PNG")
    assert derivatives.dominant_color(decoding.canonical(out.getvalue()).image) == "#1428c8"


def test_thumbhash_agrees_with_the_public_format() -> None:
    # Computed once with the reference encoder for the same pixels.
    down, across = np.mgrid[0:16, 0:24]
    bands = [across * 7 + down * 3, across * down, (across - 9) ** 2 + down * 2]
    rgb = np.stack(bands, axis=-1).astype(np.uint8)
    data = base64.b64decode(thumbhash.encode(rgb))
    assert data.hex() == "94380e45889087878478888787778787068547fbb5"
    with pytest.raises(ValueError, match="100"):
        thumbhash.encode(np.zeros((101, 5, 3), dtype=np.uint8))


def test_an_even_picture_has_a_placeholder_too() -> None:
    flat = np.full((30, 30, 3), 128, dtype=np.uint8)
    assert len(base64.b64decode(thumbhash.encode(flat))) > 5
