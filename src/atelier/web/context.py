"""What the frame around every page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.functional import cached_property

from atelier.ledger import queries as ledger
from atelier.notifications import queries as notifications

if TYPE_CHECKING:
    from django.http import HttpRequest


class Frame:
    """Asked for by the base page alone, so fragments and redirects cost no query."""

    def __init__(self, user_id: int) -> None:
        self._user_id = user_id

    @cached_property
    def balance(self) -> int:
        """Sparks that can be spent now."""
        return ledger.wallet(user_id=self._user_id).available

    @cached_property
    def unread(self) -> int:
        """Notifications not yet read, counted up to 99."""
        return notifications.unread_count(user_id=self._user_id)


def frame(request: HttpRequest) -> dict[str, Any]:
    """The context processor of the frame."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"frame": None}
    return {"frame": Frame(user.pk)}
