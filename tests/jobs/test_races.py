"""Real threads at the same job."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from tests.factories import jobs as make

from atelier.core.errors import DomainError
from atelier.jobs import keeper
from atelier.jobs import services as jobs
from atelier.jobs.errors import LeaseLost
from atelier.jobs.models import Job, JobKind, JobStatus
from atelier.ledger import queries as ledger

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db(transaction=True)


def together(*actions: Callable[[], Any]) -> list[Any]:
    """Run all at the same moment; a refusal is an answer too."""
    barrier = threading.Barrier(len(actions))
    answers: list[Any] = [None] * len(actions)

    def run(index: int, action: Callable[[], Any]) -> None:
        try:
            barrier.wait()
            answers[index] = action()
        except DomainError as refusal:
            answers[index] = refusal
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_workers_never_share_a_job() -> None:
    owner = make.rich_user()
    expected = {make.job(owner).pk for _ in range(6)}

    def work() -> list[str]:
        taken = []
        while lease := jobs.claim(kind=JobKind.GENERATION, worker="w"):
            taken.append(lease.job_id)
        return taken

    answers = together(work, work, work, work)
    taken = [job for answer in answers for job in answer]
    assert len(taken) == len(set(taken))
    # Skipping what another worker holds may leave a job for a permit to come, never lose it.
    left = set(Job.objects.filter(status="queued").values_list("pk", flat=True))
    assert set(taken) | left == expected
    assert not set(taken) & left


@pytest.mark.parametrize("round_", range(4))
def test_cancel_against_finish_settles_once(round_: int) -> None:
    owner = make.rich_user(100)
    job = make.job(owner, cost_sparks=8, units_total=4)
    lease = jobs.claim(kind=JobKind.GENERATION, worker="w")
    assert lease is not None
    for _ in range(round_):
        jobs.complete_unit(lease=lease)
    together(
        lambda: jobs.cancel(job_id=job.pk, actor=owner),
        lambda: jobs.finish(lease=lease, outcome=JobStatus.COMPLETED),
        lambda: jobs.finish(lease=lease, outcome=JobStatus.COMPLETED),
    )
    job.refresh_from_db()
    assert (job.status, job.captured_sparks) == ("completed", 2 * round_)
    wallet = ledger.wallet(user_id=owner.pk)
    assert (wallet.available, wallet.held) == (100 - 2 * round_, 0)
    assert ledger.verify().ok


@pytest.mark.parametrize("round_", range(4))
def test_cancel_against_claim_ends_one_way(round_: int) -> None:
    owner = make.rich_user(100)
    job = make.job(owner)
    cancelled, lease = together(
        lambda: jobs.cancel(job_id=job.pk, actor=owner),
        lambda: jobs.claim(kind=JobKind.GENERATION, worker="w"),
    )
    job.refresh_from_db()
    assert not isinstance(cancelled, DomainError)
    if lease is None:
        assert job.status == "cancelled"
    else:
        assert (job.status, job.cancel_requested_at is not None) == ("running", True)
        assert jobs.heartbeat(lease=lease) is True
        jobs.finish(lease=lease, outcome=JobStatus.CANCELLED)
    wallet = ledger.wallet(user_id=owner.pk)
    assert (wallet.available, wallet.held) == (100, 0)


def test_double_cancel_gives_back_once() -> None:
    owner = make.rich_user(100)
    job = make.job(owner)
    answers = together(*[lambda: jobs.cancel(job_id=job.pk, actor=owner)] * 4)
    assert [answer.status for answer in answers] == ["cancelled"] * 4
    assert ledger.wallet(user_id=owner.pk).available == 100
    assert ledger.verify().ok


def test_one_balance_pays_for_what_it_can() -> None:
    owner = make.rich_user(20)
    answers = together(*[lambda: make.job(owner, cost_sparks=8)] * 6)
    assert sum(isinstance(answer, Job) for answer in answers) == 2
    assert sorted(Job.objects.values_list("turn", flat=True)) == [1, 2]
    wallet = ledger.wallet(user_id=owner.pk)
    assert (wallet.available, wallet.held) == (4, 16)


def test_keeper_hears_of_cancelling_and_of_losing() -> None:
    owner = make.rich_user(100)
    job = make.job(owner)
    lease = jobs.claim(kind=JobKind.GENERATION, worker="w")
    assert lease is not None
    with keeper.keeping(lease, every=0.01) as kept:
        jobs.cancel(job_id=job.pk, actor=owner)
        assert kept.cancelled.wait(10)
        assert kept.should_stop
        jobs.release(lease=lease)
        assert kept.lost.wait(10)
    with pytest.raises(LeaseLost):
        jobs.finish(lease=lease, outcome=JobStatus.COMPLETED)
