"""What other domains may ask: what is blocked, what is stopped, what was decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Count

from atelier.core.errors import NotFound
from atelier.likeness.models import Blocked, Decision, DetectedClass, Lineage, Resource, Switch
from atelier.likeness.refs import INTEGER_KINDS, KINDS, Ref
from atelier.media import queries as media_queries

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from atelier.accounts.models import User
    from atelier.media.models import Media

CAPABILITIES = ("likeness", "uploads", "training", "generation", "mature")


def blocked_ids(kind: str) -> QuerySet[Any, Any]:
    """Ids of blocked things of a kind, as a subquery of that kind's own key type."""
    if kind not in KINDS:
        message = f"no such kind of thing: {kind}"
        raise ValueError(message)
    rows = Blocked.objects.filter(kind=kind)
    if kind in INTEGER_KINDS:
        return rows.filter(number__isnull=False).values("number")
    return rows.values("ref")


def is_blocked(ref: Ref) -> bool:
    """Whether nobody may see or use this."""
    return Blocked.objects.filter(kind=ref.kind, ref=ref.id).exists()


def detected_class(ref: Ref) -> str:
    """What a resource was found to show; an unknown one counts as not examined."""
    found = (
        Resource.objects.filter(kind=ref.kind, ref=ref.id)
        .values_list("detected_class", flat=True)
        .first()
    )
    return found or DetectedClass.UNSCANNED


def parents(ref: Ref) -> list[Ref]:
    """What a thing was directly made from."""
    rows = Lineage.objects.filter(child_kind=ref.kind, child_ref=ref.id)
    return [Ref(kind, id_) for kind, id_ in rows.values_list("parent_kind", "parent_ref")]


def stopped() -> frozenset[str]:
    """Capabilities that the operator stopped."""
    return frozenset(Switch.objects.filter(stopped=True).values_list("capability", flat=True))


def decision(decision_id: str) -> dict[str, Any]:
    """A decision's public part: rules, reasons and matched spans; raises :class:`NotFound`."""
    row = Decision.objects.filter(pk=decision_id).first()
    if row is None:
        raise NotFound("There is no such decision.")
    return {
        "id": row.id,
        "action": row.action,
        "actor_id": row.actor_id,
        "outcome": row.outcome,
        "code": row.code,
        "rules": row.rules,
        "reasons": row.reasons,
        "spans": row.spans,
        "policy_version": row.policy_version,
        "created_at": row.created_at,
    }


def status() -> dict[str, Any]:
    """Which detectors are present and which capabilities are stopped, for the operator."""
    from atelier.likeness.policy import POLICY_VERSION
    from atelier.media import scanning

    facts: dict[str, Any] = {"policy": POLICY_VERSION, "detectors": scanning.condition()}
    off = stopped()
    facts.update({name: "stopped" if name in off else "allowed" for name in CAPABILITIES})
    return facts


def may_open(*, viewer: User | None, media: Media) -> bool:
    """Whether this viewer may have a picture's bytes: its visibility, and no block on it."""
    if not media_queries.may_open(viewer=viewer, media=media):
        return False
    staff = viewer is not None and viewer.is_staff
    return staff or not is_blocked(Ref("media", media.pk))


def outcome_counts() -> list[tuple[str, str, int]]:
    """How often each action had each outcome, most frequent first; reads the whole table."""
    rows = Decision.objects.values_list("action", "outcome").annotate(n=Count("id"))
    return [(action, outcome, count) for action, outcome, count in rows.order_by("-n")]
