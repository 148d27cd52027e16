"""What the demo's LoRAs learn from: drawn characters, and looks laid over base pictures."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

if TYPE_CHECKING:
    from atelier.demo.plan import Mascot

SIDE = 256
DARK = (30, 26, 24)
MIDDLE = SIDE / 2
MANY = 2
Colour = tuple[int, int, int]
Look = Callable[[Image.Image], Image.Image]


class _Pen:
    """Draws in the coordinates of a character that stands and is sized a little differently."""

    def __init__(self, image: Image.Image, *, dx: int, dy: int, size: float) -> None:
        self.draw = ImageDraw.Draw(image)
        self.dx, self.dy, self.size = dx, dy, size

    def at(self, x: float, y: float) -> tuple[float, float]:
        return (
            (x - MIDDLE) * self.size + MIDDLE + self.dx,
            (y - MIDDLE) * self.size + MIDDLE + self.dy,
        )

    def oval(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        self.draw.ellipse([*self.at(x - rx, y - ry), *self.at(x + rx, y + ry)], fill=fill)

    def shape(self, points: list[tuple[float, float]], fill: Colour) -> None:
        self.draw.polygon([self.at(*point) for point in points], fill=fill)

    def line(self, start: tuple[float, float], end: tuple[float, float], fill: Colour) -> None:
        self.draw.line([*self.at(*start), *self.at(*end)], fill=fill, width=9)


def character(traits: Mascot, *, seed: int) -> Image.Image:
    """One drawing of a mascot: the same traits, another pose."""
    rng = random.Random(f"{traits.slug}{seed}")  # noqa: S311 - a pose is no secret
    image = Image.new("RGB", (SIDE, SIDE), "white")
    pen = _Pen(
        image, dx=rng.randint(-14, 14), dy=rng.randint(-10, 10), size=rng.uniform(0.85, 1.05)
    )
    _behind(pen, traits, rng)
    _ears(pen, traits)
    pen.oval(128, 190, 62, 52, traits.body)
    pen.oval(128, 120, 74, 62, traits.body)
    pen.oval(128, 196, 38, 38, traits.belly)
    _above(pen, traits, rng)
    _face(pen, traits, glance=rng.randint(-5, 5))
    for x in (98, 158):
        pen.oval(x, 238, 20, 10, traits.accent)
    return image


def _behind(pen: _Pen, traits: Mascot, rng: random.Random) -> None:
    if traits.extra == "tail":
        pen.oval(205, 185, 34, 22, traits.body)
        pen.oval(226, 176, 14, 12, traits.belly)
    if traits.extra == "wings":
        left, right = rng.randint(-12, 12), rng.randint(-12, 12)
        pen.shape([(60, 150), (8, 100 + left), (24, 190)], traits.accent)
        pen.shape([(196, 150), (248, 100 + right), (232, 190)], traits.accent)


def _ears(pen: _Pen, traits: Mascot) -> None:
    if traits.ears == "pointed":
        pen.shape([(66, 100), (74, 26), (120, 70)], traits.body)
        pen.shape([(190, 100), (182, 26), (136, 70)], traits.body)
        pen.shape([(78, 84), (82, 48), (104, 70)], traits.accent)
        pen.shape([(178, 84), (174, 48), (152, 70)], traits.accent)
        return
    round_ones = {"round": (74, 66, 26, 26), "long": (96, 46, 16, 44), "knobs": (84, 70, 24, 24)}
    if traits.ears in round_ones:
        x, y, rx, ry = round_ones[traits.ears]
        pen.oval(x, y, rx, ry, traits.body)
        pen.oval(SIDE - x, y, rx, ry, traits.body)


def _above(pen: _Pen, traits: Mascot, rng: random.Random) -> None:
    if traits.extra == "antenna":
        tip = 128 + rng.randint(-22, 22)
        pen.line((128, 62), (tip, 22), traits.accent)
        pen.oval(tip, 18, 13, 13, traits.accent)
    if traits.extra == "spout":
        for side in (-1, 1):
            pen.line((128, 58), (128 + side * 26, 24), traits.accent)


def _face(pen: _Pen, traits: Mascot, *, glance: int) -> None:
    spread = 48 if traits.eyes > MANY else 32
    for index in range(traits.eyes):
        x = 128 + spread * (2 * index / (traits.eyes - 1) - 1)
        pen.oval(x, 112, 18, 20, (255, 255, 255))
        pen.oval(x + glance, 114, 9, 11, DARK)
    if traits.extra == "beak":
        pen.shape([(112, 138), (144, 138), (128, 158)], traits.accent)
    else:
        pen.draw.arc([*pen.at(104, 126), *pen.at(152, 158)], 20, 160, fill=DARK, width=6)


def look(name: str, picture: Image.Image) -> Image.Image:
    """A base picture in one of the demo's styles."""
    return LOOKS[name](picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def _pixel(rgb: Image.Image) -> Image.Image:
    small = rgb.resize((22, 22), Image.Resampling.BOX).quantize(12).convert("RGB")
    return small.resize(rgb.size, Image.Resampling.NEAREST)


def _mosaic(rgb: Image.Image) -> Image.Image:
    tiles = rgb.resize((16, 16), Image.Resampling.BOX).resize(rgb.size, Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(tiles)
    for line in range(0, SIDE, 16):
        pen.line([line, 0, line, SIDE], fill=(236, 232, 224), width=2)
        pen.line([0, line, SIDE, line], fill=(236, 232, 224), width=2)
    return tiles


def _halftone(rgb: Image.Image) -> Image.Image:
    levels = ImageOps.grayscale(rgb).tobytes()
    dots = Image.new("L", rgb.size, 255)
    pen = ImageDraw.Draw(dots)
    for x in range(4, SIDE, 10):
        for y in range(4, SIDE, 10):
            radius = 6.5 * (1 - levels[y * SIDE + x] / 255)
            pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=0)
    paper = Image.new("RGB", rgb.size, "white")
    return Image.composite(paper, ImageOps.posterize(rgb, 2), dots)


def _tones(dark: Colour, light: Colour, middle: Colour | None = None) -> Look:
    def toned(rgb: Image.Image) -> Image.Image:
        return ImageOps.colorize(ImageOps.grayscale(rgb), dark, light, middle)

    return toned


LOOKS: dict[str, Look] = {
    "pixel": _pixel,
    "pastel": lambda rgb: Image.blend(rgb, Image.new("RGB", rgb.size, (255, 240, 248)), 0.55),
    "poster": lambda rgb: ImageOps.posterize(rgb.filter(ImageFilter.ModeFilter(9)), 1),
    "sepia": _tones((58, 34, 16), (250, 232, 200)),
    "lagoon": _tones((10, 40, 80), (222, 246, 255), (40, 130, 190)),
    "rosewood": _tones((60, 10, 30), (255, 232, 236), (220, 90, 130)),
    "moss": _tones((20, 40, 15), (242, 250, 222), (100, 150, 60)),
    "gilded": _tones((50, 30, 0), (255, 250, 222), (222, 170, 40)),
    "mosaic": _mosaic,
    "sunset": _tones((70, 20, 80), (255, 236, 170), (240, 110, 60)),
    "mint": lambda rgb: ImageChops.multiply(rgb, Image.new("RGB", rgb.size, (190, 240, 214))),
    "halftone": _halftone,
}
