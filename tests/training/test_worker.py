"""A training from the queue to epochs and a version, with an engine that learns nothing."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from tests.factories import accounts, photographs
from tests.factories import generation as generations
from tests.factories import training as make
from tests.factories.jobs import rich_user

from atelier.catalog.models import ModelVersion
from atelier.core import clock
from atelier.core.errors import NotFound, NotOwner
from atelier.jobs import files, keeper
from atelier.jobs import services as jobs
from atelier.jobs.models import JobKind
from atelier.ledger import queries as ledger
from atelier.likeness import services as likeness
from atelier.likeness.refs import Ref
from atelier.media.models import Media
from atelier.training import queries, services, worker
from atelier.training.errors import EpochNotCleared
from atelier.training.models import Epoch

if TYPE_CHECKING:
    from atelier.accounts.models import User
    from atelier.training.models import Training

pytestmark = pytest.mark.django_db(transaction=True)


def _money(user: User) -> tuple[int, int]:
    wallet = ledger.wallet(user_id=user.pk)
    return wallet.available, wallet.held


def _again(training: Training) -> Training:
    return queries.get_owned(owner=training.owner, training_id=training.pk)


def _state(training: Training) -> dict[str, Any]:
    return queries.state(_again(training))


def test_epochs_arrive_with_samples_and_are_paid() -> None:
    user = rich_user(1000)
    training = make.training(user, captions=("mofo sits", "", "", "", ""))
    trainer = make.TestTrainer()
    assert worker.run_next(trains=trainer) is True
    state = _state(training)
    assert (state["status"], state["charged"]) == ("completed", 500)
    assert [epoch["number"] for epoch in state["epochs"]] == [1, 2]
    assert [epoch["loss"] for epoch in state["epochs"]] == [0.5, 0.25]
    assert all(epoch["cleared"] for epoch in state["epochs"])
    assert [s["prompt"] for s in state["epochs"][0]["samples"]] == training.sample_prompts
    assert state["progress"]["fraction"] == 1.0
    assert [point[0] for point in state["losses"]] == list(range(1, 9))
    assert _money(user) == (500, 0)
    assert trainer.pictures[0][1] == "mofo sits"
    assert len(trainer.pictures) == 5
    assert not (files.work_folder("training") / training.pk).exists()
    sample = Media.objects.get(pk=state["epochs"][0]["samples"][0]["media"])
    assert (sample.visibility, sample.generated) == ("private", True)


def test_a_killed_worker_is_followed_from_its_folder() -> None:
    user = rich_user(1000)
    training = make.training(user)

    class Killed(BaseException):
        """Ends the worker as a signal would."""

    def die(step: int) -> None:
        if step == 6:
            raise Killed

    with pytest.raises(Killed):
        worker.run_next(trains=make.TestTrainer(before_step=die))
    assert [epoch["number"] for epoch in _state(training)["epochs"]] == [1]
    assert _money(user) == (500, 500)
    with clock.frozen(clock.now() + dt.timedelta(minutes=1)):
        jobs.sweep()
    trainer = make.TestTrainer()
    worker.run_next(trains=trainer)
    assert trainer.learnt == [5, 6, 7, 8]
    assert [epoch["number"] for epoch in _state(training)["epochs"]] == [1, 2]
    assert _state(training)["status"] == "completed"
    assert _money(user) == (500, 0)


def test_cancel_settles_per_finished_epoch() -> None:
    user = rich_user(1000)
    training = make.training(user)

    def stop(step: int) -> None:
        if step == 6:
            services.cancel(training=training, actor=user)
            # The engine's next look at the clock of reports is a second away; the keeper's is not.
            kept[0].cancelled.set()

    kept: list[keeper.Keeper] = []
    real = worker._Run

    def remember(**fields: Any) -> Any:
        kept.append(fields["kept"])
        return real(**fields)

    worker._Run = remember  # type: ignore[assignment, misc]
    try:
        worker.run_next(trains=make.TestTrainer(before_step=stop))
    finally:
        worker._Run = real  # type: ignore[misc]
    state = _state(training)
    assert (state["status"], state["charged"], len(state["epochs"])) == ("cancelled", 250, 1)
    assert _money(user) == (750, 0)
    version = services.version_from_epoch(training=_again(training), number=1, owner=user)
    assert version.training_epoch == 1


def test_an_epoch_that_shows_a_real_person_is_refused_and_not_paid() -> None:
    user = rich_user(1000)
    training = make.training(user)
    worker.run_next(trains=make.TestTrainer(person_in=frozenset({2})))
    state = _state(training)
    assert (state["status"], state["charged"]) == ("completed", 250)
    assert [(e["cleared"], e["code"]) for e in state["epochs"]] == [
        (True, None),
        (False, "likeness_consent_required"),
    ]
    with pytest.raises(EpochNotCleared) as refusal:
        services.version_from_epoch(training=_again(training), number=2, owner=user)
    assert (refusal.value.code, refusal.value.status) == ("likeness_consent_required", 403)
    assert not ModelVersion.objects.filter(training_id=training.pk).exists()
    assert _money(user) == (750, 0)


def test_a_single_face_leaves_out_that_sample() -> None:
    user = rich_user(1000)
    training = make.training(user)
    worker.run_next(trains=make.TestTrainer(person_in=frozenset({2}), clean_samples=2))
    state = _state(training)
    assert [epoch["cleared"] for epoch in state["epochs"]] == [True, True]
    version = services.version_from_epoch(training=_again(training), number=2, owner=user)
    epoch = Epoch.objects.get(training=training, number=2)
    assert [sample.shows_face for sample in epoch.samples.all()] == [False, False, True]
    assert version.sample_media_ids == [s.media_id for s in epoch.samples.all()[:2]]


def test_a_training_without_a_clean_epoch_is_refused() -> None:
    user = rich_user(1000)
    training = make.training(user)
    worker.run_next(trains=make.TestTrainer(person_in=frozenset({1, 2})))
    state = _state(training)
    assert (state["status"], state["code"]) == ("refused", "likeness_consent_required")
    assert _money(user) == (1000, 0)


def test_the_judge_is_asked_again_before_it_runs() -> None:
    user = rich_user(1000)
    training = make.training(user)
    first = training.dataset.all()[0]
    likeness.block(ref=Ref("media", first.media_id), reason="A person asked.")
    trainer = make.TestTrainer()
    worker.run_next(trains=trainer)
    state = _state(training)
    assert (state["status"], state["code"], trainer.learnt) == ("refused", "blocked", [])
    assert _money(user) == (1000, 0)


def test_an_epoch_becomes_one_version_with_samples_and_settings() -> None:
    user = rich_user(1000)
    training = make.training(user)
    worker.run_next(trains=make.TestTrainer())
    done = _again(training)
    version = services.version_from_epoch(training=done, number=2, owner=user)
    again = services.version_from_epoch(training=_again(training), number=2, owner=user)
    assert again.pk == version.pk
    assert ModelVersion.objects.filter(training_id=training.pk).count() == 1
    assert (version.status, version.clearance, version.source) == ("draft", "cleared", "trained")
    assert version.model.name == "Mofo the fox"
    assert version.trained_words == ["mofo"]
    assert version.training_settings["epoch"] == 2
    assert version.training_settings["pictures"] == 5
    epoch = Epoch.objects.get(training=training, number=2)
    assert version.sample_media_ids == [s.media_id for s in epoch.samples.all()]
    assert version.files.get().sha256 == epoch.sha256
    assert epoch.version_id == version.pk
    with pytest.raises(NotFound):
        services.version_from_epoch(training=done, number=3, owner=user)
    with pytest.raises(NotOwner):
        services.version_from_epoch(training=done, number=1, owner=accounts.user())


def _run(training: Training, lease: jobs.Lease, times: list[float]) -> worker._Run:
    kept = keeper.Keeper()
    now = [100.0]

    def wait(seconds: float) -> None:
        times.append(seconds)
        now[0] += seconds

    return worker._Run(lease=lease, kept=kept, training=training, wait=wait, now=lambda: now[0])


def _lease(training: Training) -> jobs.Lease:
    lease = jobs.claim(kind=JobKind.TRAINING, worker="w")
    assert lease is not None
    assert lease.subject_id == training.pk
    return lease


def test_training_makes_room_while_somebody_waits_for_a_picture() -> None:
    training = make.training()
    lease = _lease(training)
    times: list[float] = []
    run = _run(training, lease, times)
    assert run.checkpoint() is True
    assert times == []
    generation = generations.generation()
    run._looked_at = 0.0
    # The picture is cancelled after a while; the training goes on at once.
    shown: list[bool] = []
    original = run.wait

    def wait(seconds: float) -> None:
        original(seconds)
        if len(times) == 3:
            shown.append(_state(training)["progress"]["yielding"])
            jobs.cancel(job_id=generation.job_id, actor=generation.owner)

    run.wait = wait
    assert run.checkpoint() is True
    assert times == [0.25, 0.25, 0.25]
    assert shown == [True]
    assert _state(training)["progress"]["yielding"] is False


def test_training_gets_its_share_under_endless_generation() -> None:
    training = make.training()
    lease = _lease(training)
    times: list[float] = []
    run = _run(training, lease, times)
    generations.generation()
    assert run.checkpoint() is True
    assert 60 < sum(times) <= 61
    waited = len(times)
    run._looked_at = 0.0
    assert run.checkpoint() is True
    assert len(times) == waited


def test_a_training_that_makes_room_still_hears_of_cancelling() -> None:
    training = make.training()
    lease = _lease(training)
    times: list[float] = []
    run = _run(training, lease, times)
    generations.generation()
    run.wait = lambda _seconds: run.kept.cancelled.set()
    assert run.checkpoint() is False


def test_the_pictures_learned_from_are_the_ones_that_were_examined() -> None:
    user = rich_user(1000)
    training = make.training(user)
    trainer = make.TestTrainer()
    worker.run_next(trains=trainer)
    import hashlib

    learned = [hashlib.sha256(bytes(data)).hexdigest() for data, _ in trainer.pictures]  # type: ignore[arg-type]
    assert learned == [row.media.canonical_sha256 for row in training.dataset.all()]
    assert photographs.drawing(0) not in [data for data, _ in trainer.pictures]
