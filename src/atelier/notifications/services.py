"""Writing news, and marking it read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atelier.core import clock
from atelier.core.ids import new_id
from atelier.notifications.models import Kind, Notification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atelier.accounts.models import User

MAX_TEXT = 300


def notify(
    *,
    user_id: int,
    kind: str,
    text: str,
    link: str = "",
    actor_id: int | None = None,
    key: str = "",
) -> None:
    """Tell a person something. Nobody is told of their own acts; the same ``key`` tells once."""
    if actor_id is not None and actor_id == user_id:
        return
    words = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
    Notification.objects.bulk_create(
        [
            Notification(
                user_id=user_id,
                kind=Kind(kind),
                text=words,
                link=link,
                actor_id=actor_id,
                key=key or new_id("key"),
            )
        ],
        ignore_conflicts=True,
    )


def mark_read(*, user: User, ids: Sequence[str] | None = None) -> int:
    """Mark some of one's news as read, or all of it; answers how many were unread."""
    rows = Notification.objects.filter(user=user, read_at=None)
    if ids is not None:
        rows = rows.filter(pk__in=list(ids))
    return rows.update(read_at=clock.now())
