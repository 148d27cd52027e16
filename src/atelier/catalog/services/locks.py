"""Locking a version while it is a bounty's entry, and who may have it all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atelier.catalog import locks
from atelier.catalog.errors import Quarantined
from atelier.catalog.models import Access, Clearance, FileUnlock, ModelVersion, Status
from atelier.core import clock, db
from atelier.core.errors import NotOwner, WrongState

if TYPE_CHECKING:
    from atelier.accounts.models import User


def lock(*, version: ModelVersion, owner: User) -> ModelVersion:
    """Keeps a draft's files to its owner, because it is submitted somewhere.

    Refuses what is public already, is locked for something else, holds no file, or has not been
    cleared: nobody could be given it.
    """
    with db.locking():
        model, row = locks.version(version.pk)
        if model.owner_id != owner.pk:
            raise NotOwner("This version is not yours.")
        if row.clearance != Clearance.CLEARED:
            raise Quarantined("These weights have not been cleared, so they cannot be submitted.")
        if row.status != Status.DRAFT:
            raise WrongState("This version is public already; submit one that is not.")
        if row.access == Access.LOCKED:
            raise WrongState("This version is submitted somewhere already.")
        if not row.files.exists():
            raise WrongState("This version has no file yet.")
        row.access = Access.LOCKED
        row.updated_at = clock.now()
        row.save(update_fields=["access", "updated_at"])
    return row


def unlock_for(*, version: ModelVersion, user: User, reason: str) -> None:
    """Lets somebody have the files, for good; twice is once."""
    with db.locking():
        FileUnlock.objects.get_or_create(
            version=version, user=user, defaults={"reason": reason[:120]}
        )


def open_lock(*, version: ModelVersion) -> ModelVersion:
    """Ends a lock: the entry was awarded, or its owner has it back as an ordinary draft."""
    with db.locking():
        _, row = locks.version(version.pk)
        if row.access == Access.LOCKED:
            row.access = Access.PUBLIC
            row.updated_at = clock.now()
            row.save(update_fields=["access", "updated_at"])
    return row
