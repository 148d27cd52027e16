"""Taking posts and pictures away from everybody but staff, and giving them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atelier.core import db, outbox
from atelier.core.errors import WrongState
from atelier.gallery import locks
from atelier.gallery.models import Image, Status
from atelier.media import services as media

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atelier.gallery.models import Post


def hide_post(*, post_id: int) -> Post:
    """Hides a post and its pictures; :func:`unhide_post` brings back what this hid."""
    return _take_post(post_id, Status.HIDDEN)


def remove_post(*, post_id: int) -> Post:
    """Takes a post away for good."""
    return _take_post(post_id, Status.REMOVED)


def _take_post(post_id: int, status: Status) -> Post:
    with db.locking():
        row = locks.post(post_id)
        if row.status == Status.REMOVED:
            return row
        images = locks.images_of(row)
        row.status = status
        row.save(update_fields=["status"])
        _take([image for image in images if image.status != Status.REMOVED], status)
    return row


def unhide_post(*, post_id: int) -> Post:
    """Gives a hidden post back with its pictures."""
    with db.locking():
        row = locks.post(post_id)
        if row.status != Status.HIDDEN:
            raise WrongState("This post is not hidden.")
        images = [image for image in locks.images_of(row) if image.status == Status.HIDDEN]
        row.status = Status.PUBLISHED
        row.save(update_fields=["status"])
        _give_back(images)
    return row


def hide_image(*, image_id: int) -> Image:
    """Hides one picture of a post."""
    return _take_image(image_id, Status.HIDDEN)


def remove_image(*, image_id: int) -> Image:
    """Takes one picture away for good."""
    return _take_image(image_id, Status.REMOVED)


def _take_image(image_id: int, status: Status) -> Image:
    with db.locking():
        _, row = locks.image(image_id)
        if row.status != Status.REMOVED:
            _take([row], status)
            row.status = status
    return row


def unhide_image(*, image_id: int) -> Image:
    """Gives a hidden picture back; its post must be public."""
    with db.locking():
        post, row = locks.image(image_id)
        if row.status != Status.HIDDEN:
            raise WrongState("This picture is not hidden.")
        if post.status != Status.PUBLISHED:
            raise WrongState("The picture's post is not public; unhide that first.")
        _give_back([row])
        row.status = Status.PUBLISHED
    return row


def _take(images: Sequence[Image], status: Status) -> None:
    shown = [image.pk for image in images if image.status == Status.PUBLISHED]
    Image.objects.filter(pk__in=[image.pk for image in images]).update(status=status)
    # The bytes too: an address that somebody kept must not open any more.
    media.hide(media_ids=[image.media_id for image in images])
    if shown:
        outbox.publish("gallery.images_gone", {"image_ids": shown})


def _give_back(images: Sequence[Image]) -> None:
    Image.objects.filter(pk__in=[image.pk for image in images]).update(status=Status.PUBLISHED)
    media.unhide(media_ids=[image.media_id for image in images], public=True)
    outbox.publish("gallery.images_back", {"image_ids": [image.pk for image in images]})
