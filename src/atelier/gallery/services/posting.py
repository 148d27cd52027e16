"""Sharing pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import IntegrityError

from atelier.catalog import services as catalog
from atelier.core import db, markdown, outbox
from atelier.core.errors import Invalid, NotOwner, WrongState
from atelier.gallery import locks, placeholder, provenance
from atelier.gallery.models import Image, ImageResource, Post, Status
from atelier.likeness import services as likeness
from atelier.likeness.actions import Action
from atelier.likeness.refs import Ref
from atelier.media import queries as media_queries
from atelier.media import services as media
from atelier.media.origins import OriginFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atelier.accounts.models import User
    from atelier.catalog.models import ModelVersion
    from atelier.gallery.provenance import Maker, ResourceSpec
    from atelier.media.models import Media

MAX_TITLE = 100
MAX_DESCRIPTION = 5_000
MAX_IMAGES = 20
MAX_PROMPT = 10_000


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """A picture to post, and what its owner says about it where its file says nothing."""

    media_id: str
    prompt: str = ""
    negative_prompt: str = ""
    resources: Sequence[ResourceSpec] = ()


def create_post(
    *,
    owner: User,
    title: str,
    images: Sequence[ImageSpec],
    version: ModelVersion | None = None,
    description: str = "",
    key: str = "",
) -> Post:
    """Shares one's own ready pictures, in order; everybody can open them from then on.

    ``version`` shows the post with one's own model. The same ``key`` again answers the post that it
    made, so an event that comes twice posts once.
    """
    label = _text("title", title, MAX_TITLE)
    body = _text("description", description, MAX_DESCRIPTION)
    for spec in images:
        _text("prompt", spec.prompt, MAX_PROMPT)
        _text("negative_prompt", spec.negative_prompt, MAX_PROMPT)
    ids = [spec.media_id for spec in images]
    if not 1 <= len(ids) <= MAX_IMAGES:
        raise Invalid.field("images", f"a post has 1 to {MAX_IMAGES}")
    if len(set(ids)) != len(ids):
        raise Invalid.field("images", "names the same picture twice")
    if key and (before := Post.objects.filter(owner=owner, key=key).first()):
        return before
    try:
        with db.locking():
            return _create(
                owner=owner, title=label, body=body, images=images, version=version, key=key
            )
    except IntegrityError:
        # The same event, at the same time, in another process.
        if key and (before := Post.objects.filter(owner=owner, key=key).first()):
            return before
        raise


def _create(
    *,
    owner: User,
    title: str,
    body: str,
    images: Sequence[ImageSpec],
    version: ModelVersion | None,
    key: str,
) -> Post:
    if version is not None and version.model.owner_id != owner.pk:
        raise NotOwner("A post is shown with a model by that model's maker alone.")
    pictures = media_queries.get_ready(owner=owner, ids=[spec.media_id for spec in images])
    makers = [
        provenance.makers_of(media=picture, declared=spec.resources, owner=owner)
        for picture, spec in zip(pictures, images, strict=True)
    ]
    _decide(owner=owner, title=title, body=body, images=images, pictures=pictures, makers=makers)
    post = Post.objects.create(
        owner=owner,
        title=title,
        description=body,
        description_html=markdown.render(body),
        version=version,
        key=key,
        nsfw_level=_union(pictures),
    )
    made: list[Image] = []
    for position, (picture, spec, named) in enumerate(zip(pictures, images, makers, strict=True)):
        _declare(picture, spec, owner)
        image = Image.objects.create(
            post=post,
            owner=owner,
            media=picture,
            position=position,
            nsfw_level=picture.rating,
            base_model=provenance.base_model_of(named),
            blurhash=placeholder.blurhash(picture.dominant_color),
        )
        _link(image, named, version)
        made.append(image)
    media.publish(media_ids=[picture.pk for picture in pictures])
    if version is not None:
        catalog.add_ratings(version_id=version.pk, levels=post.nsfw_level)
    outbox.publish(
        "gallery.post_published",
        {
            "post_id": post.pk,
            "owner_id": owner.pk,
            "image_ids": [image.pk for image in made],
            "showcase": bool(key),
        },
    )
    return post


def _decide(
    *,
    owner: User,
    title: str,
    body: str,
    images: Sequence[ImageSpec],
    pictures: Sequence[Media],
    makers: Sequence[Sequence[Maker]],
) -> None:
    texts = {"title": title, "description": body}
    for number, (spec, picture) in enumerate(zip(images, pictures, strict=True)):
        prompt = picture.origin.prompt if picture.origin else spec.prompt
        texts[f"images.{number}.prompt"] = prompt
    versions = sorted({maker.version.pk for named in makers for maker in named})
    likeness.decide(
        action=Action.POST_CREATE,
        actor_id=owner.pk,
        subjects=[
            *(Ref("media", picture.pk) for picture in pictures),
            *(Ref("version", version_id) for version_id in versions),
        ],
        texts=texts,
    )


def _declare(picture: Media, spec: ImageSpec, owner: User) -> None:
    said = spec.prompt.strip() or spec.negative_prompt.strip() or spec.resources
    if picture.origin_id is not None or not said:
        return
    media.declare_origin(
        media=picture,
        owner=owner,
        origin=OriginFacts(
            prompt=spec.prompt.strip(), negative_prompt=spec.negative_prompt.strip()
        ),
    )


def _link(image: Image, makers: Sequence[Maker], version: ModelVersion | None) -> None:
    rows = [
        ImageResource(
            image=image,
            version=maker.version,
            model_id=maker.version.model_id,
            strength=maker.strength,
            proven=maker.proven,
        )
        for maker in makers
    ]
    if version is not None and all(maker.version.pk != version.pk for maker in makers):
        rows.append(ImageResource(image=image, version=version, model_id=version.model_id))
    ImageResource.objects.bulk_create(rows)


def update_post(*, post: Post, actor: User, title: str, description: str) -> Post:
    """Change a post's words."""
    label = _text("title", title, MAX_TITLE)
    body = _text("description", description, MAX_DESCRIPTION)
    with db.locking():
        row = locks.post(post.pk)
        if row.owner_id != actor.pk:
            raise NotOwner("Only its owner can change this post.")
        if row.status != Status.PUBLISHED:
            raise WrongState("This post was taken down, so it cannot be changed.")
        likeness.decide(
            action=Action.POST_CREATE,
            actor_id=actor.pk,
            subjects=[Ref("post", row.pk)],
            texts={"title": label, "description": body},
        )
        row.title, row.description = label, body
        row.description_html = markdown.render(body)
        row.save(update_fields=["title", "description", "description_html"])
    return row


def delete_post(*, post: Post, actor: User) -> None:
    """Takes one's own post back; pictures shown nowhere else are private again."""
    with db.locking():
        row = locks.post(post.pk)
        if row.owner_id != actor.pk:
            raise NotOwner("Only its owner can delete this post.")
        if row.status == Status.REMOVED:
            return
        if row.status == Status.HIDDEN:
            raise WrongState("Staff hid this post; it stays as it is until that is decided.")
        images = locks.images_of(row)
        row.status = Status.REMOVED
        row.save(update_fields=["status"])
        removed = [image for image in images if image.status == Status.PUBLISHED]
        Image.objects.filter(pk__in=[image.pk for image in removed]).update(status=Status.REMOVED)
        media_ids = [image.media_id for image in removed]
        elsewhere = set(
            Image.objects.filter(media_id__in=media_ids, status=Status.PUBLISHED).values_list(
                "media_id", flat=True
            )
        )
        media.unpublish(media_ids=[one for one in media_ids if one not in elsewhere])
        outbox.publish("gallery.images_gone", {"image_ids": [image.pk for image in removed]})


def _union(pictures: Sequence[Media]) -> int:
    levels = 0
    for picture in pictures:
        levels |= picture.rating
    return levels


def _text(field: str, text: str, most: int) -> str:
    stripped = text.strip()
    if len(stripped) > most:
        raise Invalid.field(field, f"must be at most {most} characters")
    if "\0" in stripped:
        raise Invalid.field(field, "must not hold a null character")
    return stripped
