"""Moving a bounty from state to state; each move sets the timer of the state it leads to.

Every function wants the bounty's row locked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atelier.bounties import money, timeline, works
from atelier.bounties.rules import (
    FINAL,
    INVISIBLE,
    LIVE_ENTRY,
    EntryStatus,
    EventKind,
    Status,
)
from atelier.core import clock, queue
from atelier.core.errors import NotOwner, WrongState

if TYPE_CHECKING:
    import datetime as dt

    from atelier.accounts.models import User
    from atelier.bounties.models import Bounty, Entry


def require_owner(bounty: Bounty, actor: User, *, what: str) -> None:
    """Only the creator may do this."""
    if bounty.owner_id != actor.pk:
        raise NotOwner(f"Only the creator of this bounty can {what}.")


def require(bounty: Bounty, *allowed: Status, what: str) -> None:
    """Refuses with words for the state that the bounty is in."""
    if bounty.status not in allowed:
        raise WrongState(f"This bounty is {said(bounty)}, so it cannot be {what}.")


def said(bounty: Bounty) -> str:
    """The state in a sentence."""
    return {
        Status.SCREENING: "still in review",
        Status.JUDGING: "being judged",
        Status.DISPUTED: "disputed, and staff decide",
        Status.FROZEN: "frozen by staff",
        Status.REFUNDED: "over and refunded",
        Status.VOID_CONSENT: "over, because consent was withdrawn",
    }.get(Status(bounty.status), Status(bounty.status).label.lower())


def move(bounty: Bounty, status: Status, *, due_at: dt.datetime | None) -> None:
    """Changes the state and arms its timer. A final state has none."""
    bounty.status = status
    bounty.due_at = due_at
    bounty.save()
    if due_at is not None:
        arm(bounty)


def arm(bounty: Bounty) -> None:
    """Asks to be woken when the timer is up; the sweep catches what is lost."""
    from atelier.bounties import tasks

    assert bounty.due_at is not None  # noqa: S101 - the caller set it
    queue.defer(tasks.tick, at=bounty.due_at, bounty_id=bounty.id)


def close(
    bounty: Bounty,
    status: Status,
    *,
    reason: str,
    actor: User | None = None,
    note: str = "",
) -> None:
    """Ends a bounty: what is in escrow goes back, entries that did not win are free again."""
    assert status in FINAL  # noqa: S101 - a call with another state is a bug
    release_entries(bounty)
    back = money.refund_all(bounty, actor=actor)
    bounty.closed_reason = reason
    bounty.closed_at = clock.now()
    if bounty.status in INVISIBLE:
        bounty.hidden_at = bounty.closed_at
    bounty.paused_at = None
    move(bounty, status, due_at=None)
    kind = EventKind.CANCELLED if status == Status.CANCELLED else EventKind.CLOSED
    timeline.record(bounty, kind, actor=actor, amount=back or None, note=note or reason)
    topic = {
        Status.SETTLED: timeline.SETTLED,
        Status.CANCELLED: timeline.CANCELLED,
    }.get(status, timeline.REFUNDED)
    timeline.publish(
        topic,
        bounty,
        actor=actor,
        recipients=timeline.people_of(bounty),
        reason=reason,
        amount=back,
    )


def release_entries(bounty: Bounty) -> None:
    """Entries that nobody chose: their files are their makers' alone again."""
    for entry in bounty.entries.filter(status__in=LIVE_ENTRY | {EntryStatus.REJECTED}).order_by(
        "id"
    ):
        reject(entry)
        works.release(entry)


def reject(entry: Entry) -> None:
    """Marks an entry as not chosen."""
    if entry.status == EntryStatus.REJECTED:
        return
    entry.status = EntryStatus.REJECTED
    entry.decided_at = clock.now()
    entry.save(update_fields=["status", "decided_at"])


def close_by_refund(
    bounty: Bounty, *, reason: str, actor: User | None = None, note: str = ""
) -> None:
    """Ends a bounty without an award: refunded, or settled where some stakes had been given."""
    status = Status.SETTLED if bounty.paid_sparks else Status.REFUNDED
    close(bounty, status, reason=reason, actor=actor, note=note)
