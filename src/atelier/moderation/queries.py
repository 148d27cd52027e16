"""What waits for staff, and what the people concerned may read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Case, Count, IntegerField, Max, Min, Value, When
from django.utils.crypto import constant_time_compare

from atelier.bounties.models import Bounty, Entry
from atelier.catalog.models import ModelVersion
from atelier.core.errors import NotFound
from atelier.core.pagination import Page, paginate
from atelier.moderation import targets
from atelier.moderation.models import (
    URGENT,
    ModerationDecision,
    Report,
    ReportReason,
    ReportStatus,
    StatementOfReasons,
)

if TYPE_CHECKING:
    import datetime as dt

    from django.db.models import QuerySet

    from atelier.accounts.models import User
    from atelier.moderation.targets import Target

QUEUE_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing in the queue: why it waits, since when, and how many reported it."""

    kind: str
    id: str
    why: str
    since: dt.datetime
    reports: int = 0
    urgent: bool = False

    @property
    def word(self) -> str:
        """What the thing is called."""
        return targets.WORDS[self.kind]


def queue(*, only: str = "") -> list[Waiting]:
    """What waits for a person: urgent reports first, then everything by age."""
    parts = {
        "reports": _reported,
        "bounties": _screened_bounties,
        "entries": _screened_entries,
        "weights": _quarantined,
        "appeals": _appealed,
    }
    found = [row for name, part in parts.items() if not only or only == name for row in part()]
    return sorted(found, key=lambda row: (not row.urgent, row.since))[:QUEUE_LIMIT]


def counts() -> dict[str, int]:
    """How much waits, by part."""
    return {
        "reports": Report.objects.filter(status=ReportStatus.OPEN)
        .values("target_kind", "target_id")
        .distinct()
        .count(),
        "bounties": Bounty.objects.filter(status="screening").count(),
        "entries": Entry.objects.filter(status="screening").count(),
        "weights": _waiting_versions().count(),
        "appeals": _appeals().count(),
    }


def _reported() -> list[Waiting]:
    urgent = Case(
        When(reason__in=URGENT, then=Value(1)), default=Value(0), output_field=IntegerField()
    )
    rows = (
        Report.objects.filter(status=ReportStatus.OPEN)
        .values("target_kind", "target_id")
        .annotate(
            first=Min("created_at"), number=Count("pk"), urgent=Max(urgent), reason=Min("reason")
        )
        .order_by("-urgent", "first")[:QUEUE_LIMIT]
    )
    return [
        Waiting(
            kind=row["target_kind"],
            id=row["target_id"],
            why=str(ReportReason(row["reason"]).label),
            since=row["first"],
            reports=row["number"],
            urgent=bool(row["urgent"]),
        )
        for row in rows
    ]


def _screened_bounties() -> list[Waiting]:
    rows = Bounty.objects.filter(status="screening").order_by("created_at")[:QUEUE_LIMIT]
    return [Waiting("bounty", row.pk, "May be about a real person", row.created_at) for row in rows]


def _screened_entries() -> list[Waiting]:
    rows = Entry.objects.filter(status="screening").order_by("created_at")[:QUEUE_LIMIT]
    return [Waiting("entry", row.pk, "Held for a look", row.created_at) for row in rows]


def _quarantined() -> list[Waiting]:
    rows = _waiting_versions().order_by("created_at")[:QUEUE_LIMIT]
    return [
        Waiting("version", str(row.pk), "Weights from elsewhere", row.created_at) for row in rows
    ]


def _appealed() -> list[Waiting]:
    rows = _appeals().select_related("decision").order_by("appealed_at")[:QUEUE_LIMIT]
    return [
        Waiting(
            row.decision.target_kind,
            row.decision.target_id,
            "Asks for another look",
            row.appealed_at or row.created_at,
        )
        for row in rows
    ]


def _appeals() -> QuerySet[StatementOfReasons]:
    return StatementOfReasons.objects.filter(
        appealed_at__isnull=False, appeal_answered_at__isnull=True
    )


def open_appeals(*, target: Target) -> list[StatementOfReasons]:
    """Requests for another look at decisions on a thing, oldest first."""
    return list(
        _appeals()
        .select_related("decision", "decision__actor")
        .filter(decision__target_kind=target.kind, decision__target_id=target.id)
        .order_by("appealed_at")
    )


def _waiting_versions() -> QuerySet[ModelVersion]:
    return ModelVersion.objects.filter(clearance="quarantined", files__isnull=False).distinct()


def open_reports(*, target: Target) -> list[Report]:
    """The open reports of a thing, oldest first."""
    return list(
        Report.objects.select_related("reporter")
        .filter(target_kind=target.kind, target_id=target.id, status=ReportStatus.OPEN)
        .order_by("id")
    )


def decisions_on(*, target: Target) -> list[ModerationDecision]:
    """What staff decided about a thing before, newest first."""
    return list(
        ModerationDecision.objects.select_related("actor")
        .filter(target_kind=target.kind, target_id=target.id)
        .order_by("-id")[:20]
    )


def decisions(*, after: str | None = None, limit: int | None = None) -> Page[ModerationDecision]:
    """Everything staff decided, newest first."""
    rows = ModerationDecision.objects.select_related("actor", "target_owner")
    return paginate(rows, order=("-id",), after=after, limit=limit)


def reports_of(
    *, reporter: User, after: str | None = None, limit: int | None = None
) -> Page[Report]:
    """A person's own reports, newest first."""
    return paginate(
        Report.objects.filter(reporter=reporter), order=("-id",), after=after, limit=limit
    )


def report_for(*, report_id: str, viewer: User | None, secret: str = "") -> Report:
    """A report, for whoever made it: signed in, or with its secret. Staff see all."""
    row = Report.objects.select_related("decision").filter(pk=report_id).first()
    if row is not None and _may_read(row.reporter_id, row.secret, viewer, secret):
        return row
    raise NotFound("There is no such case.")


def statement_for(
    *, statement_id: str, viewer: User | None, secret: str = ""
) -> StatementOfReasons:
    """A statement of reasons, for the person concerned: signed in, or with its secret."""
    row = StatementOfReasons.objects.select_related("decision").filter(pk=statement_id).first()
    if row is not None and _may_read(row.recipient_id, row.secret, viewer, secret):
        return row
    raise NotFound("There is no such case.")


def _may_read(owner_id: int | None, own_secret: str, viewer: User | None, secret: str) -> bool:
    if viewer is not None and (viewer.is_staff or viewer.pk == owner_id):
        return True
    return bool(secret) and constant_time_compare(secret, own_secret)
