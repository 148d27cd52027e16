"""A job from the queue to released pictures, with an engine that draws without a model."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from tests.factories import catalog
from tests.factories import generation as make
from tests.factories.jobs import rich_user

from atelier.core import clock
from atelier.generation import queries, services, tasks, worker
from atelier.generation.models import GeneratedPicture, Generation
from atelier.generation.spec import ResourceChoice
from atelier.jobs import queries as job_queries
from atelier.jobs import services as jobs
from atelier.jobs.models import Job, JobKind
from atelier.ledger import queries as ledger
from atelier.likeness import queries as likeness_queries
from atelier.likeness import services as likeness
from atelier.likeness.refs import Ref
from atelier.media import marks
from atelier.media import queries as media
from atelier.media.models import Media
from atelier_engine import metadata, provenance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from atelier.accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _forget_loaded() -> Iterator[None]:
    worker._loaded.clear()
    yield
    worker._loaded.clear()


def _money(user: User) -> tuple[int, int]:
    wallet = ledger.wallet(user_id=user.pk)
    return wallet.available, wallet.held


def _state(generation: Generation) -> dict[str, Any]:
    return queries.state(queries.get_owned(owner=generation.owner, generation_id=generation.pk))


def test_nothing_waits() -> None:
    assert worker.run_next(draws=make.TestEngine()) is False


def test_pictures_arrive_marked_scanned_and_paid() -> None:
    user = rich_user(100)
    generation = make.generation(user, steps=20, quantity=2)
    assert _money(user) == (96, 4)
    assert _state(generation)["queue_position"] == 1
    engine = make.TestEngine()
    assert worker.run_next(draws=engine) is True
    state = _state(generation)
    assert (state["status"], state["charged"], state["queue_position"]) == ("completed", 4, None)
    assert [image["seed"] for image in state["images"]] == [100, 101]
    assert state["progress"]["fraction"] == 1.0
    assert _money(user) == (96, 0)
    assert engine.calls == [{"first": 0, "checkpoint": None, "loras": []}]
    picture = Media.objects.get(pk=state["images"][0]["media"])
    assert (picture.status, picture.visibility, picture.generated) == ("ready", "private", True)
    assert picture.scan.real_faces == 0
    assert state["images"][0]["url"].endswith(f"/media/{picture.pk}/original.png")
    png = make.stored_png(picture)
    written = metadata.read(png)
    assert written is not None
    assert (written.prompt, written.steps, written.seed) == ("a drawn fox", 20, 100)
    assert written.model == "Atelier Base"
    credential = marks.site_key().read(png)
    assert credential is not None
    assert credential.ours
    assert credential.facts["work"] == generation.pk
    row = GeneratedPicture.objects.get(media=picture)
    assert row.mark == marks.number_of(generation.pk, 0)
    assert _read_mark(png) == row.mark
    assert picture.origin is not None
    assert picture.origin.generation_id == generation.pk
    assert picture.origin.settings["seed"] == 100
    assert picture.origin.resources[0]["version_id"] == generation.checkpoint_id


def _read_mark(png: bytes) -> int | None:
    import io

    import numpy as np
    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    return provenance.decode(pixels, key=marks.site_key().watermark_key)


def test_a_lora_takes_part_and_is_named_in_the_origin() -> None:
    user = rich_user(100)
    version = catalog.trained(user)
    engine = make.TestEngine()
    generation = make.generation(
        user, quantity=1, resources=(ResourceChoice(str(version.pk), 0.8),)
    )
    worker.run_next(draws=engine)
    made = GeneratedPicture.objects.get(generation=generation)
    assert likeness_queries.parents(Ref("media", str(made.media_id))) == [
        Ref("generation", generation.pk)
    ]
    assert set(likeness_queries.parents(Ref("generation", generation.pk))) == {
        Ref("version", version.pk),
        Ref("version", generation.checkpoint_id),
    }
    [(path, strength, sha256)] = engine.calls[0]["loras"]
    assert (path.read_bytes()[:4], strength) == (path.read_bytes()[:4], 0.8)
    assert sha256 == catalog.file_of(version).sha256
    picture = GeneratedPicture.objects.get(generation=generation)
    assert picture.media is not None
    assert picture.media.origin is not None
    named = picture.media.origin.resources[1]
    assert (named["version_id"], named["strength"], named["type"]) == (version.pk, 0.8, "LORA")


def test_progress_shows_picture_and_step() -> None:
    generation = make.generation()
    seen: list[tuple[int, int]] = []

    def look(index: int, step: int) -> None:
        if step == 1 and index == 1:
            progress = _state(generation)["progress"]
            seen.append((progress["picture"], progress["step"]))
            assert len(_state(generation)["images"]) == 1

    worker.run_next(draws=make.TestEngine(before_step=look))
    assert seen == [(2, 0)]


def test_cancel_in_the_middle_keeps_what_is_finished() -> None:
    user = rich_user(100)
    generation = make.generation(user, steps=20, quantity=3)

    def stop(index: int, step: int) -> None:
        if (index, step) == (1, 2):
            services.cancel(generation=generation, actor=user)

    worker.run_next(draws=make.TestEngine(before_step=stop))
    state = _state(generation)
    assert (state["status"], state["charged"], len(state["images"])) == ("cancelled", 2, 1)
    assert _money(user) == (98, 0)


def test_a_worker_that_dies_is_followed_by_one_that_goes_on() -> None:
    user = rich_user(100)
    generation = make.generation(user, steps=20, quantity=3)

    class Killed(BaseException):
        """Ends the worker as a signal would: no cleaning up."""

    def die(index: int, step: int) -> None:
        if (index, step) == (1, 2):
            raise Killed

    with pytest.raises(Killed):
        worker.run_next(draws=make.TestEngine(before_step=die))
    assert _state(generation)["status"] == "running"
    assert _money(user) == (94, 6)
    with clock.frozen(clock.now() + dt.timedelta(minutes=1)):
        jobs.sweep()
    assert _state(generation)["status"] == "queued"
    engine = make.TestEngine()
    worker.run_next(draws=engine)
    assert [call["first"] for call in engine.calls] == [1]
    state = _state(generation)
    assert state["status"] == "completed"
    assert [image["seed"] for image in state["images"]] == [100, 101, 102]
    assert _money(user) == (94, 0)


def test_a_stale_worker_changes_nothing() -> None:
    user = rich_user(100)
    generation = make.generation(user, steps=20, quantity=1)
    taken: list[object] = []

    def lose(index: int, step: int) -> None:
        if step == 20:
            with clock.frozen(clock.now() + dt.timedelta(minutes=1)):
                jobs.sweep()
            taken.append(jobs.claim(kind=JobKind.GENERATION, worker="other"))

    worker.run_next(draws=make.TestEngine(before_step=lose))
    assert taken[0] is not None
    state = _state(generation)
    assert (state["status"], state["images"]) == ("running", [])
    assert not Media.objects.filter(owner=user, visibility="private").exists()


def test_what_cannot_be_drawn_fails_and_costs_nothing() -> None:
    user = rich_user(100)
    generation = make.generation(user)
    worker.run_next(draws=make.TestEngine(cannot="These weights do not fit."))
    state = _state(generation)
    assert (state["status"], state["code"], state["problem"]) == (
        "failed",
        "cannot_draw",
        "These weights do not fit.",
    )
    assert _money(user) == (100, 0)


def test_a_fault_is_tried_again_and_then_given_back() -> None:
    user = rich_user(100)
    generation = make.generation(user)

    def break_(index: int, step: int) -> None:
        raise RuntimeError(index, step)

    for status in ("queued", "queued", "failed"):
        worker.run_next(draws=make.TestEngine(before_step=break_))
        assert _state(generation)["status"] == status
    assert _state(generation)["code"] == "broke"
    assert _money(user) == (100, 0)


def test_the_judge_is_asked_again_at_the_start() -> None:
    user = rich_user(100)
    version = catalog.trained(user)
    generation = make.generation(user, resources=(ResourceChoice(str(version.pk), 0.8),))
    likeness.block(ref=Ref("version", version.pk), reason="A person asked.")
    engine = make.TestEngine()
    worker.run_next(draws=engine)
    state = _state(generation)
    assert (state["status"], state["code"], engine.calls) == ("refused", "blocked", [])
    assert _money(user) == (100, 0)


def test_a_picture_that_is_refused_is_not_shown_and_not_paid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user = rich_user(100)
    generation = make.generation(user, steps=20, quantity=2)
    # The judge's facts are what the detectors saw; here they see a minor in the second picture.
    real = worker.media.register_output
    made: list[Media] = []

    def register(**fields: Any) -> Media:
        picture = real(**fields)
        made.append(picture)
        if len(made) == 2:
            picture.scan.minor_signal = True
            picture.scan.sexual = "explicit"
            picture.scan.save()
        return picture

    monkeypatch.setattr(worker.media, "register_output", register)
    worker.run_next(draws=make.TestEngine())
    state = _state(generation)
    assert (state["status"], state["charged"], len(state["images"])) == ("completed", 2, 1)
    assert [(item["index"], item["code"]) for item in state["refused"]] == [(1, "minor_content")]
    assert _money(user) == (98, 0)
    made[1].refresh_from_db()
    assert made[1].visibility == "hidden"
    assert not media.may_open(viewer=user, media=made[1])


def test_all_refused_is_a_refused_generation(monkeypatch: pytest.MonkeyPatch) -> None:
    user = rich_user(100)
    generation = make.generation(user, steps=20, quantity=1)
    likeness_decide = likeness.decide

    def decide(**fields: Any) -> Any:
        if str(fields["action"]) == "generation_release":
            likeness.kill_switch(capability="generation", on=True, actor=None)
        return likeness_decide(**fields)

    monkeypatch.setattr(likeness, "decide", decide)
    worker.run_next(draws=make.TestEngine())
    state = _state(generation)
    assert (state["status"], state["code"], state["charged"]) == ("refused", "stopped", 0)
    assert _money(user) == (100, 0)


def test_a_picture_that_was_taken_down_is_gone_from_the_state() -> None:
    generation = make.generation(quantity=1)
    worker.run_next(draws=make.TestEngine())
    media_id = _state(generation)["images"][0]["media"]
    likeness.block(ref=Ref("media", media_id), reason="A person asked.")
    assert _state(generation)["images"] == []


def test_the_events_server_reads_the_state_and_its_end() -> None:
    generation = make.generation(quantity=1)
    live = queries.live_state(generation.pk)
    assert live is not None
    assert (live["status"], live["final"]) == ("queued", False)
    worker.run_next(draws=make.TestEngine())
    live = queries.live_state(generation.pk)
    assert live is not None
    assert (live["status"], live["final"]) == ("completed", True)
    assert queries.live_state("gen_nothing") is None


def test_other_work_of_the_queue_is_left_alone() -> None:
    make.generation(quantity=1)
    worker.run_next(draws=make.TestEngine())
    assert Job.objects.filter(status="completed").count() == 1
    assert worker.run_next(draws=make.TestEngine()) is False


def test_an_idle_worker_loads_the_engine_and_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    monkeypatch.setattr("atelier.generation.engine.local", lambda: loaded.append("engine"))
    assert job_queries.workers(JobKind.GENERATION) == 0
    tasks.report()
    assert (loaded, job_queries.workers(JobKind.GENERATION)) == (["engine"], 1)
