"""The engine itself behind a training: from drawings to a LoRA that draws, with few steps."""

from __future__ import annotations

import pytest
from tests.factories import generation as generations
from tests.factories import training as make
from tests.factories.jobs import rich_user

from atelier.core import storage
from atelier.generation import queries as generation_queries
from atelier.generation import worker as generation_worker
from atelier.generation.spec import ResourceChoice
from atelier.training import engine, queries, services, worker
from atelier.training.spec import Settings

pytestmark = pytest.mark.django_db(transaction=True)


def test_drawings_become_a_lora_that_draws() -> None:
    pytest.importorskip("torch")
    user = rich_user(1000)
    training = make.training(
        user,
        epochs=2,
        sample_prompts=("mofo",),
        settings=Settings(steps_per_epoch=2, prior_preservation=False),
    )
    worker.run_next()
    done = queries.get_owned(owner=user, training_id=training.pk)
    state = queries.state(done)
    assert (state["status"], state["problem"]) == ("completed", None)
    assert [epoch["cleared"] for epoch in state["epochs"]] == [True, True]
    assert [len(epoch["samples"]) for epoch in state["epochs"]] == [3, 3]
    assert storage.blobs().exists(state["epochs"][1]["sha256"])
    version = services.version_from_epoch(training=done, number=2, owner=user)
    generation = generations.generation(
        user,
        steps=2,
        quantity=1,
        prompt="mofo",
        resources=(ResourceChoice(str(version.pk), 0.8),),
    )
    generation_worker.run_next()
    drawn = generation_queries.state(
        generation_queries.get_owned(owner=user, generation_id=generation.pk)
    )
    assert (drawn["status"], drawn["problem"], len(drawn["images"])) == ("completed", None, 1)


def test_a_training_that_stops_goes_on_where_it_was(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    pytest.importorskip("torch")
    user = rich_user(1000)
    training = make.training(
        user,
        epochs=2,
        sample_prompts=("mofo",),
        settings=Settings(steps_per_epoch=2, prior_preservation=False),
    )
    folder, cache = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("cache")
    pictures = worker._pictures(training)
    steps: list[int] = []
    epochs: list[int] = []

    def run(*, most: int) -> None:
        engine.LocalEngine().train(
            training,
            pictures=pictures,
            workdir=folder,
            cache=cache,
            on_step=lambda step, _steps, _loss: steps.append(step),
            on_epoch=lambda epoch: epochs.append(epoch.number),
            checkpoint=lambda: len(steps) < most,
        )

    with pytest.raises(engine.StoppedError):
        run(most=3)
    assert (steps, epochs) == ([1, 2, 3], [1])
    run(most=99)
    assert (steps, epochs) == ([1, 2, 3, 4], [1, 1, 2])


def test_the_time_is_estimated_without_torch() -> None:
    seconds = engine.estimate_seconds(
        pictures=12, epochs=10, prompts=["a", "b", "c"], settings=Settings().as_json(pictures=12)
    )
    assert 30 < seconds < 600
