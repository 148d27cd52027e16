"""The priced lifecycle: submit, claim, report, finish, cancel, and sweep after lost workers.

Sparks are held when a job is submitted and settled exactly once when it ends: what the finished
units cost goes to the site, the rest back to the owner in the kinds that were taken. A job is
worked on under a lease; its token is asked for with every report, so that a worker that was given
up for lost cannot change anything any more. Locks: the job first, then the ledger's accounts.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import F

from atelier.core import clock, events, outbox
from atelier.core.db import locking
from atelier.core.errors import NotFound, NotOwner, WrongState
from atelier.core.ids import new_id
from atelier.jobs import permits, turns
from atelier.jobs.errors import LeaseLost, TooManyJobs
from atelier.jobs.models import LIVE, Job, JobKind, JobStatus, Worker
from atelier.ledger import services as ledger

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet

    from atelier.accounts.models import User

LEASE = dt.timedelta(seconds=30)
BEAT_SECONDS = 6.0
MAX_ATTEMPTS = 3
MAX_LIVE = {JobKind.GENERATION: 200, JobKind.TRAINING: 10}
# Everybody behind moved up by one; the front of the queue is told at once.
TOLD_OF_MOVE = 20
WORKER_LOST = "worker_lost"
BROKE = "broke"
OUTCOMES = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.REFUSED)


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's right to one job; ``token`` goes with every report."""

    job_id: str
    token: str
    kind: str
    subject_id: str
    owner_id: int
    attempt: int


def submit(
    *,
    kind: JobKind,
    owner: User,
    subject_id: str,
    title: str,
    cost_sparks: int,
    units_total: int,
    tier: int = 0,
    affinity: str = "",
) -> Job:
    """Hold the price and queue the work.

    Raises ``InsufficientSparks`` of the ledger, and :class:`TooManyJobs` for somebody who has
    enough waiting.
    """
    with locking():
        job_id = new_id("job")
        # Holding locks the owner's wallet, so that turns and limits below are taken one by one.
        hold_id = ledger.place_hold(
            user_id=owner.pk,
            amount=cost_sparks,
            reason=title,
            business_key=f"job:{job_id}:hold",
            subject=ledger.Subject(kind, subject_id),
        )
        if Job.objects.filter(owner=owner, kind=kind, status__in=LIVE).count() >= MAX_LIVE[kind]:
            raise TooManyJobs(
                f"You have {MAX_LIVE[kind]} {kind} jobs waiting. Let some finish or cancel them.",
                retry_after=30,
            )
        job = Job.objects.create(
            id=job_id,
            kind=kind,
            owner=owner,
            subject_id=subject_id,
            title=title,
            tier=tier,
            turn=turns.next_turn(kind=kind, owner_id=owner.pk),
            affinity=affinity,
            cost_sparks=cost_sparks,
            hold_id=hold_id,
            units_total=units_total,
        )
        permits.give(kind)
    return job


def check_in(*, kind: JobKind, worker: str, loaded: Collection[str] = ()) -> None:
    """Note that a worker lives and which models it has in memory."""
    now = clock.now()
    Worker.objects.update_or_create(
        name=worker,
        defaults={"kind": kind, "loaded": list(loaded), "seen_at": now},
        create_defaults={"kind": kind, "loaded": list(loaded), "seen_at": now, "started_at": now},
    )


def claim(*, kind: JobKind, worker: str, loaded: Collection[str] = ()) -> Lease | None:
    """Take the next job of a kind, or ``None`` when nothing waits that is free."""
    with locking():
        job = turns.choose(kind=kind, loaded=loaded)
        if job is None:
            return None
        now = clock.now()
        job.status = JobStatus.RUNNING
        job.attempts += 1
        job.lease_token = new_id("lse")
        job.lease_expires_at = now + LEASE
        job.worker_name = worker
        job.started_at = job.started_at or now
        job.save(
            update_fields=[
                "status", "attempts", "lease_token", "lease_expires_at", "worker_name",
                "started_at",
            ]
        )  # fmt: skip
        events.notify(job.channel)
        _tell_waiting(kind)
    return Lease(job.pk, job.lease_token, job.kind, job.subject_id, job.owner_id, job.attempts)


def heartbeat(*, lease: Lease, progress: dict[str, Any] | None = None) -> bool:
    """Extend the lease, and publish progress if given; true when the owner asked to cancel.

    Raises :class:`LeaseLost` when the job is no longer this worker's.
    """
    changes: dict[str, Any] = {"lease_expires_at": clock.now() + LEASE}
    if progress is not None:
        changes["progress"] = progress
    if not _mine(lease).update(**changes):
        raise LeaseLost("The lease of this job ended.")
    if progress is not None:
        events.notify(f"{lease.kind}:{lease.subject_id}")
    return _mine(lease).filter(cancel_requested_at__isnull=False).exists()


def complete_unit(*, lease: Lease) -> Job:
    """Count one finished unit, which the owner pays.

    For use in the transaction that stores what the unit made, before its other writes. Raises
    :class:`LeaseLost`.
    """
    with locking():
        job = _lock_mine(lease)
        job.units_done = F("units_done") + 1
        job.attempts = 1
        job.save(update_fields=["units_done", "attempts"])
        events.notify(job.channel)
        job.refresh_from_db(fields=["units_done"])
    return job


def finish(*, lease: Lease, outcome: JobStatus, problem_code: str = "", problem: str = "") -> Job:
    """End a job and settle its Sparks; a repeated call gets the first answer.

    Raises :class:`LeaseLost` when the job is no longer this worker's.
    """
    if outcome not in OUTCOMES:
        message = f"{outcome} does not end a job"
        raise ValueError(message)
    with locking():
        job = _lock(lease.job_id)
        if job.lease_token != lease.token:
            raise LeaseLost("The lease of this job ended.")
        if job.is_final:
            return job
        _end(job, outcome, problem_code=problem_code, problem=problem)
    return job


def release(*, lease: Lease) -> Job:
    """Put a running job back in its place in the queue, as a worker that stops does.

    The start does not count as an attempt. Raises :class:`LeaseLost`.
    """
    with locking():
        job = _lock_mine(lease)
        job.attempts -= 1
        _requeue(job)
    return job


def retry(*, lease: Lease, problem: str) -> Job:
    """Put a job back whose run broke for a reason that may pass; the third time it fails.

    Raises :class:`LeaseLost`.
    """
    with locking():
        job = _lock_mine(lease)
        if job.cancel_requested_at is not None:
            _end(job, JobStatus.CANCELLED)
        elif job.attempts >= MAX_ATTEMPTS:
            _end(job, JobStatus.FAILED, problem_code=BROKE, problem=problem)
        else:
            _requeue(job)
    return job


def cancel(*, job_id: str, actor: User) -> Job:
    """Cancel a job: at once while it waits, at the worker's next step while it runs.

    What was finished until then is kept and paid. Cancelling twice is cancelling once. Raises
    :class:`NotOwner`, and :class:`WrongState` for a job that ended otherwise.
    """
    with locking():
        job = _lock(job_id)
        if job.owner_id != actor.pk:
            raise NotOwner("Only the owner can cancel this.")
        if job.status == JobStatus.CANCELLED:
            return job
        if job.is_final:
            raise WrongState(f"This is {job.status} already and can no longer be cancelled.")
        job.cancel_requested_at = job.cancel_requested_at or clock.now()
        job.save(update_fields=["cancel_requested_at"])
        if job.status == JobStatus.QUEUED:
            _end(job, JobStatus.CANCELLED)
        else:
            events.notify(job.channel)
    return job


def sweep() -> int:
    """Deal with jobs whose worker was lost; answers how many there were.

    They go back to their place in the queue, or end after ``MAX_ATTEMPTS`` starts without a
    finished unit. Each is settled in a transaction of its own.
    """
    swept = 0
    while True:
        with locking():
            job = (
                Job.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
                .filter(status=JobStatus.RUNNING, lease_expires_at__lt=clock.now())
                .order_by("id")
                .first()
            )
            if job is None:
                break
            if job.cancel_requested_at is not None:
                _end(job, JobStatus.CANCELLED)
            elif job.attempts >= MAX_ATTEMPTS:
                _end(
                    job,
                    JobStatus.FAILED,
                    problem_code=WORKER_LOST,
                    problem="The worker stopped in the middle three times. Sparks for what was "
                    "not finished were given back.",
                )
            else:
                _requeue(job)
        swept += 1
    for kind in Job.objects.filter(status=JobStatus.QUEUED).values_list("kind").distinct():
        permits.ensure(kind[0])
    return swept


def _mine(lease: Lease) -> QuerySet[Job]:
    return Job.objects.filter(pk=lease.job_id, lease_token=lease.token, status=JobStatus.RUNNING)


def _lock(job_id: str) -> Job:
    job = Job.objects.select_for_update(of=("self",), no_key=True).filter(pk=job_id).first()
    if job is None:
        raise NotFound("There is no such job.")
    return job


def _lock_mine(lease: Lease) -> Job:
    job = _lock(lease.job_id)
    if job.lease_token != lease.token or job.status != JobStatus.RUNNING:
        raise LeaseLost("The lease of this job ended.")
    return job


def _requeue(job: Job) -> None:
    job.status = JobStatus.QUEUED
    job.lease_token = ""
    job.lease_expires_at = None
    job.worker_name = ""
    job.progress = {}
    job.save(
        update_fields=[
            "status", "lease_token", "lease_expires_at", "worker_name", "attempts", "progress",
        ]
    )  # fmt: skip
    permits.give(job.kind)
    events.notify(job.channel)


def _end(job: Job, outcome: JobStatus, *, problem_code: str = "", problem: str = "") -> None:
    was_queued = job.status == JobStatus.QUEUED
    captured = job.earned_sparks
    ledger.settle_hold(
        hold_id=job.hold_id,
        capture=captured,
        reason=job.title,
        business_key=f"job:{job.pk}:settle",
    )
    job.status = outcome
    job.captured_sparks = captured
    job.lease_expires_at = None
    job.finished_at = clock.now()
    job.problem_code = problem_code
    job.problem = problem
    job.save(
        update_fields=[
            "status", "captured_sparks", "lease_expires_at", "finished_at", "problem_code",
            "problem",
        ]
    )  # fmt: skip
    outbox.publish(
        f"{job.kind}.finished",
        {
            "job_id": job.pk,
            "subject_id": job.subject_id,
            "owner_id": job.owner_id,
            "status": str(outcome),
        },
    )
    events.notify(job.channel)
    if was_queued:
        _tell_waiting(job.kind)


def _tell_waiting(kind: str) -> None:
    channels = [
        f"{kind}:{subject}"
        for subject in turns.waiting(kind).values_list("subject_id", flat=True)[:TOLD_OF_MOVE]
    ]
    if channels:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_notify(%s, channel) FROM unnest(%s::text[]) AS channel",
                [events.PG_CHANNEL, channels],
            )
