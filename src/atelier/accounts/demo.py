"""Demo accounts, whose password everybody knows, are open only where nobody else can come."""

from __future__ import annotations

from atelier.accounts.models import User


def set_open(*, is_open: bool) -> int:
    """Open or close all demo accounts; answers how many changed.

    A closed account cannot sign in, and its sessions and tokens end with the next request.
    """
    return User.objects.filter(is_demo=True).exclude(is_active=is_open).update(is_active=is_open)
