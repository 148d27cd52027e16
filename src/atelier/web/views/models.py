"""Models: finding one, and all about one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from atelier.catalog import queries as catalog
from atelier.catalog.models import Access, Clearance, Status
from atelier.catalog.vocabulary import BASE_MODELS, MAX_INT, CommercialUse, ModelType
from atelier.core.errors import NotFound
from atelier.gallery import queries as gallery
from atelier.web.views import talk

if TYPE_CHECKING:
    from django.http import HttpRequest

    from atelier.accounts.models import User
    from atelier.catalog.models import AiModel, ModelVersion

ON_PAGE = 24
PICTURES = 24
SORTS = (
    ("newest", "Newest"),
    ("downloads", "Most downloaded"),
    ("liked", "Most liked"),
    ("images", "Most pictures"),
)
COMMON_TYPES = (
    ModelType.CHECKPOINT, ModelType.LORA, ModelType.LOCON, ModelType.TEXTUAL_INVERSION,
    ModelType.VAE, ModelType.CONTROLNET, ModelType.UPSCALER,
)  # fmt: skip


def viewer_of(request: HttpRequest) -> User | None:
    """Who looks at a page."""
    return request.user if request.user.is_authenticated else None


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Models to choose from."""
    viewer = viewer_of(request)
    levels = gallery.levels_of(viewer)
    chosen = {
        "query": request.GET.get("query", "").strip()[:200],
        "type": request.GET.get("type", ""),
        "base": request.GET.get("base", ""),
        "tag": request.GET.get("tag", "").strip()[:40],
        "sort": request.GET.get("sort", ""),
    }
    sort = chosen["sort"] if chosen["sort"] in dict(SORTS) else "newest"
    page = catalog.search(
        words=chosen["query"].replace("\0", ""),
        type=chosen["type"] if chosen["type"] in ModelType.values else "",
        base_model=chosen["base"] if chosen["base"] in BASE_MODELS else "",
        tag=chosen["tag"].replace("\0", ""),
        levels=levels,
        sort=sort,
        after=request.GET.get("after"),
        limit=ON_PAGE,
    )
    covers = gallery.covers(model_ids=[model.pk for model in page.items], levels=levels)
    return render(
        request,
        "models/index.html",
        {
            "area": "models",
            "chosen": {**chosen, "sort": sort},
            "narrowed": any(chosen[name] for name in ("query", "type", "base", "tag")),
            "models": [(model, covers.get(model.pk)) for model in page.items],
            "next": page.next,
            "sorts": SORTS,
            "types": [(kind.value, kind.label) for kind in COMMON_TYPES],
            "bases": list(BASE_MODELS),
        },
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004 - fits 32 bits


@require_safe
def detail(request: HttpRequest, model_id: int, slug: str = "") -> HttpResponse:
    """One model: its pictures, its facts, and what people make with it."""
    viewer = viewer_of(request)
    if model_id > MAX_INT:
        raise NotFound("There is no such model.")
    model = catalog.model_for(model_id=model_id, viewer=viewer)
    versions = catalog.versions_for(model=model, viewer=viewer)
    query = request.META.get("QUERY_STRING", "")
    if slug != model.slug:
        return redirect(model.get_absolute_url() + (f"?{query}" if query else ""))
    wanted = _number(request.GET.get("version", ""))
    version = next((one for one in versions if one.pk == wanted), None)
    if version is None and versions:
        version = versions[0]
    levels = gallery.levels_of(viewer)
    community = gallery.feed(
        levels=levels,
        model_id=model.pk,
        after=request.GET.get("after"),
        limit=PICTURES,
    )
    facts = _facts_of(version, viewer, levels) if version else {}
    # What the maker shows stands above already.
    own_ids = {image.pk for image in facts.get("shown", [])}
    return render(
        request,
        "models/detail.html",
        {
            "area": "models",
            "model": model,
            "versions": versions,
            "version": version,
            "is_owner": viewer is not None and viewer.pk == model.owner_id,
            "community": [image for image in community.items if image.pk not in own_ids],
            "next": community.next,
            "permissions": in_plain_words(model),
            **facts,
            **talk.context(request, kind="model", target_id=model.pk),
        },
    )


def _facts_of(version: ModelVersion, viewer: User | None, levels: int) -> dict[str, Any]:
    shown = gallery.shown_by_maker(version_id=version.pk, levels=levels)
    files = sorted(version.files.all(), key=lambda file: (not file.is_primary, file.pk))
    return {
        "shown": shown,
        "samples": [] if shown else gallery.samples_of(version, viewer=viewer),
        "files": files,
        "primary": files[0] if files else None,
        "generatable": catalog.is_generatable(version) and bool(files),
        "quarantined": version.clearance == Clearance.QUARANTINED,
        "refused": version.clearance == Clearance.REFUSED,
        "locked": version.access == Access.LOCKED,
        "draft": version.status == Status.DRAFT,
        "training_facts": [
            (name.replace("_", " ").capitalize(), value)
            for name, value in version.training_settings.items()
            if isinstance(value, str | int | float) and value != ""
        ],
    }


def in_plain_words(model: AiModel) -> list[tuple[bool, str]]:
    """What others may do with a model: whether, and the words for it."""
    uses = set(model.allow_commercial_use)
    rent = bool(uses & {CommercialUse.RENT, CommercialUse.RENT_CIVIT})
    return [
        (model.allow_no_credit, "Use it without naming its maker"),
        (CommercialUse.IMAGE in uses, "Sell pictures made with it"),
        (rent, "Offer it on paid services"),
        (CommercialUse.SELL in uses, "Sell it, or what is merged from it"),
        (model.allow_derivatives, "Share merges made with it"),
        (model.allow_different_license, "Give merges another licence"),
    ]


@require_safe
def version(request: HttpRequest, version_id: int) -> HttpResponse:
    """The page of a version's model, with that version chosen."""
    if version_id > MAX_INT:
        raise NotFound("There is no such version.")
    found = catalog.version_for(version_id=version_id, viewer=viewer_of(request))
    return redirect(f"{found.model.get_absolute_url()}?version={found.pk}")


@require_safe
def login(request: HttpRequest) -> HttpResponse:
    """Where programs send people to sign in; leads on to where they came from."""
    target = request.GET.get("returnUrl", "/")
    if not url_has_allowed_host_and_scheme(
        target, {request.get_host(), urlsplit(settings.BASE_URL).netloc}
    ):
        target = "/"
    return redirect(f"/accounts/login/?{urlencode({'next': target})}")


@csrf_exempt
def single_slash(request: HttpRequest, rest: str) -> HttpResponse:
    """Programs that put their base address and a path together with two slashes are led on."""
    query = request.META.get("QUERY_STRING", "")
    response = HttpResponse(status=308)
    response["Location"] = f"/{rest}" + (f"?{query}" if query else "")
    return response
