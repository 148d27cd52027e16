"""Counters that people's doings add up to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.db.models import F, Value
from django.db.models.functions import Greatest

from atelier.catalog import services as catalog
from atelier.gallery.models import Image, ImageResource, Post

if TYPE_CHECKING:
    from collections.abc import Mapping

REACTIONS = ("like", "heart", "laugh", "cry", "dislike")


def add_reactions(*, by_image: Mapping[int, Mapping[str, int]]) -> None:
    """Adds to the reaction counters of pictures: ``{image id: {"like": 2, "cry": -1}}``."""
    for image_id in sorted(by_image):
        changes = {
            f"{kind}_count": Greatest(F(f"{kind}_count") + change, Value(0))
            for kind, change in by_image[image_id].items()
            if kind in REACTIONS and change
        }
        if changes:
            Image.objects.filter(pk=image_id).update(**changes)


def add_comments(
    *, image_id: int | None = None, post_id: int | None = None, count: int = 1
) -> None:
    """Comments on a picture or a post came or went."""
    total = Greatest(F("comment_count") + count, Value(0))
    if image_id is not None:
        Image.objects.filter(pk=image_id).update(comment_count=total)
    if post_id is not None:
        Post.objects.filter(pk=post_id).update(comment_count=total)


def count_for_models(payload: dict[str, Any], *, sign: int = 1) -> None:
    """Pictures came or went: the models that made them count them.

    Called with the news, not in the posting itself, so that everybody who posts pictures of a
    popular model does not wait for its one row.
    """
    models = ImageResource.objects.filter(image_id__in=payload["image_ids"]).values_list(
        "model_id", "image_id"
    )
    totals = Counter(model_id for model_id, _ in set(models))
    catalog.add_images(by_model={model_id: sign * count for model_id, count in totals.items()})
