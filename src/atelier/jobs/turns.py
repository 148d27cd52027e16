"""The order of the queue: tier, then round robin by person, then a little for what is loaded.

Each job gets a turn when it is submitted: one more than the owner's last live turn, and at least
one more than the turn that was served last. So a person's tenth job waits behind everybody's first,
a newcomer starts beside those who are served now, and both the next job and a position in the queue
are one range of an index (start-time fair queueing with jobs of equal weight).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Max, Q

from atelier.jobs.models import LIVE, Job, JobStatus

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet

LOOK_AHEAD = 4
MOST_PASSED_OVER = 3


def next_turn(*, kind: str, owner_id: int) -> int:
    """The turn of a job that this person submits now."""
    served = (
        Job.objects.filter(kind=kind, started_at__isnull=False)
        .order_by("-started_at")
        .values_list("turn", flat=True)
        .first()
    ) or 0
    own = (
        Job.objects.filter(kind=kind, owner_id=owner_id, status__in=LIVE).aggregate(
            last=Max("turn")
        )["last"]
        or 0
    )
    return max(served, own) + 1


def waiting(kind: str) -> QuerySet[Job]:
    """Queued jobs of a kind in the order in which they are served."""
    return Job.objects.filter(kind=kind, status=JobStatus.QUEUED).order_by("-tier", "turn", "id")


def ahead_of(job: Job) -> QuerySet[Job]:
    """Queued jobs that are served before this one."""
    return Job.objects.filter(
        Q(tier__gt=job.tier)
        | Q(tier=job.tier, turn__lt=job.turn)
        | Q(tier=job.tier, turn=job.turn, id__lt=job.id),
        kind=job.kind,
        status=JobStatus.QUEUED,
    )


def choose(*, kind: str, loaded: Collection[str]) -> Job | None:
    """Lock and answer the job to run next.

    Jobs that another transaction holds are skipped, so workers never wait for each other. A job
    whose models the worker has in memory may overtake a few others, each of them only so many
    times. For use inside a transaction.
    """
    candidates = list(
        waiting(kind).select_for_update(of=("self",), skip_locked=True, no_key=True)[
            : LOOK_AHEAD if loaded else 1
        ]
    )
    if not candidates:
        return None
    first = candidates[0]
    for place, job in enumerate(candidates):
        overtaken = candidates[:place]
        if job.tier != first.tier or any(
            other.passed_over >= MOST_PASSED_OVER for other in overtaken
        ):
            break
        if job.affinity in loaded:
            for other in overtaken:
                other.passed_over += 1
            Job.objects.bulk_update(overtaken, ["passed_over"])
            return job
    return first
