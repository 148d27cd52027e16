"""Accounts for tests, made through the services."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from atelier.accounts import services as accounts

if TYPE_CHECKING:
    from atelier.accounts.models import User

PASSWORD = "a long enough password"
_numbers = itertools.count(1)


def user(username: str = "", **fields: Any) -> User:
    """An account with a name of its own."""
    name = username or f"person_{next(_numbers)}"
    return accounts.create_user(
        username=name,
        **{"email": f"{name}@example.org", "password": PASSWORD, **fields},
    )


def staff(username: str = "") -> User:
    """An account with the rights of staff."""
    return user(username, is_staff=True)


def token(owner: User, *scopes: str) -> str:
    """The text of a token of ``owner``; all ordinary scopes unless named."""
    return accounts.create_token(user=owner, name="test", scopes=scopes or accounts.ALL_SCOPES)[1]
