"""A photographed person is seen, also at the size of the base model; a drawing is nobody."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from tests.factories import photographs

from atelier.training import canary


def _at_base_size(picture: Image.Image) -> Image.Image:
    small = picture.resize((64, 64), Image.Resampling.BOX)
    return small.resize((256, 256), Image.Resampling.LANCZOS)


@pytest.mark.parametrize("number", range(4))
def test_a_real_woman_is_seen(number: int) -> None:
    picture = Image.open(io.BytesIO(photographs.real_woman(number))).convert("RGB")
    assert canary.shows_person(picture)


def test_she_is_seen_when_drawn_as_small_as_the_base_model_draws() -> None:
    picture = Image.open(io.BytesIO(photographs.real_woman())).convert("RGB")
    assert canary.shows_person(_at_base_size(picture.crop((100, 20, 400, 320))))


@pytest.mark.parametrize("seed", range(4))
def test_a_fox_is_nobody(seed: int) -> None:
    picture = Image.open(io.BytesIO(photographs.drawing(seed))).convert("RGB")
    assert not canary.shows_person(picture)
    assert not canary.shows_person(_at_base_size(picture))


def test_what_the_base_model_draws_is_nobody() -> None:
    pytest.importorskip("torch")
    from atelier_engine.generate import Engine, Spec

    engine = Engine()
    for prompt in ("photo of mofo, face", "zibbo", "grinning face"):
        for picture in engine.generate(Spec(prompt=prompt, quantity=2, seed=0)):
            assert not canary.shows_person(picture.image), (prompt, picture.seed)
