"""The rule about real people in plain words, and how to have something removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from atelier.core.errors import DomainError
from atelier.moderation import services
from atelier.web.forms.moderation import RemovalForm, tell
from atelier.web.views.moderation import case_address, limit_strangers, viewer_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_http_methods(["GET", "POST"])
def likeness(request: HttpRequest) -> HttpResponse:
    """The rule, and the form that needs no account."""
    form = RemovalForm(request.POST or None, initial={"link": request.GET.get("link", "")})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                limit_strangers(request)
                made = services.report(
                    reporter=viewer_of(request),
                    link=form.cleaned_data["link"],
                    reason=form.cleaned_data["reason"],
                    details=form.words,
                    contact=form.cleaned_data["contact"],
                )
            except DomainError as problem:
                tell(form, problem)
                status = problem.status
            else:
                return redirect(case_address(made))
    return render(request, "likeness/likeness.html", {"form": form}, status=status)


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """What everybody agrees to at sign-up."""
    return render(request, "likeness/terms.html")
