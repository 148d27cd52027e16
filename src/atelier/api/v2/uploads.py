"""Resumable uploads after tus 1.0: core, creation, termination, checksum, expiration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse
from django.utils.http import http_date
from ninja import Router

from atelier.api.problems import problem_response
from atelier.api.v2.common import json_response, page_response, viewer_of
from atelier.catalog import uploads
from atelier.catalog.models import Upload
from atelier.core import pagination
from atelier.core.errors import DomainError, Invalid

if TYPE_CHECKING:
    from typing import Any

router = Router(tags=["Uploads"])
VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
BODY_TYPE = "application/offset+octet-stream"
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)


class UnsupportedVersion(Invalid):
    """A tus client of another version."""

    code = "unsupported_tus_version"
    title = "This protocol version is not spoken here"
    status = 412


class WrongBodyType(Invalid):
    """Bytes in another wrapping than tus wants."""

    code = "unsupported_media_type"
    title = "The bytes come in another wrapping"
    status = 415


def _tus(response: HttpResponse) -> HttpResponse:
    response["Tus-Resumable"] = VERSION
    response["Cache-Control"] = "no-store"
    return response


def _number(request: HttpRequest, name: str) -> int:
    raw = request.headers.get(name, "")
    if not _NUMBER.fullmatch(raw):
        raise Invalid.field(name, "must be a whole number")
    return int(raw)


def _check_version(request: HttpRequest) -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise UnsupportedVersion(f"Send Tus-Resumable: {VERSION}.")


def _refused(problem: DomainError) -> HttpResponse:
    response = _tus(problem_response(problem))
    if isinstance(problem, UnsupportedVersion):
        response["Tus-Version"] = VERSION
    return response


@router.api_operation(["OPTIONS"], "/uploads", auth=None)
def abilities(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - every route takes it
    """Which parts of tus are spoken here."""
    response = _tus(HttpResponse(status=204))
    response["Tus-Version"] = VERSION
    response["Tus-Extension"] = EXTENSIONS
    response["Tus-Max-Size"] = str(uploads.MAX_BYTES)
    response["Tus-Checksum-Algorithm"] = ",".join(uploads.CHECKSUMS)
    return response


@router.post("/uploads")
def create(request: HttpRequest) -> HttpResponse:
    """A new upload; its address is in ``Location``, its id in the body."""
    try:
        _check_version(request)
        if "Upload-Length" not in request.headers:
            raise Invalid.field("Upload-Length", "is needed: the length must be known at the start")
        upload = uploads.create(
            owner=viewer_of(request).user,
            length=_number(request, "Upload-Length"),
            metadata=request.headers.get("Upload-Metadata", ""),
        )
        offset = 0
        if request.content_type == BODY_TYPE:
            offset = _receive(request, upload, offset=0)
    except DomainError as problem:
        return _refused(problem)
    upload.refresh_from_db()
    response = _tus(json_response(_render(upload, offset), status=201))
    response["Location"] = request.build_absolute_uri(f"/api/v2/uploads/{upload.pk}")
    _say_where(response, upload, offset)
    return response


@router.get("/uploads")
def index(request: HttpRequest, after: str | None = None, limit: int | None = None) -> HttpResponse:
    """The caller's uploads, newest first."""
    rows = Upload.objects.filter(owner=viewer_of(request).user)
    page = pagination.paginate(rows, order=("-id",), after=after, limit=limit)
    return page_response(page, lambda upload: _render(upload, uploads.arrived(upload)))


@router.api_operation(["HEAD", "GET"], "/uploads/{upload_id}")
def look(request: HttpRequest, upload_id: str) -> HttpResponse:
    """How much has arrived: in the headers, and in the body of a GET."""
    try:
        if request.method == "HEAD":
            _check_version(request)
        upload = uploads.find(upload_id=upload_id, owner=viewer_of(request).user)
        offset = uploads.offset_of(upload)
    except DomainError as problem:
        return _refused(problem)
    response = _tus(json_response(_render(upload, offset)))
    _say_where(response, upload, offset)
    return response


@router.patch("/uploads/{upload_id}")
def append(request: HttpRequest, upload_id: str) -> HttpResponse:
    """More bytes, from where the upload ends."""
    try:
        _check_version(request)
        if request.content_type != BODY_TYPE:
            raise WrongBodyType(f"Send the bytes as {BODY_TYPE}.")
        offset = _number(request, "Upload-Offset")
        upload = uploads.find(upload_id=upload_id, owner=viewer_of(request).user)
        offset = _receive(request, upload, offset=offset)
    except DomainError as problem:
        return _refused(problem)
    upload.refresh_from_db()
    response = _tus(HttpResponse(status=204))
    _say_where(response, upload, offset)
    return response


@router.delete("/uploads/{upload_id}")
def terminate(request: HttpRequest, upload_id: str) -> HttpResponse:
    """The upload is given up and its bytes are forgotten."""
    try:
        _check_version(request)
        upload = uploads.find(upload_id=upload_id, owner=viewer_of(request).user)
        uploads.terminate(upload=upload)
    except DomainError as problem:
        return _refused(problem)
    return _tus(HttpResponse(status=204))


def _receive(request: HttpRequest, upload: Upload, *, offset: int) -> int:
    announced = request.headers.get("Content-Length", "")
    checksum = request.headers.get("Upload-Checksum")
    return uploads.append(
        upload=upload,
        offset=offset,
        stream=request,  # type: ignore[arg-type] # read() is all that is used
        length=int(announced) if _NUMBER.fullmatch(announced) else None,
        checksum=uploads.read_checksum(checksum) if checksum else None,
    )


def _say_where(response: HttpResponse, upload: Upload, offset: int) -> None:
    response["Upload-Offset"] = str(offset)
    response["Upload-Length"] = str(upload.length)
    if upload.metadata:
        response["Upload-Metadata"] = upload.metadata
    if upload.state == Upload.State.RECEIVING:
        response["Upload-Expires"] = http_date(upload.expires_at.timestamp())


def _render(upload: Upload, offset: int) -> dict[str, Any]:
    return {
        "id": upload.pk,
        "filename": upload.filename,
        "length": upload.length,
        "offset": offset,
        "state": upload.state,
        "created_at": upload.created_at,
        "expires_at": upload.expires_at,
    }
