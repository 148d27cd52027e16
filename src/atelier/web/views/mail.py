"""The mail of a site without a mail server, for its operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from atelier.core.models import OutgoingMail
from atelier.core.pagination import paginate
from atelier.web import local

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


def _require_operator(request: HttpRequest) -> None:
    """Mail holds password resets: to anybody else this page does not exist."""
    user = request.user
    staff = user.is_authenticated and user.is_active and getattr(user, "is_staff", False)
    if not staff and not local.is_local(request):
        raise Http404


@never_cache
@require_safe
def outbox(request: HttpRequest) -> HttpResponse:
    """What the site would have sent, newest first."""
    _require_operator(request)
    page = paginate(OutgoingMail.objects.all(), order=("-id",), after=request.GET.get("after"))
    return render(request, "mail/outbox.html", {"mails": page.items, "next": page.next})


@never_cache
@require_safe
def message(request: HttpRequest, mail_id: str) -> HttpResponse:
    """One message."""
    _require_operator(request)
    return render(
        request, "mail/message.html", {"mail": get_object_or_404(OutgoingMail, pk=mail_id)}
    )
