"""How people and things appear inside answers, and how callers name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ninja import Field, Schema

from atelier.accounts import queries as accounts
from atelier.core.errors import NotFound

if TYPE_CHECKING:
    from atelier.accounts.models import User


class TargetIn(Schema):
    """A thing: what it is, and its id."""

    kind: str = Field(max_length=20)
    id: str | int


def person(user: User) -> dict[str, Any]:
    """A person in short."""
    return {"id": user.pk, "username": user.username, "display_name": user.shown_name}


def named(reference: str | int) -> User:
    """The person whom a caller names by name or number; raises :class:`NotFound`."""
    text = str(reference)
    user = accounts.by_username(text)
    if user is None and text.isascii() and text.isdigit() and len(text) < 10:  # noqa: PLR2004 - fits 32 bits
        user = accounts.by_id(int(text))
    if user is None or not user.is_active:
        raise NotFound("There is no such person.")
    return user
