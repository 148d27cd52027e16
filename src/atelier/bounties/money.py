"""Sparks of a bounty: into its own escrow, and out of it once.

Every function wants the bounty's row locked, posts through the ledger, and keeps the bounty's three
sums and the stake's own state in step with what was posted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atelier.bounties import timeline
from atelier.bounties.models import Contribution
from atelier.bounties.rules import EventKind, Judge, StakeStatus
from atelier.core import clock
from atelier.ledger import services as ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atelier.accounts.models import User
    from atelier.bounties.models import Bounty, Entry


def _subject(bounty: Bounty) -> ledger.Subject:
    return ledger.Subject("bounty", bounty.id)


def stake(
    bounty: Bounty, *, contributor: User, amount: int, judge: Judge = Judge.CREATOR
) -> Contribution:
    """Moves a stake into escrow and records it."""
    made = Contribution(bounty=bounty, contributor=contributor, amount_sparks=amount, judge=judge)
    transfer = ledger.fund_escrow(
        escrow=bounty.escrow_key,
        payer_id=contributor.pk,
        amount=amount,
        reason=f"Stake in “{bounty.title}”",
        business_key=made.business_key,
        subject=_subject(bounty),
    )
    made.funding_transfer_id = transfer.id
    made.save(force_insert=True)
    bounty.staked_sparks += amount
    bounty.save(update_fields=["staked_sparks"])
    return made


def held(bounty: Bounty) -> list[Contribution]:
    """Stakes in escrow, oldest first."""
    stakes = list(
        bounty.contributions.filter(status=StakeStatus.HELD)
        .select_related("contributor")
        .order_by("created_at", "id")
    )
    for one in stakes:
        one.bounty = bounty
    return stakes


def lock_for(stakes: Sequence[Contribution], *payee_ids: int) -> None:
    """Takes all wallets that the next postings touch, in the ledger's own order."""
    ledger.lock_wallets(user_ids={*(one.contributor_id for one in stakes), *payee_ids})


def pay(one: Contribution, *, entry: Entry, actor: User | None) -> str:
    """Pays a whole stake to an entry's maker; answers the transfer's id."""
    transfer_id = pay_part(one, entry=entry, amount=one.amount_sparks, actor=actor)
    one.given_to = entry
    _resolve(one, StakeStatus.PAID, transfer_id)
    return transfer_id


def pay_part(one: Contribution, *, entry: Entry, amount: int, actor: User | None) -> str:
    """Pays a part of a stake to an entry's maker; the caller says when all of it is gone."""
    bounty = one.bounty
    transfer = ledger.pay_from_escrow(
        escrow=bounty.escrow_key,
        stake=one.business_key,
        payee_id=entry.maker_id,
        amount=amount,
        reason=f"Award in “{bounty.title}”",
        business_key=f"{one.business_key}:to:{entry.id}",
        subject=_subject(bounty),
        actor=actor.pk if actor else None,
    )
    bounty.paid_sparks += amount
    bounty.save(update_fields=["paid_sparks"])
    entry.paid_sparks += amount
    entry.save(update_fields=["paid_sparks"])
    timeline.record(
        bounty,
        EventKind.PAID,
        actor=actor,
        entry=entry,
        contribution=one,
        amount=amount,
        transfer_id=transfer.id,
    )
    return transfer.id


def mark_paid(one: Contribution, transfer_id: str) -> None:
    """All of a stake went out in parts."""
    _resolve(one, StakeStatus.PAID, transfer_id)


def refund(one: Contribution, *, actor: User | None = None) -> None:
    """Gives a stake back in the kinds of Sparks that it was made of."""
    bounty = one.bounty
    transfer = ledger.refund_escrow(
        escrow=bounty.escrow_key,
        payee_id=one.contributor_id,
        funding_business_key=one.business_key,
        reason=f"Stake back from “{bounty.title}”",
        business_key=f"{one.business_key}:back",
        subject=_subject(bounty),
        actor=actor.pk if actor else None,
    )
    bounty.refunded_sparks += one.amount_sparks
    bounty.save(update_fields=["refunded_sparks"])
    _resolve(one, StakeStatus.REFUNDED, transfer.id)
    timeline.record(
        bounty,
        EventKind.REFUNDED,
        actor=actor,
        contribution=one,
        amount=one.amount_sparks,
        transfer_id=transfer.id,
    )


def refund_all(bounty: Bounty, *, actor: User | None = None) -> int:
    """Gives every stake in escrow back; answers how many Sparks that were."""
    stakes = held(bounty)
    if not stakes:
        return 0
    lock_for(stakes)
    for one in stakes:
        refund(one, actor=actor)
    return sum(one.amount_sparks for one in stakes)


def _resolve(one: Contribution, status: StakeStatus, transfer_id: str) -> None:
    one.status = status
    one.resolving_transfer_id = transfer_id
    one.resolved_at = clock.now()
    one.save(update_fields=["status", "resolving_transfer_id", "resolved_at", "given_to"])
