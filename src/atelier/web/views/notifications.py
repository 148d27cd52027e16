"""One's news."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from atelier.notifications import queries, services

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from atelier.accounts.models import User

PAGE = 50


@login_required
@require_safe
def notifications(request: HttpRequest) -> HttpResponse:
    """What happened, newest first. Reading the page marks nothing."""
    user = cast("User", request.user)
    unread = request.GET.get("show") == "unread"
    page = queries.of(user=user, after=request.GET.get("after"), limit=PAGE, unread=unread)
    return render(
        request,
        "notifications/notifications.html",
        {
            "area": "notifications",
            "rows": page.items,
            "next": page.next,
            "unread": unread,
            "unread_count": queries.unread_count(user_id=user.pk),
        },
    )


@login_required
@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """Mark one or all as read."""
    chosen = request.POST.getlist("id")
    services.mark_read(user=cast("User", request.user), ids=chosen or None)
    return redirect("notifications")


@login_required
@require_POST
def follow(request: HttpRequest, notification_id: str) -> HttpResponse:
    """Mark one as read and go where it leads."""
    user = cast("User", request.user)
    found = queries.one(user=user, notification_id=notification_id)
    services.mark_read(user=user, ids=[found.id])
    # Links are written by us and lead to this site only.
    return redirect(found.link or "notifications")
