"""Rows taken for a change: the post before its pictures."""

from __future__ import annotations

from atelier.core.errors import NotFound
from atelier.gallery.models import Image, Post


def post(post_id: int) -> Post:
    """The post, held until the transaction ends."""
    row = Post.objects.select_for_update(of=("self",), no_key=True).filter(pk=post_id).first()
    if row is None:
        raise NotFound("There is no such post.")
    return row


def images_of(row: Post) -> list[Image]:
    """A post's pictures, held until the transaction ends. The caller holds the post."""
    return list(
        Image.objects.select_for_update(of=("self",), no_key=True).filter(post=row).order_by("pk")
    )


def image(image_id: int) -> tuple[Post, Image]:
    """A picture and its post, both held until the transaction ends."""
    post_id = Image.objects.filter(pk=image_id).values_list("post_id", flat=True).first()
    if post_id is None:
        raise NotFound("There is no such image.")
    parent = post(post_id)
    row = Image.objects.select_for_update(of=("self",), no_key=True).get(pk=image_id)
    row.post = parent
    return parent, row
