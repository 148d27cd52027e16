"""The priced lifecycle: order, fencing, and money that is settled once."""

from __future__ import annotations

import datetime as dt

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob
from tests.factories import jobs as make

from atelier.core import clock
from atelier.core.errors import NotOwner, WrongState
from atelier.core.models import OutboxEvent
from atelier.jobs import queries
from atelier.jobs import services as jobs
from atelier.jobs.errors import LeaseLost, TooManyJobs
from atelier.jobs.models import Job, JobKind, JobStatus, Worker
from atelier.ledger import queries as ledger
from atelier.ledger.errors import InsufficientSparks

pytestmark = pytest.mark.django_db
GENERATION = JobKind.GENERATION


def _claim(worker: str = "w1", loaded: tuple[str, ...] = ()) -> jobs.Lease:
    lease = jobs.claim(kind=GENERATION, worker=worker, loaded=loaded)
    assert lease is not None
    return lease


def _money(user: object) -> tuple[int, int]:
    wallet = ledger.wallet(user_id=user.pk)  # type: ignore[attr-defined]
    return wallet.available, wallet.held


def test_submit_holds_the_price_and_gives_a_permit() -> None:
    user = make.rich_user(100)
    job = make.job(user, cost_sparks=8)
    assert (job.status, job.turn, job.units_done, job.captured_sparks) == ("queued", 1, 0, None)
    assert _money(user) == (92, 8)
    assert list(ProcrastinateJob.objects.values_list("task_name", "queue_name")) == [
        ("generation.run", "generation")
    ]


def test_submit_beyond_the_balance_leaves_nothing_behind() -> None:
    user = make.rich_user(7)
    with pytest.raises(InsufficientSparks):
        make.job(user, cost_sparks=8)
    assert _money(user) == (7, 0)
    assert not Job.objects.exists()
    assert not ProcrastinateJob.objects.exists()


def test_somebody_with_enough_waiting_is_told_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(jobs.MAX_LIVE, GENERATION, 2)
    user = make.rich_user(100)
    make.job(user)
    make.job(user)
    with pytest.raises(TooManyJobs) as refusal:
        make.job(user)
    assert refusal.value.retry_after == 30
    assert _money(user) == (84, 16)
    make.job()  # others are not concerned


def test_finished_units_are_paid_and_the_rest_comes_back() -> None:
    user = make.rich_user(100)
    job = make.job(user, cost_sparks=10, units_total=4)
    lease = _claim()
    assert (lease.job_id, lease.owner_id, lease.attempt) == (job.pk, user.pk, 1)
    for _ in range(3):
        jobs.complete_unit(lease=lease)
    done = jobs.finish(lease=lease, outcome=JobStatus.FAILED, problem_code="x", problem="Broke.")
    assert (done.status, done.captured_sparks, done.units_done) == ("failed", 7, 3)
    assert _money(user) == (93, 0)
    assert OutboxEvent.objects.get().topic == "generation.finished"
    assert OutboxEvent.objects.get().payload == {
        "job_id": job.pk,
        "subject_id": job.subject_id,
        "owner_id": user.pk,
        "status": "failed",
    }


def test_finishing_twice_answers_the_first_time() -> None:
    user = make.rich_user(100)
    make.job(user, cost_sparks=8, units_total=1)
    lease = _claim()
    jobs.complete_unit(lease=lease)
    jobs.finish(lease=lease, outcome=JobStatus.COMPLETED)
    again = jobs.finish(lease=lease, outcome=JobStatus.FAILED)
    assert (again.status, again.captured_sparks) == ("completed", 8)
    assert _money(user) == (92, 0)


def test_finish_takes_only_final_outcomes() -> None:
    make.job()
    lease = _claim()
    with pytest.raises(ValueError, match="queued does not end a job"):
        jobs.finish(lease=lease, outcome=JobStatus.QUEUED)


def test_an_empty_queue_has_nothing_to_claim() -> None:
    assert jobs.claim(kind=GENERATION, worker="w1") is None
    make.job()
    assert jobs.claim(kind=JobKind.TRAINING, worker="w1") is None
    _claim()
    assert jobs.claim(kind=GENERATION, worker="w2") is None


def test_people_take_turns() -> None:
    many, few = make.rich_user(), make.rich_user()
    first = [make.job(many).pk for _ in range(4)]
    _claim()  # the first of many runs while few arrives
    second = [make.job(few).pk for _ in range(2)]
    late = make.job(many).pk
    order = [_claim().job_id for _ in range(6)]
    assert order == [first[1], second[0], first[2], second[1], first[3], late]


def test_a_higher_tier_goes_first() -> None:
    user = make.rich_user()
    make.job(user)
    high = make.job(user, tier=1)
    assert _claim().job_id == high.pk


def test_loaded_models_go_first_but_only_so_often() -> None:
    cold = make.job(affinity="a")
    warm = [make.job(affinity="b").pk for _ in range(6)]
    order = [_claim(loaded=("b",)).job_id for _ in range(5)]
    assert order == [*warm[:3], cold.pk, warm[3]]


def test_affinity_looks_ahead_only_a_little() -> None:
    cold = [make.job(affinity="a").pk for _ in range(4)]
    make.job(affinity="b")
    assert _claim(loaded=("b",)).job_id == cold[0]


def test_positions_count_who_is_served_before() -> None:
    many, few = make.rich_user(), make.rich_user()
    jobs_of_many = [make.job(many) for _ in range(3)]
    job_of_few = make.job(few)
    assert [queries.position(job) for job in (*jobs_of_many, job_of_few)] == [1, 3, 4, 2]
    lease = _claim()
    running = Job.objects.get(pk=lease.job_id)
    assert queries.position(running) is None
    assert queries.position(job_of_few) == 1
    assert queries.live_count(GENERATION) == 4
    assert queries.any_live(GENERATION)
    assert not queries.any_live(JobKind.TRAINING)


def test_heartbeat_extends_the_lease_and_publishes_progress() -> None:
    job = make.job()
    now = clock.now()
    with clock.frozen(now):
        lease = _claim()
    with clock.frozen(now + dt.timedelta(seconds=20)):
        assert jobs.heartbeat(lease=lease, progress={"step": 3, "total": 20}) is False
        assert jobs.heartbeat(lease=lease) is False
    job.refresh_from_db()
    assert job.progress == {"step": 3, "total": 20}
    assert job.lease_expires_at == now + dt.timedelta(seconds=50)


def test_a_lost_worker_gives_way_to_the_next() -> None:
    user = make.rich_user(100)
    job = make.job(user)
    now = clock.now()
    with clock.frozen(now):
        lost = _claim("lost")
    with clock.frozen(now + dt.timedelta(seconds=29)):
        assert jobs.sweep() == 0
    with clock.frozen(now + dt.timedelta(seconds=31)):
        assert jobs.sweep() == 1
        job.refresh_from_db()
        assert (job.status, job.lease_token, job.worker_name) == ("queued", "", "")
        assert _money(user) == (92, 8)
        fresh = _claim("fresh")
        assert (fresh.job_id, fresh.attempt) == (job.pk, 2)
        with pytest.raises(LeaseLost):
            jobs.heartbeat(lease=lost)
        with pytest.raises(LeaseLost):
            jobs.complete_unit(lease=lost)
        with pytest.raises(LeaseLost):
            jobs.finish(lease=lost, outcome=JobStatus.COMPLETED)
        with pytest.raises(LeaseLost):
            jobs.release(lease=lost)
        for _ in range(4):
            jobs.complete_unit(lease=fresh)
        jobs.finish(lease=fresh, outcome=JobStatus.COMPLETED)
    assert _money(user) == (92, 0)


def test_three_lost_workers_end_a_job_and_give_the_rest_back() -> None:
    user = make.rich_user(100)
    job = make.job(user)
    now = clock.now()
    for attempt in range(3):
        with clock.frozen(now + dt.timedelta(minutes=attempt)):
            lease = _claim()
            if attempt == 0:
                jobs.complete_unit(lease=lease)
        with clock.frozen(now + dt.timedelta(minutes=attempt, seconds=45)):
            assert jobs.sweep() == 1
    job.refresh_from_db()
    assert (job.status, job.problem_code, job.captured_sparks) == ("failed", "worker_lost", 2)
    assert _money(user) == (98, 0)


def test_progress_starts_the_count_of_attempts_again() -> None:
    make.job()
    now = clock.now()
    for attempt in range(4):
        with clock.frozen(now + dt.timedelta(minutes=attempt)):
            jobs.complete_unit(lease=_claim())
        with clock.frozen(now + dt.timedelta(minutes=attempt, seconds=45)):
            jobs.sweep()
    assert Job.objects.get().status == "queued"


def test_a_worker_that_stops_gives_its_job_back_unharmed() -> None:
    job = make.job()
    jobs.release(lease=_claim())
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("queued", 0)
    assert _claim().job_id == job.pk


def test_sweep_gives_permits_to_jobs_without_one() -> None:
    make.job()
    ProcrastinateJob.objects.all().delete()
    jobs.sweep()
    jobs.sweep()
    assert ProcrastinateJob.objects.count() == 1


def test_cancelling_what_waits_gives_everything_back() -> None:
    user = make.rich_user(100)
    job = make.job(user)
    cancelled = jobs.cancel(job_id=job.pk, actor=user)
    assert (cancelled.status, cancelled.captured_sparks) == ("cancelled", 0)
    assert _money(user) == (100, 0)
    assert jobs.cancel(job_id=job.pk, actor=user).status == "cancelled"
    assert jobs.claim(kind=GENERATION, worker="w1") is None


def test_cancelling_what_runs_asks_the_worker() -> None:
    user = make.rich_user(100)
    job = make.job(user)
    lease = _claim()
    jobs.complete_unit(lease=lease)
    assert jobs.cancel(job_id=job.pk, actor=user).status == "running"
    assert jobs.heartbeat(lease=lease) is True
    done = jobs.finish(lease=lease, outcome=JobStatus.CANCELLED)
    assert done.captured_sparks == 2
    assert _money(user) == (98, 0)


def test_cancelling_what_a_lost_worker_held_ends_it_at_the_sweep() -> None:
    user = make.rich_user(100)
    job = make.job(user)
    _claim()
    jobs.cancel(job_id=job.pk, actor=user)
    with clock.frozen(clock.now() + dt.timedelta(minutes=1)):
        jobs.sweep()
    job.refresh_from_db()
    assert (job.status, job.captured_sparks) == ("cancelled", 0)
    assert _money(user) == (100, 0)


def test_only_the_owner_cancels() -> None:
    user = make.rich_user(100)
    job = make.job(user)
    with pytest.raises(NotOwner):
        jobs.cancel(job_id=job.pk, actor=make.rich_user())
    job.refresh_from_db()
    assert (job.status, job.cancel_requested_at) == ("queued", None)
    assert _money(user) == (92, 8)


def test_what_ended_cannot_be_cancelled() -> None:
    user = make.rich_user(100)
    job = make.job(user, units_total=1)
    lease = _claim()
    jobs.complete_unit(lease=lease)
    jobs.finish(lease=lease, outcome=JobStatus.COMPLETED)
    with pytest.raises(WrongState, match="completed already"):
        jobs.cancel(job_id=job.pk, actor=user)
    assert _money(user) == (92, 0)


def test_workers_report_what_they_have_loaded() -> None:
    jobs.check_in(kind=GENERATION, worker="w1", loaded=["a"])
    jobs.check_in(kind=GENERATION, worker="w1", loaded=["b"])
    assert Worker.objects.get().loaded == ["b"]
    assert queries.workers(GENERATION) == 1
    with clock.frozen(clock.now() + dt.timedelta(minutes=1)):
        assert queries.workers(GENERATION) == 0
