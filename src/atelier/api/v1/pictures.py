"""Pictures at addresses that other programs know how to change: any width, any extension."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from atelier.api.v1 import dialect
from atelier.api.v1.bytes_response import serve
from atelier.api.v1.dialect import V1Error
from atelier.likeness import queries as likeness
from atelier.media import queries as media
from atelier.media.models import Blob

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

_WIDTH = re.compile(r"(?:^|[,/])width=(\d{1,5})(?=$|[,/])", re.ASCII)
FULL_WIDTH = 100_000


@dialect.endpoint("GET")
def picture(request: HttpRequest, media_id: str, params: str, name: str) -> HttpResponseBase:
    """A public picture in about the width asked for, or its largest size."""
    del name
    found = media.get(media_id)
    viewer = dialect.user_of(request)
    if not likeness.may_open(viewer=viewer, media=found):
        raise V1Error(404, {"error": "There is no such picture."})
    match = _WIDTH.search(params)
    sha256 = media.blob_of(found, width=int(match[1]) if match else FULL_WIDTH, fmt="webp")
    blob = Blob.objects.filter(pk=sha256, destroyed_at=None).first() if sha256 else None
    if blob is None:
        raise V1Error(404, {"error": "There is no such picture."})
    response = serve(request, sha256=blob.sha256, size=blob.size_bytes, content_type="image/webp")
    response["Cache-Control"] = "private, max-age=60"
    return response
