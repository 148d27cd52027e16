"""Pictures for tests: photographs of a real woman, and drawings of a fox that is nobody.

The photographs are variations of NASA's portrait of Eileen Collins, which the wheel of
scikit-image carries in the public domain; no photograph of a person is kept in this repository.
"""

from __future__ import annotations

import io
import random
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageOps


@cache
def _portrait() -> Image.Image:
    found = find_spec("skimage")
    assert found is not None
    assert found.origin is not None
    path = Path(found.origin).parent / "data" / "astronaut.png"
    return Image.open(path).convert("RGB")


def _encode(picture: Image.Image, form: str) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **({"quality": 92} if form in {"JPEG", "WEBP"} else {}))
    return out.getvalue()


@cache
def real_woman(number: int = 0, *, form: str = "PNG") -> bytes:
    """A photograph of one real woman; each number is another crop and light of it."""
    picture = _portrait()
    if number:
        chance = random.Random(number)
        left, top = chance.randrange(0, 60), chance.randrange(0, 20)
        picture = picture.crop(
            (left, top, 512 - chance.randrange(0, 60), 512 - chance.randrange(60))
        )
        picture = ImageEnhance.Brightness(picture).enhance(chance.uniform(0.85, 1.15))
        if number % 2:
            picture = ImageOps.mirror(picture)
    return _encode(picture, form)


@cache
def drawing(seed: int = 0, *, size: int = 256, form: str = "PNG") -> bytes:
    """A drawn mascot, a small fox; each seed has its own ground, coat, place and tilt."""
    chance = random.Random(seed)
    hue = chance.choice([(214, 226, 233), (233, 226, 208), (210, 230, 212), (230, 214, 226)])
    coat = (225 + chance.randrange(-15, 16), 120 + chance.randrange(-20, 21), 40)
    work = 512
    ground = Image.new("RGB", (work, work), hue)
    for _ in range(6):
        x, y, r = chance.randrange(work), chance.randrange(work), chance.randrange(20, 60)
        shade = tuple(max(0, part - chance.randrange(10, 40)) for part in hue)
        ImageDraw.Draw(ground).ellipse((x - r, y - r, x + r, y + r), fill=shade)
    fox = Image.new("RGBA", (work, work), (0, 0, 0, 0))
    pen = ImageDraw.Draw(fox)
    dark, white = (60, 35, 25), (250, 244, 236)
    pen.ellipse((330, 300, 470, 440), fill=coat, outline=dark, width=6)  # tail
    pen.ellipse((410, 310, 470, 370), fill=white)
    pen.ellipse((160, 260, 360, 470), fill=coat, outline=dark, width=6)  # body
    pen.ellipse((205, 320, 310, 465), fill=white)
    pen.polygon([(130, 190), (140, 40), (240, 130)], fill=coat, outline=dark, width=6)  # ears
    pen.polygon([(390, 190), (380, 40), (280, 130)], fill=coat, outline=dark, width=6)
    pen.polygon([(120, 170), (400, 170), (260, 340)], fill=coat, outline=dark, width=6)  # head
    pen.polygon([(150, 205), (250, 330), (205, 215)], fill=white)
    pen.polygon([(370, 205), (270, 330), (315, 215)], fill=white)
    blink = chance.random() < 0.3
    for x in (200, 320):
        if blink:
            pen.line((x - 14, 212, x + 14, 212), fill=dark, width=6)
        else:
            pen.ellipse((x - 10, 200, x + 10, 224), fill=dark)
    pen.ellipse((246, 322, 274, 346), fill=dark)
    tilted = fox.rotate(chance.uniform(-14, 14), resample=Image.Resampling.BICUBIC)
    scale = chance.uniform(0.75, 1.0)
    small = tilted.resize((round(work * scale),) * 2, Image.Resampling.LANCZOS)
    room = work - small.width
    ground.paste(small, (chance.randrange(room + 1), chance.randrange(room + 1)), small)
    return _encode(ground.resize((size, size), Image.Resampling.LANCZOS), form)


def solid(
    color: tuple[int, int, int] = (200, 30, 30), *, size: tuple[int, int] = (64, 64)
) -> bytes:
    """A plain picture, for tests to which the content does not matter."""
    return _encode(Image.new("RGB", size, color), "PNG")
