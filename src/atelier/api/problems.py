"""RFC 9457 problem documents: how ``/api/v2`` says no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from django.conf import settings
from django.http import HttpResponse

from atelier.core.errors import DomainError, FieldError, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTENT_TYPE = "application/problem+json"


def problem_response(problem: DomainError) -> HttpResponse:
    """A refusal as a problem document, with ``Retry-After`` where trying again may help."""
    response = document(
        status=problem.status,
        code=problem.code,
        title=problem.title,
        detail=problem.detail,
        errors=problem.errors,
        extra=problem.extra,
    )
    if problem.retry_after is not None:
        response["Retry-After"] = str(problem.retry_after)
    if isinstance(problem, Unauthenticated):
        response["WWW-Authenticate"] = 'Bearer realm="atelier"'
    return response


def document(
    *,
    status: int,
    code: str,
    title: str,
    detail: str,
    errors: Sequence[FieldError] = (),
    extra: dict[str, object] | None = None,
) -> HttpResponse:
    """One problem document. ``errors`` name the field that the caller sent and the rule."""
    body: dict[str, Any] = {
        **(extra or {}),
        "type": f"{settings.BASE_URL}/docs/errors#{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if errors:
        body["errors"] = [{"field": error.field, "rule": error.rule} for error in errors]
    return HttpResponse(orjson.dumps(body), status=status, content_type=CONTENT_TYPE)
