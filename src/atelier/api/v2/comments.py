"""Comments on pictures, posts, models and bounties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from atelier.api.v2 import people
from atelier.api.v2.common import json_response, optional_viewer, page_response, viewer_of
from atelier.social import queries
from atelier.social import services as social

if TYPE_CHECKING:
    from atelier.social.models import Comment

router = Router(tags=["Comments"])


class CommentIn(Schema):
    """What to say about what; ``parent`` is the comment that it answers."""

    target: people.TargetIn
    body: str
    parent: str = ""


@router.post("/comments")
def comment(request: HttpRequest, body: CommentIn) -> HttpResponse:
    """Say something about a thing."""
    made = social.comment(
        author=viewer_of(request).user,
        target_kind=body.target.kind,
        target_id=body.target.id,
        body=body.body,
        parent_id=body.parent,
    )
    return json_response(_comment(made), status=201)


@router.get("/comments", auth=None)
def comments(
    request: HttpRequest,
    kind: str,
    id: str,  # noqa: A002 - the parameter's plain name
    after: str | None = None,
    limit: int | None = None,
) -> HttpResponse:
    """What was said about one thing, oldest first."""
    viewer = optional_viewer(request)
    page = queries.comments(
        target_kind=kind,
        target_id=id,
        viewer=viewer.user if viewer else None,
        after=after,
        limit=limit,
    )
    return page_response(page, _comment)


@router.get("/comments/{comment_id}", auth=None)
def one_comment(request: HttpRequest, comment_id: str) -> HttpResponse:
    """One comment."""
    viewer = optional_viewer(request)
    return json_response(
        _comment(queries.comment(comment_id=comment_id, viewer=viewer.user if viewer else None))
    )


@router.delete("/comments/{comment_id}")
def delete_comment(request: HttpRequest, comment_id: str) -> HttpResponse:
    """Take one's own comment away."""
    social.delete_comment(user=viewer_of(request).user, comment_id=comment_id)
    return HttpResponse(status=204)


def _comment(found: Comment) -> dict[str, Any]:
    return {
        "id": found.id,
        "target": {"kind": found.target_kind, "id": found.target_id},
        "parent": found.parent_id,
        "author": people.person(found.author),
        "body": found.body,
        "html": found.body_html,
        "created_at": found.created_at,
    }
