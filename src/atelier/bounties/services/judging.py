"""Choosing: the award, the shortlist, and the way to staff when that goes wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atelier.accounts import services as accounts
from atelier.bounties import briefs, locks, money, screening, staff, states, timeline, works
from atelier.bounties.errors import AlreadyAwarded, OwnBounty
from atelier.bounties.models import Dispute, Shortlisting
from atelier.bounties.rules import (
    DISPUTE_LASTS,
    JUDGING,
    MAX_REASON,
    SETTLING,
    EntryStatus,
    EventKind,
    Judge,
    Status,
)
from atelier.core import clock
from atelier.core.db import locking
from atelier.core.errors import Forbidden, Invalid, WrongState

if TYPE_CHECKING:
    from atelier.accounts.models import User
    from atelier.bounties.models import Bounty, Entry

RESUME, REFUND, AWARD = "resume", "refund", "award"


@dataclass(frozen=True, slots=True)
class Award:
    """What an award did. ``transfer_id`` is the movement of the creator's own stake."""

    entry_id: str
    transfer_id: str
    model_id: int | None
    version_id: int | None
    amount_sparks: int
    status: str


def award(*, bounty_id: str, entry_id: str, actor: User) -> Award:
    """The creator chooses an entry, finally.

    In one transaction the escrow pays its maker every stake whose judge is the creator, the files
    unlock for all who paid, and the model and its version are published.
    """
    accounts.require_active(actor)
    with locking():
        bounty = locks.visible_bounty(bounty_id, actor)
        states.require_owner(bounty, actor, what="award it")
        if bounty.awarded_entry_id is not None:
            raise AlreadyAwarded("This bounty was awarded before. An award is final.")
        states.require(bounty, Status.OPEN, Status.JUDGING, what="awarded")
        _require_judging_time(bounty)
        return _award(bounty, locks.entry_of(bounty, entry_id), actor=actor)


def _require_judging_time(bounty: Bounty) -> None:
    ends = bounty.judging_ends_at or bounty.deadline + JUDGING
    if clock.now() >= ends:
        raise WrongState(
            "Judging is over. The rule that was declared when the bounty opened applies now."
        )


def _award(bounty: Bounty, entry: Entry, *, actor: User) -> Award:
    """Pays, unlocks, publishes, records. The caller holds the row and has checked the actor."""
    if entry.maker_id == bounty.owner_id:
        raise OwnBounty("Nobody awards themselves.")
    if entry.status != EntryStatus.SUBMITTED:
        raise WrongState(
            f"This entry is {EntryStatus(entry.status).label.lower()}, so it cannot be awarded."
        )
    screening.award(bounty=bounty, entry=entry, actor=actor)
    stakes = [one for one in money.held(bounty) if one.judge == Judge.CREATOR]
    now = clock.now()
    entry.status = EntryStatus.AWARDED
    entry.decided_at = now
    entry.save(update_fields=["status", "decided_at"])
    for other in bounty.entries.filter(status=EntryStatus.SUBMITTED):
        states.reject(other)
    published = works.publish(entry)
    works.hand_over(entry, to=[one.contributor for one in stakes])
    money.lock_for(stakes, entry.maker_id)
    transfers = {one.contributor_id: money.pay(one, entry=entry, actor=actor) for one in stakes}
    total = sum(one.amount_sparks for one in stakes)
    bounty.awarded_entry = entry
    states.move(bounty, Status.AWARDED, due_at=now + SETTLING)
    own_transfer = transfers[bounty.owner_id]
    timeline.record(
        bounty, EventKind.AWARDED, actor=actor, entry=entry, amount=total, transfer_id=own_transfer
    )
    if published is not None:
        note = str(published.pk)
        timeline.record(bounty, EventKind.PUBLISHED, actor=entry.maker, entry=entry, note=note)
    timeline.publish(
        timeline.AWARDED,
        bounty,
        actor=actor,
        recipients=timeline.people_of(bounty),
        entry_id=entry.id,
        maker_id=entry.maker_id,
        amount=total,
        transfer_id=own_transfer,
        model_id=published.model_id if published else None,
        version_id=published.pk if published else None,
    )
    return Award(
        entry_id=entry.id,
        transfer_id=own_transfer,
        model_id=published.model_id if published else None,
        version_id=published.pk if published else None,
        amount_sparks=total,
        status=bounty.status,
    )


def shortlist(*, bounty_id: str, entry_id: str, actor: User, is_on: bool = True) -> Entry:
    """Somebody with a stake marks an entry as worth a share, or takes the mark back."""
    accounts.require_active(actor)
    with locking():
        bounty = locks.visible_bounty(bounty_id, actor)
        if not bounty.contributions.filter(contributor=actor).exists():
            raise Forbidden("Only those who put Sparks in this bounty can shortlist entries.")
        states.require(bounty, Status.OPEN, Status.JUDGING, what="shortlisted from")
        _require_judging_time(bounty)
        entry = locks.entry_of(bounty, entry_id)
        if entry.status != EntryStatus.SUBMITTED:
            raise WrongState(f"This entry is {EntryStatus(entry.status).label.lower()}.")
        marks = Shortlisting.objects.filter(entry=entry, contributor=actor)
        if is_on and not marks.exists():
            Shortlisting.objects.create(entry=entry, contributor=actor)
            timeline.record(bounty, EventKind.SHORTLISTED, actor=actor, entry=entry)
        elif not is_on and marks.delete()[0]:
            timeline.record(bounty, EventKind.UNSHORTLISTED, actor=actor, entry=entry)
    return entry


def open_dispute(*, bounty_id: str, actor: User, reason: str) -> Dispute:
    """Somebody with a stake or an entry asks staff to decide; the clock of judging stops."""
    accounts.require_active(actor)
    words = briefs.text("reason", reason, most=MAX_REASON, required=True)
    with locking():
        bounty = locks.visible_bounty(bounty_id, actor)
        if bounty.owner_id == actor.pk:
            raise Forbidden("You judge this bounty. Award an entry, or let the rule apply.")
        has_stake = bounty.contributions.filter(contributor=actor).exists()
        has_entry = bounty.entries.filter(maker=actor, status=EntryStatus.SUBMITTED).exists()
        if not has_stake and not has_entry:
            raise Forbidden("Only those with a stake or an entry in this bounty can dispute it.")
        states.require(bounty, Status.JUDGING, what="disputed")
        _require_judging_time(bounty)
        if bounty.disputes.exists():
            raise WrongState("This bounty was disputed before, and staff have decided.")
        now = clock.now()
        dispute = Dispute.objects.create(bounty=bounty, opened_by=actor, reason=words)
        bounty.paused_at = now
        states.move(bounty, Status.DISPUTED, due_at=now + DISPUTE_LASTS)
        timeline.record(bounty, EventKind.DISPUTED, actor=actor)
        timeline.publish(
            timeline.DISPUTED, bounty, actor=actor, recipients=timeline.people_of(bounty)
        )
    return dispute


def resolve_dispute(
    *, bounty_id: str, actor: User, outcome: str, answer: str, entry_id: str = ""
) -> Bounty:
    """Staff decide: judging goes on, everyone gets their Sparks back, or an entry is awarded."""
    words = briefs.text("answer", answer, most=MAX_REASON, required=True)
    if outcome not in {RESUME, REFUND, AWARD}:
        raise Invalid.field("outcome", f"must be one of {RESUME}, {REFUND}, {AWARD}")
    with locking():
        bounty = locks.bounty(bounty_id)
        staff.require_impartial(actor, bounty)
        states.require(bounty, Status.DISPUTED, what="decided")
        now = clock.now()
        timeline.record(bounty, EventKind.DISPUTE_RESOLVED, actor=actor, note=outcome)
        answer_dispute(bounty, outcome=outcome, answer=words, actor=actor)
        paused_at, bounty.paused_at = bounty.paused_at, None
        if outcome == AWARD:
            _award(bounty, locks.entry_of(bounty, entry_id), actor=actor)
        elif outcome == REFUND:
            states.close_by_refund(bounty, reason="dispute", actor=actor)
        else:
            lost = now - (paused_at or now)
            bounty.judging_ends_at = (bounty.judging_ends_at or now) + lost
            states.move(bounty, Status.JUDGING, due_at=bounty.judging_ends_at)
    return bounty


def answer_dispute(bounty: Bounty, *, outcome: str, answer: str, actor: User | None) -> None:
    """Ends the open dispute of a locked bounty, if there is one."""
    bounty.disputes.filter(resolved_at=None).update(
        outcome=outcome, answer=answer, resolved_by=actor, resolved_at=clock.now()
    )
