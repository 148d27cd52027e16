"""Whatever happens in whatever order: money is conserved and a job has one live lease."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.factories import jobs as make
from typing_extensions import override

from atelier.core import clock
from atelier.core.errors import DomainError
from atelier.jobs import services as jobs
from atelier.jobs.models import FINAL, Job, JobKind, JobStatus
from atelier.ledger import queries as ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

START = 300


@contextmanager
def only(code: str) -> Iterator[None]:
    """Allow this refusal and no other."""
    try:
        yield
    except DomainError as refusal:
        if refusal.code != code:
            raise


class JobMachine(RuleBasedStateMachine):
    """Two people submit and cancel; workers claim, work, die, come back late and finish twice."""

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.people = [make.rich_user(START), make.rich_user(START)]
        self.leases: list[jobs.Lease] = []
        self.now = clock.now()
        self.captured: dict[str, int] = {}

    @override
    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    @rule(who=st.integers(0, 1), cost=st.integers(1, 60), units=st.integers(1, 5))
    def submit(self, who: int, cost: int, units: int) -> None:
        with clock.frozen(self.now), only("insufficient_sparks"):
            make.job(self.people[who], cost_sparks=cost, units_total=units)

    @rule()
    def claim(self) -> None:
        with clock.frozen(self.now):
            lease = jobs.claim(kind=JobKind.GENERATION, worker="w")
        if lease is not None:
            self.leases.append(lease)

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), action=st.sampled_from(["beat", "unit", "finish", "release"]))
    def report(self, data: st.DataObject, action: str) -> None:
        """Any lease ever given may report, live or long lost."""
        lease = data.draw(st.sampled_from(self.leases))
        with clock.frozen(self.now), only("lease_lost"):
            if action == "beat":
                jobs.heartbeat(lease=lease, progress={"step": 1})
            elif action == "unit":
                job = Job.objects.get(pk=lease.job_id)
                if job.units_done < job.units_total:
                    jobs.complete_unit(lease=lease)
            elif action == "release":
                jobs.release(lease=lease)
            else:
                outcome = data.draw(st.sampled_from(FINAL))
                jobs.finish(lease=lease, outcome=JobStatus(outcome))

    @precondition(lambda self: Job.objects.exists())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(list(Job.objects.order_by("id"))))
        with clock.frozen(self.now), only("wrong_state"):
            jobs.cancel(job_id=job.pk, actor=job.owner)

    @rule(seconds=st.sampled_from([1, 20, 40]))
    def time_passes(self, seconds: int) -> None:
        self.now += dt.timedelta(seconds=seconds)
        with clock.frozen(self.now):
            jobs.sweep()

    @invariant()
    def money_is_conserved(self) -> None:
        for person in self.people:
            own = Job.objects.filter(owner=person)
            paid = sum(job.captured_sparks or 0 for job in own)
            held = sum(job.cost_sparks for job in own if not job.is_final)
            wallet = ledger.wallet(user_id=person.pk)
            assert (wallet.available, wallet.held) == (START - paid - held, held)

    @invariant()
    def what_is_settled_stays(self) -> None:
        for job in Job.objects.filter(status__in=FINAL):
            assert job.captured_sparks == job.cost_sparks * job.units_done // job.units_total
            assert self.captured.setdefault(job.pk, job.captured_sparks) == job.captured_sparks

    @invariant()
    def at_most_one_lease_lives(self) -> None:
        tokens = {lease.token for lease in self.leases}
        running = Job.objects.filter(status=JobStatus.RUNNING)
        assert all(job.lease_token in tokens for job in running)
        for job in Job.objects.exclude(status=JobStatus.RUNNING):
            assert job.lease_expires_at is None


@pytest.mark.django_db
def test_machine() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        JobMachine,
        settings=settings(max_examples=15, stateful_step_count=30, deadline=None),
    )
    assert ledger.verify().ok
