from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import skimage
from bench.mascot import fox
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from atelier_engine import faces, onnx
from atelier_engine.photoreal import REAL, photoreal

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(skimage.__file__).parent / "data"


def photograph(name: str) -> Image.Image:
    """A picture that scikit-image carries; the astronaut's portrait is in the public domain."""
    with Image.open(FOLDER / name) as opened:
        return opened.convert("RGB")


def pixels(image: Image.Image) -> Any:
    return np.asarray(image.convert("RGB"))


PERSON = photograph("astronaut.png")
CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "as taken": lambda image: image,
    "on its side": lambda image: image.rotate(90, expand=True),
    "upside down": lambda image: image.rotate(180),
    "on the other side": lambda image: image.rotate(270, expand=True),
    "tilted": lambda image: image.rotate(30, expand=True),
    "mirrored": ImageOps.mirror,
    "negative": ImageOps.invert,
    "negative on its side": lambda image: ImageOps.invert(image).rotate(90, expand=True),
    "grey": ImageOps.grayscale,
    "small": lambda image: image.resize((160, 160)),
    "in a corner": lambda image: _pasted(image, 150, 900),
    "close": lambda image: image.crop((150, 30, 310, 190)),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(2)),
    "few colours": lambda image: ImageOps.posterize(image, 4),
    "dark": lambda image: image.point(lambda value: value * 0.4),
}


def _pasted(image: Image.Image, size: int, canvas: int) -> Image.Image:
    sheet = Image.new("RGB", (canvas, canvas), "white")
    sheet.paste(image.resize((size, size)), (canvas - size, canvas - size))
    return sheet


@pytest.mark.parametrize("change", CHANGES)
def test_a_photographed_person_is_found_however_the_picture_is_turned(change: str) -> None:
    changed = CHANGES[change](PERSON)
    assert any(face.real for face in faces.find(pixels(changed)))


def test_the_portrait_is_read_rightly() -> None:
    found = faces.assess(pixels(PERSON))
    assert (found.real_faces, found.drawn_faces) == (1, 0)
    assert found.photoreal > 0.9
    assert found.sexual.level == "none"
    assert not found.minor_signal
    (face,) = found.faces
    left, top, right, bottom = face.box
    assert left < 225 < right
    assert top < 110 < bottom
    assert (face.rotation, face.inverted) == (0, False)
    assert abs(face.yaw) < 25
    assert 24 < face.age < 60


def test_a_box_lies_where_the_face_is_in_a_turned_and_large_picture() -> None:
    turned = PERSON.resize((2048, 2048)).rotate(90, expand=True)
    real = [face for face in faces.find(pixels(turned)) if face.real]
    face = max(real, key=lambda found: found.box[2] - found.box[0])
    left, top, right, bottom = face.box
    # The face stood at (900, 440) of 2048; a quarter turn moves (x, y) to (y, side - x).
    assert left < 440 < right
    assert top < 2048 - 900 < bottom


def test_a_young_face_is_a_minor_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces, "_age", lambda _patch: 19.0)
    found = faces.assess(pixels(PERSON))
    assert found.minor_signal
    assert found.youngest == 19.0


def smiley() -> Image.Image:
    image = Image.new("RGB", (256, 256), "white")
    pen = ImageDraw.Draw(image)
    pen.ellipse((20, 20, 236, 236), fill=(255, 205, 60), outline=(120, 80, 0), width=4)
    for x in (90, 166):
        pen.ellipse((x - 14, 80, x + 14, 120), fill=(60, 40, 20))
    pen.arc((75, 100, 181, 195), 20, 160, fill=(120, 30, 20), width=9)
    return image


@pytest.mark.parametrize("image", [*(fox(seed) for seed in range(12)), smiley()])
def test_drawings_are_nobody(image: Image.Image) -> None:
    found = faces.assess(pixels(image))
    assert found.real_faces == 0
    assert found.photoreal < REAL
    assert not found.minor_signal
    assert found.sexual.level == "none"


@pytest.mark.parametrize("name", ["chelsea.png", "coffee.png", "rocket.jpg"])
def test_photographs_without_people_are_photographs_without_people(name: str) -> None:
    found = faces.assess(pixels(photograph(name)))
    assert found.photoreal >= REAL
    assert found.real_faces == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (2, 3)])
def test_absurd_shapes_are_examined_too(size: tuple[int, int]) -> None:
    found = faces.assess(np.zeros((*size, 3), dtype=np.uint8))
    assert found.real_faces == 0
    assert 0 <= photoreal(np.zeros((*size, 3), dtype=np.uint8)) <= 1


def test_a_missing_model_is_an_error_and_not_a_clean_bill(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(onnx, "WEIGHTS", tmp_path)
    with pytest.raises(onnx.MissingModelError):
        faces.assess(pixels(fox(1)))
