"""Reading one's news."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atelier.core.errors import NotFound
from atelier.core.pagination import Page, paginate
from atelier.notifications.models import Notification

if TYPE_CHECKING:
    from atelier.accounts.models import User

MOST_COUNTED = 99


def unread_count(*, user_id: int) -> int:
    """How many are unread, counted up to 99."""
    rows = Notification.objects.filter(user_id=user_id, read_at=None).order_by()
    return rows.values("pk")[:MOST_COUNTED].count()


def of(
    *, user: User, after: str | None = None, limit: int | None = None, unread: bool = False
) -> Page[Notification]:
    """A person's news, newest first."""
    rows = Notification.objects.select_related("actor").filter(user=user)
    if unread:
        rows = rows.filter(read_at=None)
    return paginate(rows, order=("-id",), after=after, limit=limit)


def one(*, user: User, notification_id: str) -> Notification:
    """One of a person's news; raises :class:`NotFound` for anybody else's."""
    row = Notification.objects.select_related("actor").filter(user=user, pk=notification_id).first()
    if row is None:
        raise NotFound("There is no such notification.")
    return row
