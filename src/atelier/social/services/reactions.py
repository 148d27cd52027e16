"""Reacting to things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atelier.accounts import services as accounts
from atelier.core import db, outbox
from atelier.core.errors import Invalid, NotFound
from atelier.social import targets
from atelier.social.models import Reaction, ReactionKind

if TYPE_CHECKING:
    from atelier.accounts.models import User


def react(
    *, user: User, target_kind: str, target_id: str | int, kind: str
) -> tuple[Reaction, bool]:
    """Adds a reaction; answers it, and whether it is new. Twice is once."""
    accounts.require_active(user)
    if kind not in ReactionKind.values:
        raise Invalid.field("reaction", f"must be one of {', '.join(ReactionKind.values)}")
    target = targets.find(kind=target_kind, target_id=target_id, viewer=user)
    with db.locking():
        reaction, created = Reaction.objects.get_or_create(
            user=user, target_kind=target.kind, target_id=target.id, kind=kind
        )
        if created:
            targets.count_reaction(target, kind, +1)
            outbox.publish(
                "social.reacted",
                {
                    "reaction_id": reaction.id,
                    "user_id": user.pk,
                    "kind": kind,
                    "target_kind": target.kind,
                    "target_id": target.id,
                    "owner_id": target.owner_id,
                },
            )
    return reaction, created


def unreact(*, user: User, reaction_id: str) -> None:
    """Takes one's own reaction back; raises :class:`NotFound` for another's."""
    accounts.require_active(user)
    with db.locking():
        reaction = (
            Reaction.objects.select_for_update(of=("self",), no_key=True)
            .filter(pk=reaction_id, user=user)
            .first()
        )
        if reaction is None:
            raise NotFound("You have no such reaction.")
        target = targets.Target(reaction.target_kind, reaction.target_id, 0)
        deleted, _ = Reaction.objects.filter(pk=reaction.pk).delete()
        if deleted:
            targets.count_reaction(target, reaction.kind, -1)
