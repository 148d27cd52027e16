"""Pictures themselves. Visibility is checked on each request, so that a block acts at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import FileResponse, Http404, HttpResponse, HttpResponseNotModified
from django.views.decorators.http import require_safe

from atelier.accounts import services as accounts
from atelier.core import storage
from atelier.core.errors import NotFound
from atelier.likeness import queries as likeness
from atelier.media import queries

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from atelier.accounts.models import User
    from atelier.media.models import Media

CACHE = "private, max-age=60"
# Bytes that somebody brought: whatever a browser makes of them, it may do nothing.
CONTENT_POLICY = "default-src 'none'; sandbox"


@require_safe
def derivative(request: HttpRequest, media_id: str, width: str, fmt: str) -> HttpResponseBase:
    """A picture in one of its sizes."""
    found = _open(request, media_id)
    blob = queries.blob_of(found, width=int(width), fmt=fmt)
    if blob is None:
        raise Http404
    return _answer(request, blob, f"image/{fmt}", f"{found.id}-{width}.{fmt}")


@require_safe
def original(request: HttpRequest, media_id: str) -> HttpResponseBase:
    """The full picture as PNG; with ``?download=1`` to be saved."""
    found = _open(request, media_id)
    return _answer(
        request,
        queries.original_of(found),
        "image/png",
        f"{found.id}.png",
        as_attachment="download" in request.GET,
    )


def _open(request: HttpRequest, media_id: str) -> Media:
    try:
        found = queries.get(media_id)
    except NotFound as problem:
        raise Http404 from problem
    # Public pictures, nearly all of them, are answered without looking up who asks.
    if likeness.may_open(viewer=None, media=found):
        return found
    viewer = _viewer(request)
    if viewer is None or not likeness.may_open(viewer=viewer, media=found):
        raise Http404
    return found


def _viewer(request: HttpRequest) -> User | None:
    """Who asks: the owner of a token, since programs fetch pictures too, or of a session."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    token = text.strip() if scheme.lower() == "bearer" else request.GET.get("token", "")
    if token:
        known = accounts.authenticate_token(text=token)
        return known.user if "read" in known.scopes else None
    return request.user if request.user.is_authenticated else None


def _answer(
    request: HttpRequest, blob: str, content_type: str, name: str, *, as_attachment: bool = False
) -> HttpResponseBase:
    tag = f'"{blob}"'
    response: HttpResponseBase
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponseNotModified()
    elif request.method == "HEAD":
        response = HttpResponse(content_type=content_type)
    else:
        try:
            response = FileResponse(
                storage.blobs().open(blob),
                content_type=content_type,
                filename=name,
                as_attachment=as_attachment,
            )
        except FileNotFoundError as problem:
            raise Http404 from problem
    response["Cache-Control"] = CACHE
    response["ETag"] = tag
    response["Content-Security-Policy"] = CONTENT_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    return response
