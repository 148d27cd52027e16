"""Who may act for the site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atelier.core.errors import Forbidden

if TYPE_CHECKING:
    from atelier.accounts.models import User
    from atelier.bounties.models import Bounty


def require(actor: User) -> None:
    """Raises unless the actor is staff in good standing."""
    if not actor.is_staff or not actor.is_active or actor.is_suspended:
        raise Forbidden("Only staff may do this.")


def require_impartial(actor: User, bounty: Bounty) -> None:
    """As :func:`require`; staff with a stake or an entry in a bounty do not decide about it."""
    require(actor)
    has_part = (
        bounty.owner_id == actor.pk
        or bounty.contributions.filter(contributor=actor).exists()
        or bounty.entries.filter(maker=actor).exists()
    )
    if has_part:
        raise Forbidden("You have a part in this bounty, so somebody else has to decide about it.")
