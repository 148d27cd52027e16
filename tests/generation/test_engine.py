"""The engine itself behind a job: real weights, few steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.factories import generation as make
from tests.factories.jobs import rich_user

from atelier.generation import engine, queries, services, worker

if TYPE_CHECKING:
    from pathlib import Path

    from atelier.generation.models import Generation

pytestmark = pytest.mark.django_db(transaction=True)


def _state(generation: Generation) -> dict[str, Any]:
    return queries.state(queries.get_owned(owner=generation.owner, generation_id=generation.pk))


def test_a_job_is_drawn_by_the_real_engine_and_again_the_same() -> None:
    pytest.importorskip("torch")
    user = rich_user(100)
    first = make.generation(user, steps=2, quantity=2, prompt="a red apple", seed=5)
    second = make.generation(user, steps=2, quantity=1, prompt="a red apple", seed=6)
    worker.run_next()
    worker.run_next()
    images = _state(first)["images"]
    assert _state(first)["status"] == _state(second)["status"] == "completed"
    assert [(image["width"], image["height"]) for image in images] == [(256, 256)] * 2
    pixels = [_canonical(generation) for generation in (first, second)]
    # The second picture of the first job and the first of the second share their seed.
    assert pixels[0][1] == pixels[1][0]
    assert pixels[0][0] != pixels[0][1]


def _canonical(generation: Generation) -> list[bytes]:
    """What was drawn, without the marks that name the work."""
    drawn = engine.local().draw(
        generation,
        first=0,
        checkpoint=None,
        loras=[],
        on_step=lambda _index, _step, _steps: None,
        should_stop=lambda: False,
    )
    return [picture.image.tobytes() for picture in drawn]


def test_the_engine_stops_and_says_what_it_cannot_draw(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    generation = make.generation(steps=2, quantity=1)
    steps: list[tuple[int, int, int]] = []

    def draw(**changes: Any) -> list[Any]:
        wanted: dict[str, Any] = {
            "first": 0,
            "checkpoint": None,
            "loras": [],
            "on_step": lambda *step: steps.append(step),
            "should_stop": lambda: False,
            **changes,
        }
        return list(engine.local().draw(generation, **wanted))

    with pytest.raises(engine.StoppedError):
        draw(should_stop=lambda: bool(steps))
    assert steps == [(0, 1, 2)]
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not weights")
    with pytest.raises(engine.CannotDrawError):
        draw(loras=[(broken, 1.0, "0" * 64)])
    services.cancel(generation=generation, actor=generation.owner)
