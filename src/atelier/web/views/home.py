"""The first page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import OuterRef, Subquery
from django.shortcuts import render
from django.views.decorators.http import require_safe

from atelier.bounties.models import Bounty
from atelier.bounties.rules import Status as BountyStatus
from atelier.catalog import queries as catalog
from atelier.catalog.vocabulary import Rating
from atelier.gallery import queries as gallery
from atelier.gallery.models import Image, ImageResource
from atelier.social import queries as social

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from atelier.accounts.models import User
    from atelier.catalog.models import AiModel

PICTURES, BOUNTIES, MODELS = 36, 4, 8


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Followed pictures, then open bounties, then fresh models; for a newcomer what this is."""
    viewer = request.user if request.user.is_authenticated else None
    after = request.GET.get("after")
    levels = gallery.levels_of(viewer)
    wants_all = viewer is None or request.GET.get("show") == "all"
    pictures = None
    if viewer is not None and not wants_all:
        pictures = social.followed_pictures(user=viewer, after=after, limit=PICTURES)
    follows = pictures is not None and bool(pictures.items)
    if pictures is None or (not pictures.items and not after):
        pictures = gallery.feed(levels=levels, after=after, limit=PICTURES)
    return render(
        request,
        "home/home.html",
        {
            "area": "home",
            "images": pictures.items,
            "next": pictures.next,
            "shows_followed": follows,
            "bounties": _open_bounties(viewer, levels),
            "models": _fresh_models(levels),
            "may_claim": viewer is not None and social.may_claim_daily(user=viewer),
        },
    )


def _open_bounties(viewer: User | None, levels: int) -> list[Bounty]:
    """Those that end next: there one can still take part."""
    rows = Bounty.objects.visible_to(viewer).within_level(levels)
    return list(
        rows.filter(status=BountyStatus.OPEN)
        .select_related("owner")
        .order_by("deadline", "id")[:BOUNTIES]
    )


def _fresh_models(levels: int) -> list[tuple[AiModel, Image | None]]:
    """The newest models, each with the newest picture that was made with it."""
    ratings = [rating for rating in Rating.values if rating & levels]
    newest = (
        ImageResource.objects.filter(
            model=OuterRef("pk"), image__in=gallery.public_images(), image__nsfw_level__in=ratings
        )
        .order_by("-image_id")
        .values("image_id")[:1]
    )
    models = list(
        catalog.published_models()
        .select_related("owner")
        .annotate(cover_id=Subquery(newest))
        .order_by("-id")[:MODELS]
    )
    covers = Image.objects.select_related("media").in_bulk(
        [model.cover_id for model in models if model.cover_id]
    )
    return [(model, covers.get(model.cover_id)) for model in models]
