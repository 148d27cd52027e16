"""A person's page, and what others can do there."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from atelier.accounts import queries as accounts
from atelier.core.errors import DomainError, NotFound
from atelier.core.ids import new_id
from atelier.gallery import queries as gallery
from atelier.social import queries as social_queries
from atelier.social import services as social
from atelier.web.forms.account import TipForm

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from atelier.accounts.models import User

PICTURES = 48


def _person(name: str) -> User:
    person = accounts.by_username(name)
    if person is None or not person.is_active:
        raise NotFound("Nobody here has this name.")
    return person


@require_safe
def profile(request: HttpRequest, name: str) -> HttpResponse:
    """Who somebody is and what they share."""
    person = _person(name)
    if name != person.username:
        return redirect("profile", name=person.username, permanent=True)
    viewer = request.user if request.user.is_authenticated else None
    followers, following = social_queries.follow_counts(person)
    pictures = gallery.feed(
        levels=gallery.levels_of(viewer),
        owner_id=person.pk,
        after=request.GET.get("after"),
        limit=PICTURES,
    )
    return render(
        request,
        "people/profile.html",
        {
            "area": "you" if viewer == person else "",
            "person": person,
            "is_self": viewer == person,
            "followers": followers,
            "following": following,
            "follows": social_queries.is_following(follower=viewer, followee=person),
            "models": social_queries.models_of(person)[:12],
            "images": pictures.items,
            "next": pictures.next,
            "tip_form": TipForm(initial={"key": new_id("key")}),
        },
    )


@login_required
@require_POST
def follow(request: HttpRequest, name: str) -> HttpResponse:
    """Follow somebody."""
    social.follow(follower=cast("User", request.user), followee=_person(name))
    return redirect("profile", name=name.lower())


@login_required
@require_POST
def unfollow(request: HttpRequest, name: str) -> HttpResponse:
    """Stop following somebody."""
    social.unfollow(follower=cast("User", request.user), followee=_person(name))
    return redirect("profile", name=name.lower())


@login_required
@require_POST
def tip(request: HttpRequest, name: str) -> HttpResponse:
    """Give somebody Sparks."""
    person = _person(name)
    form = TipForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say how many Sparks, as a whole number from 1.")
        return redirect("profile", name=person.username)
    try:
        given = social.tip(
            payer=cast("User", request.user),
            payee=person,
            amount=form.cleaned_data["amount"],
            key=form.cleaned_data["key"],
        )
    except DomainError as problem:
        messages.error(request, problem.detail)
    else:
        messages.success(request, f"You gave {person.shown_name} {given.amount:,} Sparks.")
    return redirect("profile", name=person.username)
