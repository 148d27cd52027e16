"""What every call of ``/api/v2`` passes through: who, how often, and once only."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.http import HttpResponse

from atelier.api.problems import problem_response
from atelier.api.viewer import SAFE_METHODS, identify
from atelier.core import idempotency, ratelimit
from atelier.core.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    GetResponse = Callable[[HttpRequest], HttpResponseBase]

PREFIX = "/api/v2/"
MUTATIONS_PER_MINUTE = 600
BURST = 200
# Strangers may send notices and reports; nothing else of theirs changes anything.
STRANGER_MUTATIONS_PER_MINUTE = 30
STRANGER_BURST = 20


class ApiMiddleware:
    """Identifies the caller, limits mutations, and replays answers by ``Idempotency-Key``."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(PREFIX):
            return self.get_response(request)
        try:
            return self._answer(request)
        except DomainError as problem:
            return problem_response(problem)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        viewer = identify(request)
        request.viewer = viewer  # type: ignore[attr-defined] # read by api.v2.common
        if request.method in SAFE_METHODS:
            return self.get_response(request)
        caller = viewer.caller if viewer else f"ip:{request.META.get('REMOTE_ADDR', '')}"
        left = ratelimit.take(
            caller=f"api:{caller}",
            per_minute=MUTATIONS_PER_MINUTE if viewer else STRANGER_MUTATIONS_PER_MINUTE,
            burst=BURST if viewer else STRANGER_BURST,
        )
        key = request.headers.get("Idempotency-Key")
        response = (
            self.get_response(request)
            if key is None
            else self._once(request, caller=caller, key=key)
        )
        response["RateLimit-Limit"] = str(MUTATIONS_PER_MINUTE if viewer else BURST)
        response["RateLimit-Remaining"] = str(left)
        return response

    def _once(self, request: HttpRequest, *, caller: str, key: str) -> HttpResponseBase:
        route = f"{request.method} {request.get_full_path()}"[:200]
        before = idempotency.begin(caller=caller, route=route, key=key, body=_content(request))
        if before is not None:
            replay = HttpResponse(
                before.body, status=before.status, content_type=before.content_type
            )
            replay["Idempotent-Replayed"] = "true"
            return replay
        try:
            response = self.get_response(request)
        except BaseException:
            idempotency.finish(
                caller=caller, route=route, key=key, answer=idempotency.Answer(500, "", b"")
            )
            raise
        body = b"" if getattr(response, "streaming", False) else getattr(response, "content", b"")
        answer = idempotency.Answer(
            response.status_code, response.headers.get("Content-Type", ""), body
        )
        # "Try again" answers (busy, still running) must not be remembered as the outcome.
        again = response.has_header("Retry-After")
        idempotency.finish(
            caller=caller,
            route=route,
            key=key,
            answer=answer,
            retryable=again,
        )
        return response


def _content(request: HttpRequest) -> bytes:
    """What a request says, for comparing it with the first one under the same key."""
    if not (request.content_type or "").startswith("multipart/"):
        return request.body
    parts = [repr(sorted(request.POST.lists())).encode()]
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            digest = hashlib.sha256()
            for chunk in file.chunks():
                digest.update(chunk)
            file.seek(0)
            parts.append(f"{name}:{file.name}:{digest.hexdigest()}".encode())
    return b"\n".join(parts)
