"""Reading the queue."""

from __future__ import annotations

import datetime as dt

from atelier.core import clock
from atelier.jobs import turns
from atelier.jobs.models import LIVE, Job, JobStatus, Worker

WORKER_FRESH = dt.timedelta(seconds=45)


def position(job: Job) -> int | None:
    """Its place among the queued jobs, 1 for the next, or ``None`` when it does not wait."""
    if job.status != JobStatus.QUEUED:
        return None
    return turns.ahead_of(job).count() + 1


def live_count(kind: str) -> int:
    """Jobs of a kind that wait or run."""
    return Job.objects.filter(kind=kind, status__in=LIVE).count()


def any_live(kind: str) -> bool:
    """Whether somebody waits for a job of this kind, or one runs."""
    return Job.objects.filter(kind=kind, status__in=LIVE).exists()


def workers(kind: str) -> int:
    """Workers of a kind that reported lately."""
    return Worker.objects.filter(kind=kind, seen_at__gt=clock.now() - WORKER_FRESH).count()
