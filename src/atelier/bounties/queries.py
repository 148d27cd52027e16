"""Finding bounties, and what of each a viewer may see and do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Q

from atelier.bounties import locks
from atelier.bounties.models import Bounty, BountyEvent, Contribution, Entry, Shortlisting
from atelier.bounties.rules import (
    LIVE_ENTRY,
    MODEL_TYPES,
    EntryStatus,
    Judge,
    Kind,
    StakeStatus,
    Status,
)
from atelier.catalog.models import Access, Clearance, ModelVersion
from atelier.catalog.models import Status as VersionStatus
from atelier.core import clock
from atelier.core.errors import Invalid, NotFound
from atelier.core.pagination import Page, paginate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from atelier.accounts.models import User
    from atelier.bounties.querysets import BountyQuerySet

OPEN, JUDGING, AWARDED, CLOSED, MINE = "open", "judging", "awarded", "closed", "mine"
SHOWN_AS: dict[str, tuple[str, ...]] = {
    OPEN: (Status.OPEN,),
    JUDGING: (Status.JUDGING, Status.DISPUTED),
    AWARDED: (Status.AWARDED, Status.SETTLED),
    CLOSED: (Status.REFUNDED, Status.CANCELLED),
}
SORTS: dict[str, tuple[str, ...]] = {
    "newest": ("-created_at", "-id"),
    "ending": ("deadline", "id"),
    "highest": ("-staked_sparks", "-id"),
}
MAX_OFFERED = 60
ANYBODY = 3  # PG and PG-13: what somebody without an account is shown


def listing(
    *,
    viewer: User | None,
    state: str = "",
    kind: str = "",
    sort: str = "newest",
    owner_id: int | None = None,
    tag: str = "",
    after: str | None = None,
    limit: int | None = None,
) -> Page[Bounty]:
    """Bounties that this viewer may see. ``state`` is open, judging, awarded, closed or mine."""
    if state and state != MINE and state not in SHOWN_AS:
        raise Invalid.field("state", f"must be one of {', '.join((*SHOWN_AS, MINE))}")
    if sort not in SORTS:
        raise Invalid.field("sort", f"must be one of {', '.join(SORTS)}")
    if kind and kind not in Kind.values:
        raise Invalid.field("kind", f"must be one of {', '.join(Kind.values)}")
    rows = Bounty.objects.visible_to(viewer).select_related("owner")
    if state == MINE:
        rows = _with_a_part(rows, viewer)
    else:
        rows = rows.within_level(viewer.browsing_level if viewer else ANYBODY)
    if state in SHOWN_AS:
        rows = rows.filter(status__in=SHOWN_AS[state])
    if kind:
        rows = rows.filter(kind=kind)
    if owner_id is not None:
        rows = rows.filter(owner_id=owner_id)
    if tag:
        rows = rows.filter(tags__contains=[tag.strip().lower()])
    shown = rows.prefetch_related("reference_rows__media").annotate(
        entry_count=Count(
            "entries", filter=~Q(entries__status__in=[EntryStatus.SCREENING, "withdrawn"])
        )
    )
    return paginate(shown, order=SORTS[sort], after=after, limit=limit)


def _with_a_part(rows: BountyQuerySet, viewer: User | None) -> BountyQuerySet:
    if viewer is None:
        return rows.none()
    part = Bounty.objects.filter(
        Q(owner=viewer) | Q(contributions__contributor=viewer) | Q(entries__maker=viewer)
    )
    return rows.filter(pk__in=part.values("pk"))


def find(*, bounty_id: str, viewer: User | None) -> Bounty:
    """One bounty; what the viewer may not see does not exist for them."""
    found = (
        Bounty.objects.visible_to(viewer)
        .select_related("owner", "awarded_entry")
        .prefetch_related("reference_rows__media")
        .filter(pk=bounty_id)
        .first()
    )
    if found is None:
        raise NotFound(locks.GONE)
    return found


def entries(*, bounty: Bounty, viewer: User | None) -> QuerySet[Entry]:
    """A bounty's entries as this viewer may see them, in the order they came."""
    return (
        Entry.objects.visible_to(viewer)
        .filter(bounty=bounty)
        .select_related("maker", "version__model")
        .prefetch_related("picture_rows__media")
        .annotate(marks=Count("shortlistings", distinct=True))
        .order_by("created_at", "id")
    )


def entry(*, bounty: Bounty, entry_id: str, viewer: User | None) -> Entry:
    """One entry; raises :class:`NotFound`."""
    found = entries(bounty=bounty, viewer=viewer).filter(pk=entry_id).first()
    if found is None:
        raise NotFound("This bounty has no such entry.")
    return found


def contributions(*, bounty: Bounty) -> QuerySet[Contribution]:
    """A bounty's stakes, in the order they came."""
    return bounty.contributions.select_related("contributor", "given_to").order_by(
        "created_at", "id"
    )


def contribution(*, bounty: Bounty, contribution_id: str) -> Contribution:
    """One stake; raises :class:`NotFound`."""
    found = contributions(bounty=bounty).filter(pk=contribution_id).first()
    if found is None:
        raise NotFound("This bounty has no such contribution.")
    return found


def timeline(*, bounty: Bounty) -> QuerySet[BountyEvent]:
    """Everything that happened to a bounty, oldest first."""
    return bounty.events.select_related(
        "actor", "entry__maker", "entry__version__model", "contribution__contributor"
    ).order_by("id")


def marked_by(*, viewer: User | None, entries: Sequence[Entry]) -> set[str]:
    """Which of these entries this viewer has shortlisted."""
    if viewer is None:
        return set()
    rows = Shortlisting.objects.filter(contributor=viewer, entry__in=[row.pk for row in entries])
    return set(rows.values_list("entry_id", flat=True))


@dataclass(frozen=True, slots=True)
class Options:
    """What a viewer can do now, so that a page offers nothing that would be refused."""

    is_owner: bool = False
    can_edit: bool = False
    can_extend: bool = False
    can_cancel: bool = False
    can_award: bool = False
    can_contribute: bool = False
    can_enter: bool = False
    can_withdraw: bool = False
    can_shortlist: bool = False
    can_dispute: bool = False
    can_give: tuple[str, ...] = ()
    why_not_cancel: str = ""


def options(*, bounty: Bounty, viewer: User | None) -> Options:
    """The acts that the rules allow this viewer at this moment; services decide all the same."""
    if viewer is None:
        is_taking_part_possible = bounty.status == Status.OPEN and bounty.is_entered_in_time
        return Options(can_contribute=is_taking_part_possible, can_enter=is_taking_part_possible)
    now = clock.now()
    is_owner = bounty.owner_id == viewer.pk
    is_open = bounty.status == Status.OPEN and bounty.is_entered_in_time
    is_judged = bounty.status in {Status.OPEN, Status.JUDGING} and (
        bounty.status == Status.OPEN or (bounty.due_at is not None and now < bounty.due_at)
    )
    live = bounty.entries.filter(status__in=LIVE_ENTRY)
    has_live = live.exists()
    backed = bounty.contributions.exclude(contributor_id=bounty.owner_id).exists()
    own_stakes = bounty.contributions.filter(contributor=viewer)
    has_stake = own_stakes.exists()
    has_entry = live.filter(maker=viewer).exists()
    has_entered = bounty.entries.filter(maker=viewer).exclude(status="withdrawn").exists()
    may_give = bounty.status in {Status.OPEN, Status.JUDGING, Status.AWARDED} and (
        bounty.status == Status.OPEN or (bounty.due_at is not None and now < bounty.due_at)
    )
    givable = own_stakes.filter(judge=Judge.SELF, status=StakeStatus.HELD) if may_give else []
    is_cancellable = bounty.status in {Status.OPEN, Status.SCREENING}
    in_review_or_open = is_open or (bounty.status == Status.SCREENING and bounty.is_entered_in_time)
    return Options(
        is_owner=is_owner,
        can_edit=is_owner and in_review_or_open and not has_live and not backed,
        can_extend=is_owner and is_open and bounty.extended_at is None,
        can_cancel=is_owner and is_cancellable and not has_live,
        can_award=is_owner and is_judged,
        can_contribute=is_open and not has_entered,
        can_enter=is_open and not is_owner and not has_stake,
        can_withdraw=has_entry and bounty.status in {Status.OPEN, Status.JUDGING},
        can_shortlist=has_stake and is_judged,
        can_dispute=(
            not is_owner
            and (has_stake or has_entry)
            and bounty.status == Status.JUDGING
            and is_judged
            and not bounty.disputes.exists()
        ),
        can_give=tuple(stake.id for stake in givable),
        why_not_cancel=(
            "Somebody has entered, so it can no longer be cancelled."
            if is_owner and is_cancellable and has_live
            else ""
        ),
    )


def offerable(*, bounty: Bounty, maker: User) -> list[ModelVersion]:
    """The maker's own drafts that would do as an entry, newest first."""
    rows = ModelVersion.objects.filter(
        model__owner=maker,
        status=VersionStatus.DRAFT,
        access=Access.PUBLIC,
        files__isnull=False,
    ).exclude(clearance=Clearance.REFUSED)
    wanted_types = MODEL_TYPES.get(bounty.kind)
    if wanted_types is not None:
        rows = rows.filter(model__type__in=wanted_types)
    offered = Entry.objects.filter(
        version__isnull=False, status__in=LIVE_ENTRY | {EntryStatus.AWARDED}
    )
    rows = rows.exclude(pk__in=offered.values("version_id"))
    return list(rows.select_related("model").distinct().order_by("-pk")[:MAX_OFFERED])
