"""Finding accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atelier.accounts.models import ApiToken, User

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet


def by_username(name: str) -> User | None:
    """The account with this name, without regard to case."""
    return User.objects.filter(username=name.lower()).first()


def by_id(user_id: int) -> User | None:
    """The account with this number."""
    return User.objects.filter(pk=user_id).first()


def by_ids(user_ids: Iterable[int]) -> dict[int, User]:
    """Accounts by number; unknown numbers are left out."""
    return User.objects.in_bulk(set(user_ids))


def tokens_of(user: User) -> QuerySet[ApiToken]:
    """A person's tokens that are not revoked, newest first."""
    return ApiToken.objects.filter(user=user, revoked_at=None).order_by("-created_at")
