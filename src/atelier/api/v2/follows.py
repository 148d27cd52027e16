"""Following people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema

from atelier.api.v2 import people
from atelier.api.v2.common import json_response, page_response, viewer_of
from atelier.social import queries
from atelier.social import services as social

if TYPE_CHECKING:
    from atelier.social.models import Follow

router = Router(tags=["Follows"])


class FollowIn(Schema):
    """Whom to follow."""

    user: str | int = Field(description="Name or number of the person")


@router.post("/follows")
def follow(request: HttpRequest, body: FollowIn) -> HttpResponse:
    """Follow somebody; twice is once."""
    viewer = viewer_of(request)
    made = social.follow(follower=viewer.user, followee=people.named(body.user))
    return json_response(_follow(made), status=201)


@router.get("/follows")
def follows(
    request: HttpRequest, after: str | None = None, limit: int | None = None
) -> HttpResponse:
    """Whom the caller follows, newest first."""
    page = queries.following(user=viewer_of(request).user, after=after, limit=limit)
    return page_response(page, _follow)


@router.get("/follows/{follow_id}")
def one_follow(request: HttpRequest, follow_id: str) -> HttpResponse:
    """One of the caller's follows."""
    return json_response(
        _follow(queries.follow_of(user=viewer_of(request).user, follow_id=follow_id))
    )


@router.delete("/follows/{follow_id}")
def unfollow(request: HttpRequest, follow_id: str) -> HttpResponse:
    """Stop following."""
    user = viewer_of(request).user
    found = queries.follow_of(user=user, follow_id=follow_id)
    social.unfollow(follower=user, followee=found.followee)
    return HttpResponse(status=204)


def _follow(found: Follow) -> dict[str, Any]:
    return {
        "id": found.id,
        "user": people.person(found.followee),
        "created_at": found.created_at,
    }
