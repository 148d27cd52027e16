"""Downloads: one address a version, a redirect to the bytes, and the bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from django.http import HttpResponse

from atelier.api.v1 import dialect
from atelier.api.v1.bytes_response import serve
from atelier.api.v1.dialect import Parameters, V1Error
from atelier.catalog import downloads, queries, services
from atelier.catalog.vocabulary import FileType
from atelier.core.errors import DomainError, NotFound, Unauthenticated

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from atelier.catalog.models import ModelFile

BROWSERS = ("mozilla", "chrome", "safari", "firefox", "opera", "edge")
EXTENTS = ["full", "pruned"]
FORMATS = ["SafeTensor", "PickleTensor", "GGUF", "Diffusers", "Core ML", "ONNX", "Other"]
MAX_PRECISION = 64


@dialect.endpoint("GET")
def version(request: HttpRequest, version_id: str) -> HttpResponseBase:
    """Redirects to the file of a version that fits best what was asked for."""
    return _guarded(request, version_id, default_type="")


@dialect.endpoint("GET")
def training_data(request: HttpRequest, version_id: str) -> HttpResponseBase:
    """The training data of a version, where its maker shares it."""
    return _guarded(request, version_id, default_type=FileType.TRAINING_DATA)


def _guarded(request: HttpRequest, version_id: str, *, default_type: str) -> HttpResponseBase:
    try:
        response = _redirect(request, version_id, default_type)
    except DomainError as problem:
        response = _refusal(request, problem)
    response["Cache-Control"] = "no-store, max-age=0"
    return response


def _redirect(request: HttpRequest, version_id: str, default_type: str) -> HttpResponseBase:
    number = dialect.path_id(version_id)
    wanted, file_id = _wanted(request, default_type)
    viewer = dialect.user_of(request)
    found = queries.version_for(version_id=number, viewer=viewer)
    queries.require_available(version=found, viewer=viewer)
    file = queries.pick_file(version=found, wanted=wanted, file_id=file_id)
    ticket = downloads.allow(version=found, file=file, viewer=viewer)
    if request.method == "GET":
        address = request.META.get("REMOTE_ADDR", "")
        person = downloads.person_of(viewer=viewer, address=address)
        services.record_download(version_id=found.pk, person=person)
    location = (
        f"{dialect.base_url(request)}/api/download/files/{file.pk}/{quote(file.name)}?"
        + urlencode(
            {"ticket": ticket.text, "response-content-disposition": _disposition(file)},
            quote_via=quote,
        )
    )
    response = HttpResponse(location, status=307, content_type="text/plain; charset=utf-8")
    response["Location"] = location
    return response


def _wanted(request: HttpRequest, default_type: str) -> tuple[dict[str, str], int | None]:
    asked = Parameters(request)
    precision = asked.text("fp")
    if len(precision) > MAX_PRECISION:
        raise V1Error(400, {"error": f"fp has at most {MAX_PRECISION} characters"})
    raw_file_id = asked.text("fileId")
    wanted = {
        "type": asked.choice("type", FileType.values, default_type),
        "format": asked.choice("format", FORMATS, ""),
        "extent": asked.choice("size", EXTENTS, ""),
        "precision": precision,
    }
    asked.check()
    file_id = dialect.path_id(raw_file_id) if raw_file_id else None
    return {name: value for name, value in wanted.items() if value}, file_id


def _disposition(file: ModelFile) -> str:
    # Nothing after the name: three clients take all that follows the first `=`.
    return f'attachment; filename="{file.name}"'


def _refusal(request: HttpRequest, problem: DomainError) -> HttpResponseBase:
    """JSON for programs, words for browsers, and the way to sign in where that may help."""
    agent = request.headers.get("User-Agent", "").lower()
    browser = any(name in agent for name in BROWSERS)
    if isinstance(problem, Unauthenticated):
        if browser:
            query = urlencode({"returnUrl": request.get_full_path(), "reason": "download-auth"})
            location = f"{dialect.base_url(request)}/login?{query}"
            response = HttpResponse(location, status=307, content_type="text/plain; charset=utf-8")
            response["Location"] = location
            return response
        return dialect.error(401, {"error": "Unauthorized", "message": problem.detail})
    if browser:
        return HttpResponse(
            problem.detail, status=problem.status, content_type="text/plain; charset=utf-8"
        )
    words = "File not found" if isinstance(problem, NotFound) else problem.detail
    return dialect.error(problem.status, {"error": words, "code": problem.code})


@dialect.endpoint("GET")
def file(request: HttpRequest, file_id: int, name: str) -> HttpResponseBase:
    """The bytes, for whoever holds a fresh ticket; may it be had is asked again each time."""
    del name
    found = downloads.redeem(file_id=file_id, text=request.GET.get("ticket", ""))
    response = serve(
        request,
        sha256=found.sha256,
        size=found.size_bytes,
        content_type="application/octet-stream",
    )
    # Raw UTF-8 between the quotes is what clients expect; a header is Latin-1 on the way out.
    response["Content-Disposition"] = _disposition(found).encode().decode("latin-1")
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
