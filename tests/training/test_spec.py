"""Every rule of a training has its own message, and the price follows the work."""

from __future__ import annotations

import math
from typing import Any

import pytest

from atelier.core.errors import Invalid
from atelier.training import spec
from atelier.training.spec import Request, Settings


def _asked(count: int = 5, **fields: Any) -> Request:
    return Request(
        **{
            "name": "Fox",
            "trigger_word": "mofo fox",
            "media_ids": tuple(f"med_{number}" for number in range(count)),
            **fields,
        }
    )


@pytest.mark.parametrize(
    ("fields", "name", "rule"),
    [
        ({"name": " "}, "name", "must have 1 to 80 characters"),
        (
            {"trigger_word": ""},
            "trigger_word",
            "must have 1 to 40 characters; it is the word that calls your subject",
        ),
        ({"count": 4}, "images", "must be 5 to 1000 pictures, not 4"),
        ({"count": 1001}, "images", "must be 5 to 1000 pictures, not 1001"),
        (
            {"captions": ("a", "b")},
            "captions",
            "must be one for each picture: 2 captions for 5 pictures",
        ),
        ({"captions": ("x" * 601,) * 5}, "captions", "must have at most 600 characters each"),
        ({"epochs": 0}, "epochs", "must be from 1 to 50"),
        (
            {"sample_prompts": ("a",) * 5},
            "sample_prompts",
            "must be at most 4, of 1 to 400 characters",
        ),
        ({"settings": Settings(repeats=0)}, "repeats", "must be from 1 to 100"),
        ({"settings": Settings(steps_per_epoch=0)}, "steps_per_epoch", "must be at least 1"),
        (
            {"settings": Settings(steps_per_epoch=2001)},
            "epochs",
            "makes more than 20,000 steps in all",
        ),
        ({"settings": Settings(rank=65)}, "rank", "must be from 1 to 64"),
        ({"settings": Settings(alpha=0)}, "alpha", "must be above 0 and at most 128"),
        (
            {"settings": Settings(learning_rate=math.nan)},
            "learning_rate",
            "must be above 0 and at most 0.01",
        ),
        ({"settings": Settings(batch=9)}, "batch", "must be from 1 to 8"),
        ({"settings": Settings(seed=-1)}, "seed", "must be from 0 to 4294967295"),
    ],
)
def test_each_rule_says_what_it_wants(fields: dict[str, Any], name: str, rule: str) -> None:
    with pytest.raises(Invalid) as refusal:
        spec.check(_asked(**fields))
    assert [(error.field, error.rule) for error in refusal.value.errors] == [(name, rule)]


def test_five_pictures_are_enough() -> None:
    spec.check(_asked())


@pytest.mark.parametrize(
    ("pictures", "epochs", "sparks"),
    [(5, 1, 500), (12, 10, 500), (20, 10, 500), (20, 20, 1000), (40, 10, 1000), (1000, 10, 2500)],
)
def test_the_price_follows_the_work(pictures: int, epochs: int, sparks: int) -> None:
    assert spec.price(pictures=pictures, epochs=epochs, settings=Settings()) == sparks


def test_larger_batches_and_more_steps_cost_more() -> None:
    settings = Settings(batch=8, steps_per_epoch=300)
    assert spec.price(pictures=12, epochs=2, settings=settings) == 1200


def test_epochs_draw_the_subject_and_then_its_face() -> None:
    drawn = spec.prompts_to_sample(trigger_word="mofo", captions=["a fox, sitting", ""], chosen=[])
    assert drawn == ["mofo", "mofo, a fox, sitting", "photo of mofo", "photo of mofo, face"]
    drawn = spec.prompts_to_sample(trigger_word="mofo", captions=[], chosen=["mofo runs"])
    assert drawn == ["mofo runs", "photo of mofo", "photo of mofo, face"]
