"""Refusals of the work queue."""

from __future__ import annotations

from atelier.core.errors import DomainError


class LeaseLost(DomainError):
    """The job was given to another worker, or ended; this one's reports count for nothing."""

    code = "lease_lost"
    title = "This job is no longer yours"
    status = 409


class TooManyJobs(DomainError):
    """One person may have only so many jobs waiting."""

    code = "rate_limited"
    title = "You have enough waiting"
    status = 429
