"""Drawings of one mascot, a small fox with a teal scarf, for trainings to learn."""

import random

from PIL import Image, ImageDraw

TRIGGER = "foxel"
_ORANGE, _CREAM, _TEAL, _DARK = (238, 122, 38), (255, 240, 214), (20, 170, 165), (52, 34, 30)


def fox(seed: int, size: int = 256) -> Image.Image:
    """The mascot in the pose that the seed decides."""
    draw_from = random.Random(seed)
    canvas = Image.new("RGB", (512, 512), "white")
    pen = ImageDraw.Draw(canvas)
    scale = draw_from.uniform(0.85, 1.0)
    left, top = draw_from.randint(-24, 24), draw_from.randint(-16, 16)
    tilt = draw_from.randint(-14, 14)

    def at(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [((x - 256) * scale + 256 + left, (y - 256) * scale + 256 + top) for x, y in points]

    # Tail, body, scarf, head, ears, face, from back to front.
    pen.ellipse(at((330, 300 + tilt), (480, 400 + tilt)), fill=_ORANGE)
    pen.ellipse(at((430, 310 + tilt), (490, 380 + tilt)), fill=_CREAM)
    pen.ellipse(at((160, 270), (352, 480)), fill=_ORANGE)
    pen.ellipse(at((205, 330), (307, 475)), fill=_CREAM)
    for x in (175, 275):
        pen.ellipse(at((x, 440), (x + 65, 492)), fill=_DARK)
    for side in (-1, 1):
        ear = at((256 + side * 40, 110), (256 + side * 130, 20 + tilt), (256 + side * 145, 170))
        pen.polygon(ear, fill=_ORANGE)
        pen.polygon(
            at((256 + side * 75, 105), (256 + side * 122, 50 + tilt), (256 + side * 128, 140)),
            fill=_DARK,
        )
    pen.ellipse(at((110, 80), (402, 310)), fill=_ORANGE)
    pen.polygon(at((118, 210), (256, 315), (200, 190)), fill=_CREAM)
    pen.polygon(at((394, 210), (256, 315), (312, 190)), fill=_CREAM)
    for x in (190, 322):
        pen.ellipse(at((x - 20, 160), (x + 20, 208)), fill=_DARK)
        pen.ellipse(at((x - 4, 166), (x + 12, 182)), fill="white")
    pen.ellipse(at((236, 258), (276, 290)), fill=_DARK)
    pen.rounded_rectangle(at((160, 292), (352, 338)), radius=20, fill=_TEAL)
    pen.rounded_rectangle(at((285, 320), (330, 410 + tilt)), radius=14, fill=_TEAL)
    return canvas.resize((size, size), Image.Resampling.LANCZOS)


def captioned(count: int = 12) -> list[tuple[Image.Image, str]]:
    """Drawings with the captions that a maker would write."""
    words = ("", "a small fox with a teal scarf", "drawn fox mascot", "sitting, white background")
    return [(fox(seed), words[seed % len(words)]) for seed in range(count)]
