"""Jobs for tests, made through the services."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from tests.factories import accounts

from atelier.jobs import services as jobs
from atelier.jobs.models import Job, JobKind
from atelier.ledger import services as ledger

if TYPE_CHECKING:
    import pytest

    from atelier.accounts.models import User

_numbers = itertools.count(1)


def without_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests inside a transaction, which the keeper's own connection cannot see into."""
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 3600.0)


def rich_user(sparks: int = 1000, username: str = "") -> User:
    """Somebody with Sparks."""
    user = accounts.user(username)
    if sparks:
        ledger.credit(
            user_id=user.pk,
            amount=sparks,
            kind="earned",
            reason="For tests",
            business_key=f"test:{user.pk}:{next(_numbers)}",
        )
    return user


def job(owner: User | None = None, **fields: Any) -> Job:
    """A queued generation of four units for eight Sparks."""
    values: dict[str, Any] = {
        "kind": JobKind.GENERATION,
        "subject_id": f"gen_{next(_numbers)}",
        "title": "Generation of 4 pictures",
        "cost_sparks": 8,
        "units_total": 4,
        **fields,
    }
    return jobs.submit(owner=owner or rich_user(), **values)
