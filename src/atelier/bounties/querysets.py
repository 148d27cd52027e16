"""Which bounties and entries a viewer may know about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q

from atelier.bounties.rules import FINAL, INVISIBLE, SHOWN_ENTRY, Status
from atelier.likeness import queries as likeness

if TYPE_CHECKING:
    import datetime as dt

    from atelier.accounts.models import User
    from atelier.bounties.models import Bounty, Entry  # noqa: F401 -- the rows of these sets


def _is_staff(viewer: User | None) -> bool:
    return viewer is not None and viewer.is_staff


class BountyQuerySet(models.QuerySet["Bounty"]):
    """Sets of bounties."""

    def visible_to(self, viewer: User | None) -> BountyQuerySet:
        """What this viewer may open: all that passed screening, one's own, and all for staff.

        A frozen one stays readable for those with a stake or an entry in it, so that nobody wonders
        where their Sparks went. What is blocked is gone for everybody but staff.
        """
        if _is_staff(viewer):
            return self
        shown = ~Q(status__in=INVISIBLE) & Q(hidden_at__isnull=True)
        if viewer is not None:
            theirs = Q(contributions__contributor=viewer) | Q(entries__maker=viewer)
            involved = self.model._default_manager.filter(  # noqa: SLF001 - Django's public meta API
                theirs,
                Q(status__in=[Status.FROZEN, Status.VOID_CONSENT]) | Q(hidden_at__isnull=False),
            )
            shown |= Q(owner=viewer) | Q(pk__in=involved.values("pk"))
        return self.filter(shown).exclude(pk__in=likeness.blocked_ids("bounty"))

    def within_level(self, level: int) -> BountyQuerySet:
        """Only those whose reference pictures a viewer chose to see."""
        return self.alias(matching=F("rating").bitand(level)).filter(matching__gt=0)

    def due(self, now: dt.datetime) -> BountyQuerySet:
        """Those whose state's timer is up."""
        return self.filter(due_at__isnull=False, due_at__lte=now)

    def running(self) -> BountyQuerySet:
        """Those in which something can still happen."""
        return self.exclude(status__in=FINAL)


class EntryQuerySet(models.QuerySet["Entry"]):
    """Sets of entries."""

    def visible_to(self, viewer: User | None) -> EntryQuerySet:
        """Entries that passed screening, one's own, and all for staff; nothing that is blocked."""
        if _is_staff(viewer):
            return self
        shown = Q(status__in=SHOWN_ENTRY)
        if viewer is not None:
            shown |= Q(maker=viewer)
        unblocked = Q(version__isnull=True) | ~Q(version_id__in=likeness.blocked_ids("version"))
        return self.filter(shown & unblocked).exclude(pk__in=likeness.blocked_ids("entry"))
