from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bench.mascot import fox
from PIL import Image

from atelier_engine import nudity, onnx
from atelier_engine.nudity import Rating

PICTURE = np.asarray(Image.new("RGB", (32, 32), "white"))


def judged(monkeypatch: pytest.MonkeyPatch, binary: float, **classes: float) -> Any:
    names = ("drawing", "hentai", "neutral", "porn", "sexy")
    scores = tuple(classes.get(name, 0.0) for name in names)
    monkeypatch.setattr(nudity, "five_classes", lambda _image: scores)
    monkeypatch.setattr(nudity, "_binary", lambda _image: binary)
    return nudity.classify(PICTURE)


@pytest.mark.parametrize(
    ("binary", "classes", "level", "rating"),
    [
        (0.01, {"neutral": 0.99}, "none", Rating.PG),
        (0.05, {"drawing": 0.7, "sexy": 0.3}, "none", Rating.PG13),
        (0.10, {"sexy": 0.8}, "suggestive", Rating.R),
        (0.60, {"neutral": 0.9}, "suggestive", Rating.R),
        (0.85, {"neutral": 0.99}, "explicit", Rating.X),
        (0.01, {"hentai": 0.8}, "explicit", Rating.X),
        (0.01, {"porn": 0.6}, "explicit", Rating.X),
        (0.70, {"porn": 0.42}, "explicit", Rating.X),
        (0.99, {"porn": 0.98}, "explicit", Rating.XXX),
    ],
)
def test_either_classifier_suffices(
    monkeypatch: pytest.MonkeyPatch,
    binary: float,
    classes: dict[str, float],
    level: str,
    rating: Rating,
) -> None:
    verdict = judged(monkeypatch, binary, **classes)
    assert (verdict.level, verdict.rating) == (level, rating)
    assert verdict.explicit == (level == "explicit")
    assert verdict.sexual == (level != "none")


def test_both_classifiers_really_run() -> None:
    verdict = nudity.classify(np.asarray(fox(3)))
    assert verdict.level == "none"
    five = (verdict.drawing, verdict.hentai, verdict.neutral, verdict.porn, verdict.sexy)
    assert sum(five) == pytest.approx(1.0, abs=1e-3)
    assert 0 < verdict.binary < 0.2
    assert set(verdict.scores) == {"drawing", "hentai", "neutral", "porn", "sexy", "binary"}


def test_the_second_classifier_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    nudity._binary_path.cache_clear()
    monkeypatch.setattr(nudity, "_BINARY_PACKAGE", "no_such_package")
    with pytest.raises(onnx.MissingModelError, match="second sexual-content classifier"):
        nudity.classify(PICTURE)
    nudity._binary_path.cache_clear()
