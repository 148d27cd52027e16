"""News about what is one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from atelier.api.v2.common import json_response, page_response, viewer_of
from atelier.notifications import queries, services

if TYPE_CHECKING:
    from atelier.notifications.models import Notification

router = Router(tags=["Notifications"])


class ReadIn(Schema):
    """Which ones; all of them when none is named."""

    ids: list[str] | None = None


@router.get("/notifications")
def notifications(
    request: HttpRequest, after: str | None = None, limit: int | None = None, unread: bool = False
) -> HttpResponse:
    """The caller's news, newest first."""
    page = queries.of(user=viewer_of(request).user, after=after, limit=limit, unread=unread)
    return page_response(page, _notification)


@router.post("/notifications/read")
def read(request: HttpRequest, body: ReadIn) -> HttpResponse:
    """Mark some or all as read."""
    user = viewer_of(request).user
    marked = services.mark_read(user=user, ids=body.ids)
    return json_response({"marked": marked, "unread": queries.unread_count(user_id=user.pk)})


@router.get("/notifications/{notification_id}")
def notification(request: HttpRequest, notification_id: str) -> HttpResponse:
    """One of the caller's."""
    found = queries.one(user=viewer_of(request).user, notification_id=notification_id)
    return json_response(_notification(found))


def _notification(found: Notification) -> dict[str, Any]:
    return {
        "id": found.id,
        "kind": found.kind,
        "text": found.text,
        "link": found.link,
        "actor": found.actor.username if found.actor else None,
        "created_at": found.created_at,
        "read_at": found.read_at,
    }
