"""Reactions and comments, under whatever they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from atelier.core.errors import DomainError
from atelier.social import queries, services
from atelier.web import links
from atelier.web.forms.catalog import CommentForm

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from atelier.accounts.models import User

ON_PAGE = 50
# What pages offer; the word is what the button says.
REACTIONS = (("Like", "Like"), ("Heart", "Love"), ("Laugh", "Funny"), ("Cry", "Moving"))


def context(request: HttpRequest, *, kind: str, target_id: int | str) -> dict[str, Any]:
    """What the reaction and comment components of a page show."""
    viewer = request.user if request.user.is_authenticated else None
    page = queries.comments(
        target_kind=kind,
        target_id=target_id,
        viewer=viewer,
        after=request.GET.get("comments"),
        limit=ON_PAGE,
    )
    return {
        "talk_kind": kind,
        "talk_id": str(target_id),
        "comments": page.items,
        "more_comments": page.next,
        "comment_form": CommentForm(),
        **reactions(request, kind=kind, target_id=target_id),
    }


def reactions(request: HttpRequest, *, kind: str, target_id: int | str) -> dict[str, Any]:
    """How people reacted to a thing, and how the viewer did."""
    viewer = request.user if request.user.is_authenticated else None
    key = str(target_id)
    counts = queries.reaction_counts(target_kind=kind, target_ids=[key]).get(key, {})
    own = queries.own_reactions(user=viewer, target_kind=kind, target_ids=[key]).get(key, {})
    return {
        "talk_kind": kind,
        "talk_id": key,
        "reactions": [
            (value, word, counts.get(value, 0), own.get(value, "")) for value, word in REACTIONS
        ],
    }


@require_POST
@login_required
def react(request: HttpRequest) -> HttpResponse:
    """Adds a reaction, or takes it back when it is there."""
    user = cast("User", request.user)
    kind, target_id = request.POST.get("kind", ""), request.POST.get("target", "")
    if reaction_id := request.POST.get("mine"):
        services.unreact(user=user, reaction_id=reaction_id)
    else:
        services.react(
            user=user,
            target_kind=kind,
            target_id=target_id,
            kind=request.POST.get("reaction", ""),
        )
    if request.headers.get("HX-Request"):
        shown = reactions(request, kind=kind, target_id=target_id)
        return render(request, "components/reactions.html", shown)
    return redirect(f"{links.path_of(kind, target_id) or '/'}#reactions")


@require_POST
@login_required
def comment(request: HttpRequest) -> HttpResponse:
    """Says something about a thing."""
    kind, target_id = request.POST.get("kind", ""), request.POST.get("target", "")
    form = CommentForm(request.POST)
    back = links.path_of(kind, target_id) or "/"
    if not form.is_valid():
        messages.error(request, "A comment has 1 to 2,000 characters.")
        return redirect(f"{back}#comments")
    try:
        services.comment(
            author=cast("User", request.user),
            target_kind=kind,
            target_id=target_id,
            body=form.cleaned_data["body"],
            parent_id=request.POST.get("parent", ""),
        )
    except DomainError as problem:
        # What was written comes back with the reason, so that nothing is lost.
        return render(
            request,
            "talk/refused.html",
            {
                "problem": problem,
                "form": form,
                "talk_kind": kind,
                "talk_id": target_id,
                "back": back,
            },
            status=problem.status,
        )
    return redirect(f"{back}#comments")


@require_POST
@login_required
def delete_comment(request: HttpRequest, comment_id: str) -> HttpResponse:
    """Takes one's own comment away."""
    user = cast("User", request.user)
    found = queries.comment(comment_id=comment_id, viewer=user)
    services.delete_comment(user=user, comment_id=comment_id)
    back = links.path_of(found.target_kind, found.target_id) or "/"
    return redirect(f"{back}#comments")
