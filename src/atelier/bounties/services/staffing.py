"""What staff do: open or refuse what review held, and stop a bounty while they look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from atelier.bounties import briefs, locks, screening, staff, states, timeline
from atelier.bounties.errors import DeadlinePassed
from atelier.bounties.rules import (
    DISPUTE_LASTS,
    FREEZE_LASTS,
    MAX_REASON,
    SETTLING,
    EventKind,
    Status,
)
from atelier.bounties.services.judging import answer_dispute
from atelier.bounties.services.opening import open_now
from atelier.core import clock
from atelier.core.db import locking
from atelier.core.errors import WrongState
from atelier.ledger.errors import InsufficientSparks
from atelier.media import services as media

if TYPE_CHECKING:
    from atelier.accounts.models import User
    from atelier.bounties.models import Bounty

FREEZABLE = (Status.OPEN, Status.JUDGING, Status.DISPUTED, Status.AWARDED)


def open_screened(*, bounty_id: str, actor: User) -> Bounty:
    """Staff looked and let it open. Now the stake moves, unless an edit was what they looked at.

    A creator who has spent the Sparks meanwhile finds the bounty cancelled, and can open it anew.
    """
    staff.require(actor)
    with locking():
        bounty = locks.bounty(bounty_id)
        staff.require_impartial(actor, bounty)
        states.require(bounty, Status.SCREENING, what="opened")
        if not bounty.is_entered_in_time:
            raise DeadlinePassed("Its deadline has passed, so this bounty cannot open any more.")
        _ask_again(bounty)
        if bounty.previous_status == Status.OPEN:
            bounty.previous_status = ""
            states.move(bounty, Status.OPEN, due_at=bounty.deadline)
            ids = list(bounty.reference_rows.values_list("media_id", flat=True))
            media.publish(media_ids=ids)
            timeline.record(bounty, EventKind.OPENED, actor=actor)
            timeline.publish(
                timeline.OPENED, bounty, actor=actor, recipients=timeline.people_of(bounty)
            )
            return bounty
        try:
            with transaction.atomic():
                open_now(bounty, actor=actor)
        except InsufficientSparks:
            bounty = locks.bounty(bounty_id)
            states.close(
                bounty,
                Status.CANCELLED,
                reason="insufficient_sparks",
                actor=actor,
                note="The creator's wallet no longer held the Sparks when review was done.",
            )
    return bounty


def _ask_again(bounty: Bounty) -> None:
    """Staff can clear a doubt; what is refused meanwhile stays refused."""
    brief = briefs.Brief(title=bounty.title, description=bounty.description, tags=list(bounty.tags))
    pictures = [row.media for row in bounty.reference_rows.select_related("media")]
    decision = screening.opening(
        owner=bounty.owner, bounty_id=bounty.id, texts=brief.texts, pictures=pictures
    )
    bounty.decision_id = decision.id
    bounty.reviewed_at = clock.now()
    bounty.save(update_fields=["decision_id", "reviewed_at"])


def refuse_screened(*, bounty_id: str, actor: User, reason: str) -> Bounty:
    """Staff looked and refuse. What was in escrow, after an edit, goes back."""
    staff.require(actor)
    words = briefs.text("reason", reason, most=MAX_REASON, required=True)
    with locking():
        bounty = locks.bounty(bounty_id)
        staff.require_impartial(actor, bounty)
        states.require(bounty, Status.SCREENING, what="refused")
        timeline.record(bounty, EventKind.REVIEW_REFUSED, actor=actor, note=words)
        states.close(bounty, Status.CANCELLED, reason="review_refused", actor=actor, note=words)
    return bounty


def freeze(*, bounty_id: str, actor: User, reason: str) -> Bounty:
    """Staff stop a bounty: it disappears, nothing moves, and its clock stands still."""
    staff.require(actor)
    words = briefs.text("reason", reason, most=MAX_REASON, required=True)
    with locking():
        bounty = locks.bounty(bounty_id)
        staff.require_impartial(actor, bounty)
        states.require(bounty, *FREEZABLE, what="frozen")
        _stop(bounty, actor=actor, note=words)
    return bounty


def _stop(bounty: Bounty, *, actor: User, note: str) -> None:
    now = clock.now()
    bounty.previous_status = bounty.status
    if bounty.status != Status.DISPUTED:  # a dispute stopped the clock already
        bounty.paused_at = now
    states.move(bounty, Status.FROZEN, due_at=now + FREEZE_LASTS)
    media.hide(media_ids=_reference_ids(bounty))
    timeline.record(bounty, EventKind.FROZEN, actor=actor, note=note)


def unfreeze(*, bounty_id: str, actor: User) -> Bounty:
    """The bounty goes on where it stood; the time that it stood still is added."""
    staff.require(actor)
    with locking():
        bounty = locks.bounty(bounty_id)
        staff.require_impartial(actor, bounty)
        states.require(bounty, Status.FROZEN, what="unfrozen")
        now = clock.now()
        status = Status(bounty.previous_status)
        bounty.previous_status = ""
        lost = now - (bounty.paused_at or now)
        due_at = now + SETTLING
        if status == Status.DISPUTED:
            due_at = now + DISPUTE_LASTS
        else:
            bounty.paused_at = None
        if status == Status.OPEN:
            bounty.deadline += lost
            due_at = bounty.deadline
        if status == Status.JUDGING:
            bounty.judging_ends_at = (bounty.judging_ends_at or now) + lost
            due_at = bounty.judging_ends_at
        states.move(bounty, status, due_at=due_at)
        media.unhide(media_ids=_reference_ids(bounty), public=True)
        timeline.record(bounty, EventKind.UNFROZEN, actor=actor)
    return bounty


def refund_frozen(*, bounty_id: str, actor: User, reason: str) -> Bounty:
    """Staff take a bounty down for good, frozen or not: every stake in escrow goes back."""
    staff.require(actor)
    words = briefs.text("reason", reason, most=MAX_REASON, required=True)
    with locking():
        bounty = locks.bounty(bounty_id)
        staff.require_impartial(actor, bounty)
        states.require(bounty, *FREEZABLE, Status.FROZEN, what="ended")
        if bounty.status != Status.FROZEN:
            _stop(bounty, actor=actor, note=words)
        answer_dispute(bounty, outcome="refund", answer=words, actor=actor)
        states.close_by_refund(bounty, reason="by_staff", actor=actor, note=words)
    return bounty


def void_consent(*, bounty_id: str, reason: str) -> Bounty:
    """A depicted person withdrew consent: everything goes back and the bounty disappears."""
    with locking():
        bounty = locks.bounty(bounty_id)
        if bounty.is_final:
            raise WrongState(f"This bounty is {states.said(bounty)} already.")
        answer_dispute(bounty, outcome="void_consent", answer="", actor=None)
        media.hide(media_ids=_reference_ids(bounty))
        states.close(bounty, Status.VOID_CONSENT, reason="void_consent", note=reason)
    return bounty


def _reference_ids(bounty: Bounty) -> list[str]:
    return list(bounty.reference_rows.values_list("media_id", flat=True))
