"""The site with one more address, which answers constant bytes: the peer of the list bench."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from django.http import HttpRequest

# The whole answer of the list, so that both sides send the same bytes.
BODY = Path(os.environ["ATELIER_BENCH_BODY"]).read_bytes()  # noqa: TID251 - arranged by the bench


def constant(request: HttpRequest) -> HttpResponse:
    """The same bytes, through everything that Django puts around a view."""
    del request
    return HttpResponse(BODY, content_type="application/json; charset=utf-8")


_django = get_wsgi_application()


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """The site; ``/raw`` answers the same bytes before Django sees the request."""
    if environ["PATH_INFO"] == "/raw":
        start(
            "200 OK",
            [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))],
        )
        return [BODY]
    return _django(environ, start)


def _add_constant() -> None:
    from atelier.config import urls

    urls.urlpatterns.insert(0, path("constant", constant))


_add_constant()
