"""Sharing pictures, and finding those of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema

from atelier.api.v2 import people
from atelier.api.v2.common import (
    bytes_response,
    json_response,
    optional_viewer,
    page_response,
    viewer_of,
)
from atelier.catalog import queries as catalog
from atelier.catalog.vocabulary import MAX_INT
from atelier.core.errors import NotFound
from atelier.gallery import feeds, queries, services
from atelier.gallery.provenance import ResourceSpec
from atelier.gallery.services import ImageSpec

if TYPE_CHECKING:
    from atelier.accounts.models import User
    from atelier.gallery.models import Image, Post

router = Router(tags=["Posts"])


class ResourceIn(Schema):
    """A version that made a picture, by id or AIR."""

    version: int | str
    strength: float = 1.0


class ImageIn(Schema):
    """A picture of one's own, uploaded or generated; ``prompt`` counts where its file is silent."""

    media: str
    prompt: str = ""
    negative_prompt: str = ""
    resources: list[ResourceIn] = Field(default_factory=list)


class PostIn(Schema):
    """A new post; ``version`` shows it with a model of one's own."""

    title: str = ""
    description: str = ""
    images: list[ImageIn]
    version: int | str | None = None


class PostChange(Schema):
    """New words for a post."""

    title: str = ""
    description: str = ""


class ImageFilter(Schema):
    """Which pictures, and in which order: newest, reactions, comments or collected."""

    after: str | None = None
    limit: int | None = None
    sort: str = "newest"
    owner: str = ""
    model: int | None = None
    version: int | None = None
    base_model: str = ""


def _user(request: HttpRequest) -> User | None:
    viewer = optional_viewer(request)
    return viewer.user if viewer else None


def _id(number: int) -> int:
    if not 1 <= number <= MAX_INT:
        raise NotFound("There is nothing with this id.")
    return number


@router.post("/posts")
def create(request: HttpRequest, body: PostIn) -> HttpResponse:
    """Share pictures; everybody can see them from then on."""
    user = viewer_of(request).user
    version = None
    if body.version is not None:
        resolved = catalog.resolve(body.version)
        version = catalog.version_for(version_id=resolved.pk, viewer=user)
    post = services.create_post(
        owner=user,
        title=body.title,
        description=body.description,
        version=version,
        images=[
            ImageSpec(
                media_id=image.media,
                prompt=image.prompt,
                negative_prompt=image.negative_prompt,
                resources=[ResourceSpec(one.version, one.strength) for one in image.resources],
            )
            for image in body.images
        ],
    )
    return json_response(_whole(post.pk, user), status=201)


@router.get("/posts", auth=None)
def index(
    request: HttpRequest, after: str | None = None, limit: int | None = None, owner: str = ""
) -> HttpResponse:
    """Posts, newest first."""
    viewer = _user(request)
    return bytes_response(
        feeds.posts(
            levels=queries.levels_of(viewer),
            after=after,
            limit=limit,
            owner_id=people.named(owner).pk if owner else None,
        )
    )


@router.get("/posts/{int:post_id}", auth=None)
def detail(request: HttpRequest, post_id: int) -> HttpResponse:
    """One post with its pictures."""
    return json_response(_whole(_id(post_id), _user(request)))


@router.patch("/posts/{int:post_id}")
def change(request: HttpRequest, post_id: int, body: PostChange) -> HttpResponse:
    """New words for one's own post."""
    user = viewer_of(request).user
    post, _ = queries.post_for(post_id=_id(post_id), viewer=user)
    services.update_post(post=post, actor=user, title=body.title, description=body.description)
    return json_response(_whole(post.pk, user))


@router.delete("/posts/{int:post_id}")
def delete(request: HttpRequest, post_id: int) -> HttpResponse:
    """Take one's own post back."""
    user = viewer_of(request).user
    post, _ = queries.post_for(post_id=_id(post_id), viewer=user)
    services.delete_post(post=post, actor=user)
    return HttpResponse(status=204)


@router.get("/images", auth=None)
def images(request: HttpRequest, wanted: Query[ImageFilter]) -> HttpResponse:
    """Pictures; ``model`` and ``version`` give those made with them."""
    page = queries.feed(
        levels=queries.levels_of(_user(request)),
        after=wanted.after,
        limit=wanted.limit,
        sort=wanted.sort,
        base_model=wanted.base_model,
        owner_id=people.named(wanted.owner).pk if wanted.owner else None,
        model_id=_id(wanted.model) if wanted.model is not None else None,
        version_id=_id(wanted.version) if wanted.version is not None else None,
    )
    return page_response(page, _image)


@router.get("/images/{int:image_id}", auth=None)
def image_detail(request: HttpRequest, image_id: int) -> HttpResponse:
    """One picture and how it was made."""
    viewer = _user(request)
    image = queries.image_for(image_id=_id(image_id), viewer=viewer)
    return json_response(_image_with_facts(image, viewer))


def _whole(post_id: int, viewer: User | None) -> dict[str, Any]:
    post, images = queries.post_for(post_id=post_id, viewer=viewer)
    return _post(post, [_image_with_facts(image, viewer) for image in images])


def _post(post: Post, images: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": post.pk,
        "title": post.title,
        "description": post.description,
        "status": post.status,
        "url": post.get_absolute_url(),
        "owner": people.person(post.owner),
        "version": post.version_id,
        "nsfw_level": post.nsfw_level,
        "comments": post.comment_count,
        "published_at": post.published_at,
        "images": images,
    }


def _image(image: Image) -> dict[str, Any]:
    media = image.media
    return {
        "id": image.pk,
        "post": image.post_id,
        "media": image.media_id,
        "page": image.get_absolute_url(),
        "url": f"/media/{image.media_id}/original.png",
        "thumbnail": f"/media/{image.media_id}/320.webp",
        "width": media.width,
        "height": media.height,
        "rating": image.nsfw_level,
        "owner": people.person(image.owner),
        "base_model": image.base_model or None,
        "reactions": {
            "like": image.like_count,
            "heart": image.heart_count,
            "laugh": image.laugh_count,
            "cry": image.cry_count,
            "dislike": image.dislike_count,
        },
        "comments": image.comment_count,
        "created_at": image.created_at,
    }


def _image_with_facts(image: Image, viewer: User | None) -> dict[str, Any]:
    facts = queries.facts_of(image, viewer=viewer)
    return {
        **_image(image),
        "prompt": facts.prompt,
        "negative_prompt": facts.negative_prompt,
        "settings": facts.settings,
        "generator": facts.generator or None,
        "resources": [
            {
                "name": used.name,
                "type": used.type,
                "strength": used.strength,
                "version": used.version_id,
                "proven": used.proven,
            }
            for used in facts.resources
        ],
    }
