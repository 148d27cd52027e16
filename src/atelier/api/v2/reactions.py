"""Reactions to pictures, posts, models and comments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from atelier.api.v2 import people
from atelier.api.v2.common import json_response, page_response, viewer_of
from atelier.social import queries
from atelier.social import services as social

if TYPE_CHECKING:
    from atelier.social.models import Reaction

router = Router(tags=["Reactions"])


class ReactionIn(Schema):
    """What to react to, and how."""

    target: people.TargetIn
    reaction: Literal["Like", "Heart", "Laugh", "Cry", "Dislike"]


@router.post("/reactions")
def react(request: HttpRequest, body: ReactionIn) -> HttpResponse:
    """React; twice is once."""
    made, _ = social.react(
        user=viewer_of(request).user,
        target_kind=body.target.kind,
        target_id=body.target.id,
        kind=body.reaction,
    )
    return json_response(_reaction(made), status=201)


@router.get("/reactions")
def reactions(
    request: HttpRequest,
    kind: str = "",
    id: str = "",  # noqa: A002 - the parameter's plain name
    after: str | None = None,
    limit: int | None = None,
) -> HttpResponse:
    """The caller's own reactions, newest first; ``kind`` and ``id`` narrow to one thing."""
    page = queries.reactions_of(
        user=viewer_of(request).user, target_kind=kind, target_id=id, after=after, limit=limit
    )
    return page_response(page, _reaction)


@router.get("/reactions/{reaction_id}")
def reaction(request: HttpRequest, reaction_id: str) -> HttpResponse:
    """One of the caller's reactions."""
    return json_response(
        _reaction(queries.reaction_of(user=viewer_of(request).user, reaction_id=reaction_id))
    )


@router.delete("/reactions/{reaction_id}")
def unreact(request: HttpRequest, reaction_id: str) -> HttpResponse:
    """Take a reaction back."""
    social.unreact(user=viewer_of(request).user, reaction_id=reaction_id)
    return HttpResponse(status=204)


def _reaction(found: Reaction) -> dict[str, Any]:
    return {
        "id": found.id,
        "target": {"kind": found.target_kind, "id": found.target_id},
        "reaction": found.kind,
        "created_at": found.created_at,
    }
