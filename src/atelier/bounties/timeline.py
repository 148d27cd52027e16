"""The record of a bounty: a line for each thing that happened, and news for other domains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atelier.bounties.models import BountyEvent
from atelier.core import outbox

if TYPE_CHECKING:
    from atelier.accounts.models import User
    from atelier.bounties.models import Bounty, Contribution, Entry
    from atelier.bounties.rules import EventKind

OPENED = "bounties.opened"
CONTRIBUTED = "bounties.contributed"
ENTERED = "bounties.entered"
JUDGING = "bounties.judging"
AWARDED = "bounties.awarded"
SETTLED = "bounties.settled"
REFUNDED = "bounties.refunded"
CANCELLED = "bounties.cancelled"
DISPUTED = "bounties.disputed"
HELD = "bounties.held"


def record(
    bounty: Bounty,
    kind: EventKind,
    *,
    actor: User | None = None,
    entry: Entry | None = None,
    contribution: Contribution | None = None,
    amount: int | None = None,
    transfer_id: str = "",
    note: str = "",
) -> BountyEvent:
    """Adds a line to the timeline, in the transaction that made it true."""
    return BountyEvent.objects.create(
        bounty=bounty,
        kind=kind,
        actor=actor,
        entry=entry,
        contribution=contribution,
        amount_sparks=amount,
        transfer_id=transfer_id,
        note=note,
    )


def publish(
    topic: str,
    bounty: Bounty,
    *,
    actor: User | None = None,
    recipients: set[int] | None = None,
    **facts: Any,
) -> None:
    """Tells other domains; ``recipients`` are the people whom it concerns, the actor aside."""
    told = set(recipients or ()) - {actor.pk if actor else 0}
    outbox.publish(
        topic,
        {
            "bounty_id": bounty.id,
            "title": bounty.title,
            "status": bounty.status,
            "owner_id": bounty.owner_id,
            "actor_id": actor.pk if actor else None,
            "recipients": sorted(told),
            **facts,
        },
    )


def people_of(bounty: Bounty) -> set[int]:
    """Everybody with a stake or an entry in it."""
    stakes = bounty.contributions.values_list("contributor_id", flat=True)
    makers = bounty.entries.values_list("maker_id", flat=True)
    return {bounty.owner_id, *stakes, *makers}
