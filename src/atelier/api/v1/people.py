# ruff: noqa: S608 - every piece of SQL is a constant of ours; values are parameters
"""Creators, tags, users, oneself, and the words of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Count, Q

from atelier.accounts.models import User
from atelier.api.v1 import dialect, sql
from atelier.api.v1.dialect import Parameters
from atelier.catalog.models import Status, Tag
from atelier.catalog.vocabulary import BASE_MODELS, FileType, ModelType

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

MAX_LIMIT = 200
DEFAULT_LIMIT = 20
MAX_ROWS = 100_000
FEW = 5
# How far a search is counted; the contract allows a lower bound.
COUNTED = 1000


@dialect.endpoint("GET")
def creators(request: HttpRequest) -> HttpResponse:
    """People, those with models first."""
    asked = Parameters(request)
    page, limit = _paging(asked)
    words = asked.text("query")
    asked.check()
    public = Count("ai_models", filter=Q(ai_models__status=Status.PUBLISHED))
    rows = User.objects.filter(is_active=True).annotate(models=public).order_by("-models", "id")
    if words:
        rows = rows.filter(username__contains=words.lower())
    base = dialect.base_url(request)
    items: list[dict[str, Any]] = []
    for user in rows[(page - 1) * limit : page * limit]:
        item: dict[str, Any] = {
            "username": user.username,
            "link": f"{base}/api/v1/models?username={user.username}",
        }
        if user.models:
            item["modelCount"] = user.models
        if user.avatar_media_id:
            item["image"] = (
                f"{base}/api/pictures/atelier/{user.avatar_media_id}/width=96/{user.pk}.jpeg"
            )
        items.append(item)
    total = _counted(User.objects.filter(is_active=True, username__contains=words.lower()))
    metadata = _page_numbers(request, page=page, limit=limit, total=total)
    if words:
        metadata["hasMore"] = page * limit < total
    return dialect.json({"items": items, "metadata": metadata})


@dialect.endpoint("GET")
def tags(request: HttpRequest) -> HttpResponse:
    """Tags of public models."""
    asked = Parameters(request)
    page, limit = _paging(asked)
    words = asked.text("query").lower()
    asked.check()
    rows = Tag.objects.filter(models__status=Status.PUBLISHED, name__startswith=words).distinct()
    base = dialect.base_url(request)
    items = [
        {"name": tag.name, "link": f"{base}/api/v1/models?tag={tag.name}"}
        for tag in rows.order_by("name")[(page - 1) * limit : page * limit]
    ]
    total = _counted(rows)
    return dialect.json(
        {
            "items": items,
            "metadata": _page_numbers(request, page=page, limit=limit, total=total),
        }
    )


@dialect.endpoint("GET")
def users(request: HttpRequest) -> HttpResponse:
    """People by id or by the beginning of their name."""
    asked = Parameters(request)
    ids = asked.ids("ids")[:MAX_LIMIT]
    words = asked.text("query").lower()
    limit = asked.number("limit", least=1, most=MAX_LIMIT, default=FEW)
    asked.check()
    rows = User.objects.filter(is_active=True)
    if ids:
        rows, limit = rows.filter(pk__in=ids), len(ids)
    elif words:
        rows = rows.filter(username__startswith=words)
    return dialect.json({"items": list(rows.order_by("id").values("id", "username")[:limit])})


@dialect.endpoint("GET", signed_in=True)
def me(request: HttpRequest) -> HttpResponse:
    """Whose token this is."""
    user = dialect.user_of(request)
    if user is None:
        return dialect.error(401, {"error": "Unauthorized"})
    return dialect.json(
        {
            "id": user.pk,
            "username": user.username,
            "status": "banned" if user.is_suspended else "active",
            "isMember": False,
            "subscriptions": [],
        }
    )


@dialect.endpoint("GET")
def enums(_request: HttpRequest) -> HttpResponse:
    """The words that parameters and fields take."""
    return dialect.json(
        {
            "ModelType": ModelType.values,
            "ModelFileType": FileType.values,
            "ActiveBaseModel": list(BASE_MODELS),
            "BaseModel": list(BASE_MODELS),
            "BaseModelType": ["Standard", "Inpainting", "Refiner", "Pix2Pix"],
        }
    )


@dialect.endpoint("GET")
def permissions(request: HttpRequest) -> HttpResponse:
    """Which versions the site can draw with."""
    asked = Parameters(request)
    raw = asked.text("entityIds")
    if not raw:
        return dialect.json([])
    ids = asked.ids("entityIds")
    if asked.issues:
        return dialect.error(400, {"error": "Could not parse provided model versions array."})
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT v.id FROM catalog_modelversion AS v
            JOIN catalog_aimodel AS m ON m.id = v.model_id
            WHERE v.id = ANY(%(ids)s::int[]) AND {sql.VISIBLE_VERSION} AND {sql.VISIBLE_MODEL}
              AND {sql.DRAWABLE}
            """,
            {"ids": ids},
        )
        drawable = {row[0] for row in cursor.fetchall()}
    return dialect.json({str(one): one in drawable for one in ids})


@dialect.endpoint("GET", "POST")
def missing(_request: HttpRequest, **_rest: str) -> HttpResponse:
    """What the contract has and this site has not is a JSON 404, never a page."""
    return dialect.error(404, {"error": "Not found"})


def _paging(asked: Parameters) -> tuple[int, int]:
    limit = asked.number("limit", least=1, most=MAX_LIMIT, default=DEFAULT_LIMIT)
    page = asked.number("page", least=0, most=MAX_ROWS // limit, default=1)
    return max(page, 1), limit


def _counted(rows: QuerySet[Any]) -> int:
    return rows.order_by()[:COUNTED].count()


def _page_numbers(request: HttpRequest, *, page: int, limit: int, total: int) -> dict[str, Any]:
    pages = max(1, -(-total // limit))
    numbers: dict[str, Any] = {
        "totalItems": total,
        "currentPage": page,
        "pageSize": limit,
        "totalPages": pages,
    }
    if page < pages:
        numbers["nextPage"] = dialect.with_query(request, page=str(page + 1))
    if page > 1:
        numbers["prevPage"] = dialect.with_query(request, page=str(page - 1))
    return numbers
