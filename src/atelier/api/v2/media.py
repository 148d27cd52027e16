"""Pictures for posts, datasets and references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.http import HttpRequest, HttpResponse
from ninja import File, Router
from ninja.files import UploadedFile

from atelier.api.v2.common import json_response, optional_viewer, page_response, viewer_of
from atelier.core.errors import NotFound
from atelier.likeness import queries as likeness
from atelier.media import queries
from atelier.media import services as media
from atelier.media.models import Status

if TYPE_CHECKING:
    from typing import BinaryIO

    from atelier.media.models import Media

router = Router(tags=["Media"])
SHOWN_WIDTH = 640


@router.post("/media")
def upload(request: HttpRequest, file: File[UploadedFile]) -> HttpResponse:
    """Send a picture: PNG, JPEG, WebP, AVIF, HEIC or GIF, at most 32 MiB and 64 megapixels.

    It is `pending` until it was checked, then `ready`, or `refused` with a `code`. Ask again under
    its address.
    """
    made = media.receive(
        owner=viewer_of(request).user,
        stream=cast("BinaryIO", file.file),
        filename=file.name or "",
    )
    return json_response(_media(made), status=201)


@router.get("/media")
def pictures(
    request: HttpRequest, after: str | None = None, limit: int | None = None
) -> HttpResponse:
    """The caller's pictures, newest first."""
    page = queries.of(owner=viewer_of(request).user, after=after, limit=limit)
    return page_response(page, _media)


@router.get("/media/{media_id}", auth=None)
def picture(request: HttpRequest, media_id: str) -> HttpResponse:
    """One's own picture in any state, or anybody's that is public."""
    found = queries.get(media_id)
    viewer = optional_viewer(request)
    user = viewer.user if viewer else None
    own = user is not None and user.pk == found.owner_id and found.visibility != "hidden"
    if not own and not likeness.may_open(viewer=user, media=found):
        raise NotFound("There is no such picture.")
    return json_response(_media(found))


def _media(found: Media) -> dict[str, Any]:
    ready = found.status == Status.READY
    body: dict[str, Any] = {
        "id": found.id,
        "kind": found.kind,
        "sha256": found.sha256,
        "width": found.width,
        "height": found.height,
        "status": found.status,
        "rating": found.rating,
        "filename": found.filename,
        "visibility": found.visibility,
        "thumbhash": found.thumbhash,
        "url": queries.original_url(found) if ready else None,
        "preview": queries.url(found, SHOWN_WIDTH) if ready else None,
        "created_at": found.created_at,
    }
    if found.status == Status.REFUSED:
        body |= {"code": found.refusal_code, "detail": found.refusal_detail}
    return body
