"""Pages about the site itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.shortcuts import render
from django.urls import resolve

from atelier.core.errors import DomainError, Invalid
from atelier.media import recognition
from atelier.moderation import transparency as moderation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest, HttpResponse


def create(request: HttpRequest) -> HttpResponse:
    """All ways to make something; the phone's bar leads here."""
    return render(request, "site/create.html", {"area": "create"})


def about(request: HttpRequest) -> HttpResponse:
    return render(request, "site/about.html")


def verify(request: HttpRequest) -> HttpResponse:
    """Was this picture made here? Works as a plain form; the file is not kept."""
    found, problem = None, None
    if request.method == "POST":
        file = request.FILES.get("file")
        try:
            if file is None:
                raise Invalid.field("file", "choose a picture first")
            found = recognition.recognise(file.read())
        except DomainError as refusal:
            problem = refusal
    status = problem.status if problem else 200
    shown = {"found": found, "problem": problem}
    return render(request, "site/verify.html", shown, status=status)


def transparency(request: HttpRequest) -> HttpResponse:
    """What was reported and decided, in numbers."""
    return render(request, "site/transparency.html", {"counts": moderation.numbers()})


def docs(request: HttpRequest) -> HttpResponse:
    """Every route of the API, from the same schema that clients read."""
    # By address: pages and API know nothing of each other.
    found = resolve("/api/v2/openapi.json")
    schema: dict[str, Any] = json.loads(found.func(request, *found.args, **found.kwargs).content)
    routes = [
        {
            "path": path,
            "method": method.upper(),
            "summary": operation.get("summary", ""),
            "tag": (operation.get("tags") or ["other"])[0],
        }
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    ]
    routes.sort(key=lambda route: (route["tag"], route["path"], route["method"]))
    return render(request, "site/docs.html", {"routes": routes})


def errors(request: HttpRequest) -> HttpResponse:
    """What each error code means."""
    found = {kind.code: kind for kind in _kinds(DomainError)}
    rows = sorted(found.values(), key=lambda kind: (kind.status, kind.code))
    listed = [
        {"code": kind.code, "status": kind.status, "title": kind.title, "text": kind.__doc__ or ""}
        for kind in rows
    ]
    return render(request, "site/errors.html", {"errors": listed})


def _kinds(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _kinds(child)
