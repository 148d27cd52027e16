"""What the routers of ``/api/v2`` share: the API object's auth, viewer access and list answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from django.http import HttpRequest, HttpResponse
from ninja.security.base import AuthBase
from typing_extensions import override

from atelier.api.viewer import Viewer
from atelier.core.errors import Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable

    from atelier.core.pagination import Page

T = TypeVar("T")


class _Authenticated(AuthBase):
    """A bearer token, or the session of a signed-in browser. The middleware identified it."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    @override
    def __call__(self, request: HttpRequest) -> Viewer:
        viewer: Viewer | None = getattr(request, "viewer", None)
        if viewer is None:
            raise Unauthenticated("Send a token as “Authorization: Bearer …”, or sign in.")
        return viewer


authenticated = _Authenticated()


def viewer_of(request: HttpRequest) -> Viewer:
    """The caller of a route; raises :class:`Unauthenticated` for nobody."""
    return authenticated(request)


def optional_viewer(request: HttpRequest) -> Viewer | None:
    """The caller of a public route, or ``None``."""
    viewer: Viewer | None = getattr(request, "viewer", None)
    return viewer


def page_response(page: Page[T], render: Callable[[T], dict[str, Any]]) -> HttpResponse:
    """``{items, next}`` as JSON bytes."""
    return json_response({"items": [render(row) for row in page.items], "next": page.next})


def json_response(body: Any, *, status: int = 200) -> HttpResponse:
    """A body as JSON bytes, past pydantic; datetimes become ISO 8601."""
    return HttpResponse(orjson.dumps(body), status=status, content_type="application/json")


def bytes_response(body: bytes, *, status: int = 200) -> HttpResponse:
    """JSON that PostgreSQL made."""
    return HttpResponse(body, status=status, content_type="application/json")
