"""What was reported and decided, in numbers that anybody may read."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count

from atelier.likeness import queries as likeness
from atelier.moderation.models import ActionKind, ModerationDecision, Report, ReportReason

# Counting reads whole tables, so a busy page must not do it each time.
KEEP_SECONDS = 600
KEY = "transparency"


@dataclass(frozen=True, slots=True)
class Group:
    """One table of the page."""

    title: str
    rows: list[tuple[str, int]]


def numbers() -> list[Group]:
    """All tables, at most ten minutes old."""
    known: list[Group] | None = cache.get(KEY)
    if known is None:
        known = [_reports(), _decisions(), _likeness()]
        cache.set(KEY, known, KEEP_SECONDS)
    return known


def _reports() -> Group:
    found = Report.objects.values_list("reason").annotate(n=Count("id")).order_by("-n")
    return Group("Reports", [(ReportReason(reason).label, count) for reason, count in found])


def _decisions() -> Group:
    found = ModerationDecision.objects.values_list("action").annotate(n=Count("id")).order_by("-n")
    return Group("Decisions by staff", [(ActionKind(kind).label, n) for kind, n in found])


def _likeness() -> Group:
    said = {"allow": "allowed", "hold": "held for a person", "deny": "refused"}
    rows = [
        (f"{action.replace('_', ' ').capitalize()}: {said.get(outcome, outcome)}", count)
        for action, outcome, count in likeness.outcome_counts()
    ]
    return Group("Likeness decisions", rows)
