"""Sparks from others: to add a stake, and to give one's own stake to an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atelier.accounts import services as accounts
from atelier.bounties import briefs, locks, money, screening, states, timeline, works
from atelier.bounties.errors import DeadlinePassed, OwnBounty
from atelier.bounties.models import Bounty
from atelier.bounties.rules import (
    SHOWN_ENTRY,
    EntryStatus,
    EventKind,
    Judge,
    StakeStatus,
    Status,
)
from atelier.core import clock
from atelier.core.db import locking
from atelier.core.errors import NotFound, NotOwner, WrongState

if TYPE_CHECKING:
    from atelier.accounts.models import User
    from atelier.bounties.models import Contribution


def contribute(
    *, bounty_id: str, contributor: User, amount: int, judge: str = Judge.CREATOR
) -> Contribution:
    """Adds a stake. Its contributor leaves the judging to the creator, or keeps it.

    Who has an entry in a bounty puts no Sparks in it: nobody is on both sides.
    """
    accounts.require_active(contributor)
    sparks = briefs.contribution(amount)
    chosen = briefs.judge(judge)
    seen = Bounty.objects.visible_to(contributor).filter(pk=bounty_id).first()
    if seen is None:
        raise NotFound(locks.GONE)
    if seen.status == Status.OPEN:
        screening.contribution(bounty=seen, contributor=contributor)
    with locking():
        bounty = locks.visible_bounty(bounty_id, contributor)
        if not bounty.is_entered_in_time or bounty.status == Status.JUDGING:
            raise DeadlinePassed("The deadline has passed, so no more Sparks can be added.")
        states.require(bounty, Status.OPEN, what="added to")
        is_entrant = bounty.entries.filter(maker=contributor).exclude(status=EntryStatus.WITHDRAWN)
        if is_entrant.exists():
            raise OwnBounty("You have an entry in this bounty, so you cannot put Sparks in it.")
        if bounty.owner_id == contributor.pk:
            chosen = Judge.CREATOR
        made = money.stake(bounty, contributor=contributor, amount=sparks, judge=chosen)
        timeline.record(
            bounty,
            EventKind.CONTRIBUTED,
            actor=contributor,
            contribution=made,
            amount=sparks,
            transfer_id=made.funding_transfer_id,
        )
        timeline.publish(
            timeline.CONTRIBUTED,
            bounty,
            actor=contributor,
            recipients={bounty.owner_id},
            amount=sparks,
            contribution_id=made.id,
        )
    return made


def give(*, bounty_id: str, contribution_id: str, entry_id: str, actor: User) -> Contribution:
    """A contributor who judges for themselves gives their whole stake to one entry, for good.

    The maker is paid and the files unlock for the contributor, at once.
    """
    accounts.require_active(actor)
    with locking():
        bounty = locks.visible_bounty(bounty_id, actor)
        stake = locks.contribution_of(bounty, contribution_id)
        if stake.contributor_id != actor.pk:
            raise NotOwner("This stake is not yours to give.")
        if stake.judge != Judge.SELF:
            raise WrongState("You left the judging of this stake to the bounty's creator.")
        if stake.status != StakeStatus.HELD:
            raise WrongState(f"This stake is not in escrow any more: it was {_said(stake)}.")
        states.require(
            bounty, Status.OPEN, Status.JUDGING, Status.AWARDED, what="given to an entry"
        )
        _require_timer(bounty)
        entry = locks.entry_of(bounty, entry_id)
        if entry.status not in SHOWN_ENTRY:
            raise WrongState(f"This entry is {EntryStatus(entry.status).label.lower()}.")
        if entry.maker_id == actor.pk:
            raise OwnBounty("You cannot give Sparks to your own entry.")
        screening.award(bounty=bounty, entry=entry, actor=actor)
        works.hand_over(entry, to=[actor])
        money.lock_for([stake], entry.maker_id)
        transfer_id = money.pay(stake, entry=entry, actor=actor)
        timeline.publish(
            timeline.AWARDED,
            bounty,
            actor=actor,
            recipients={entry.maker_id},
            entry_id=entry.id,
            amount=stake.amount_sparks,
            transfer_id=transfer_id,
        )
    return stake


def _require_timer(bounty: Bounty) -> None:
    """After the state's own time nothing moves but by the timer, which may be a moment late."""
    if bounty.status != Status.OPEN and bounty.due_at is not None and bounty.due_at <= clock.now():
        raise WrongState("The time to give this stake is over; it goes back to you.")


def _said(stake: Contribution) -> str:
    return "paid" if stake.status == StakeStatus.PAID else "given back"
