"""Every change of a bounty, its stakes or its entries holds the bounty's row.

So an award, a refund, a contribution and a deadline that arrive together happen one after the
other, and each sees what the one before it did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

from atelier.bounties.models import Bounty, Contribution, Entry
from atelier.core.errors import NotFound

if TYPE_CHECKING:
    from atelier.accounts.models import User

GONE = "There is no such bounty."


def bounty(bounty_id: str) -> Bounty:
    """The bounty, locked for the rest of the transaction."""
    found = Bounty.objects.select_for_update(of=("self",), no_key=True).filter(pk=bounty_id).first()
    if found is None:
        raise NotFound(GONE)
    return found


def visible_bounty(bounty_id: str, viewer: User) -> Bounty:
    """As :func:`bounty`; what the viewer may not see does not exist for them."""
    locked = bounty(bounty_id)
    if not Bounty.objects.visible_to(viewer).filter(pk=bounty_id).exists():
        raise NotFound(GONE)
    return locked


def entry_of(locked: Bounty, entry_id: str) -> Entry:
    """An entry of a locked bounty."""
    found = Entry.objects.filter(pk=entry_id, bounty=locked).first()
    if found is None:
        raise NotFound("This bounty has no such entry.")
    found.bounty = locked
    return found


def contribution_of(locked: Bounty, contribution_id: str) -> Contribution:
    """A stake of a locked bounty."""
    found = Contribution.objects.filter(pk=contribution_id, bounty=locked).first()
    if found is None:
        raise NotFound("This bounty has no such contribution.")
    found.bounty = locked
    return found


def openings_of(user_id: int) -> None:
    """One opening at a time per person, so that a limit on how many holds under a double click."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"bounties.open:{user_id}"]
        )
