"""What every page request passes through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render

from atelier.core.errors import DomainError, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    GetResponse = Callable[[HttpRequest], HttpResponse]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class DomainErrorMiddleware:
    """Turns a refusal that a page did not answer itself into one that says what, why and how on."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        if not isinstance(problem, DomainError):
            return None
        if isinstance(problem, Unauthenticated):
            from django.contrib.auth.views import redirect_to_login

            return redirect_to_login(request.get_full_path())
        response = render(request, "refusal.html", {"problem": problem}, status=problem.status)
        if problem.retry_after is not None:
            response["Retry-After"] = str(problem.retry_after)
        return response


class SuspensionMiddleware:
    """A suspended account can read, see why it is suspended, and sign out; nothing else."""

    ALLOWED = (
        "/accounts/logout",
        "/appeals",
        "/cases",
        "/likeness",
        "/api/v2/appeals",
        "/api/v2/notices",
    )

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if (
            request.method not in SAFE
            and user.is_authenticated
            and user.is_suspended
            and not request.path.startswith(self.ALLOWED)
            and not request.path.startswith("/api/")
        ):
            return render(request, "suspended.html", {"account": user}, status=403)
        return self.get_response(request)
