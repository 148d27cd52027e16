"""One's own settings: profile, pictures shown, tokens, security."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, cast

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from atelier.accounts import queries as accounts_queries
from atelier.accounts import services as accounts
from atelier.core import clock
from atelier.core.errors import DomainError
from atelier.social import services as social
from atelier.web.forms.account import RATINGS, BrowsingForm, ProfileForm, TokenForm

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from atelier.accounts.models import User


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """What others read about one."""
    user = cast("User", request.user)
    problem = None
    if request.method == "POST":
        form = ProfileForm(request.POST)
        if form.is_valid():
            try:
                social.update_profile(user=user, **form.cleaned_data)
            except DomainError as refusal:
                problem = refusal
            else:
                messages.success(request, "Your profile is saved.")
                return redirect("settings")
    else:
        form = ProfileForm(
            initial={
                "display_name": user.display_name,
                "bio": user.bio,
                "links": "\n".join(user.links),
            }
        )
    status = 200 if request.method != "POST" else (problem.status if problem else 422)
    return render(
        request,
        "settings/profile.html",
        {"area": "you", "tab": "profile", "form": form, "problem": problem},
        status=status,
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def browsing(request: HttpRequest) -> HttpResponse:
    """Which ratings one wants to see."""
    user = cast("User", request.user)
    if request.method == "POST":
        form = BrowsingForm(request.POST)
        if form.is_valid():
            accounts.update_profile(user=user, browsing_level=form.level())
            messages.success(request, "Saved. Lists show these ratings from now on.")
            return redirect("settings_browsing")
    else:
        chosen = [str(rating) for rating, _ in RATINGS if rating & user.browsing_level]
        form = BrowsingForm(initial={"ratings": chosen})
    return render(
        request,
        "settings/browsing.html",
        {"area": "you", "tab": "browsing", "form": form},
        status=422 if form.errors else 200,
    )


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """Tokens for programs; the text of a new one is on this one answer and nowhere else."""
    user = cast("User", request.user)
    form = TokenForm(request.POST or None, initial={"scopes": ["read", "write"], "days": "90"})
    text, problem = "", None
    if request.method == "POST" and form.is_valid():
        days = int(form.cleaned_data["days"])
        try:
            _, text = accounts.create_token(
                user=user,
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                expires_at=clock.now() + dt.timedelta(days=days) if days else None,
            )
        except DomainError as refusal:
            problem = refusal
        else:
            form = TokenForm(initial={"scopes": ["read", "write"], "days": "90"})
    failed = request.method == "POST" and not text
    return render(
        request,
        "settings/tokens.html",
        {
            "area": "you",
            "tab": "tokens",
            "form": form,
            "text": text,
            "problem": problem,
            "tokens": accounts_queries.tokens_of(user),
            "now": clock.now(),
        },
        status=(problem.status if problem else 422) if failed else 200,
    )


@login_required
@require_POST
def revoke_token(request: HttpRequest, token_id: str) -> HttpResponse:
    """End a token."""
    accounts.revoke_token(user=cast("User", request.user), token_id=token_id)
    messages.success(request, "The token is revoked. Programs that used it are signed out.")
    return redirect("settings_tokens")


@login_required
@require_safe
def security(request: HttpRequest) -> HttpResponse:
    """Password, address, passkeys and codes: what there is, and where to change it."""
    user = cast("User", request.user)
    return render(
        request,
        "settings/security.html",
        {"area": "you", "tab": "security", "has_second_factor": is_mfa_enabled(user)},
    )
