"""Pictures: the feed, and one with all that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_safe

from atelier.catalog.vocabulary import BASE_MODELS, MAX_INT, Rating
from atelier.core.errors import NotFound
from atelier.gallery import queries as gallery
from atelier.web.views import talk
from atelier.web.views.models import viewer_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

ON_PAGE = 48
SORTS = (("newest", "Newest"), ("reactions", "Most reactions"), ("comments", "Most comments"))


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Everybody's pictures."""
    viewer = viewer_of(request)
    sort = request.GET.get("sort", "")
    sort = sort if sort in dict(SORTS) else "newest"
    base = request.GET.get("base", "")
    page = gallery.feed(
        levels=gallery.levels_of(viewer),
        sort=sort,
        base_model=base if base in BASE_MODELS else "",
        after=request.GET.get("after"),
        limit=ON_PAGE,
    )
    return render(
        request,
        "images/index.html",
        {
            "area": "images",
            "images": page.items,
            "next": page.next,
            "sort": sort,
            "base": base,
            "sorts": SORTS,
            "bases": [name for name, entry in BASE_MODELS.items() if entry.family or name == base],
        },
    )


@require_safe
def detail(request: HttpRequest, image_id: int) -> HttpResponse:
    """One picture at its largest, and all that made it."""
    if image_id > MAX_INT:
        raise NotFound("There is no such image.")
    viewer = viewer_of(request)
    image = gallery.image_for(image_id=image_id, viewer=viewer)
    levels = gallery.levels_of(viewer)
    newer, older = gallery.neighbours(image, levels=levels)
    facts = gallery.facts_of(image, viewer=viewer)
    guarded = not image.nsfw_level & levels
    return render(
        request,
        "images/detail.html",
        {
            "area": "images",
            "image": image,
            "facts": facts,
            "newer": newer,
            "older": older,
            "guarded": guarded and "show" not in request.GET,
            "rating": Rating(image.nsfw_level).label,
            "is_owner": viewer is not None and viewer.pk == image.owner_id,
            **talk.context(request, kind="image", target_id=image.pk),
        },
    )
