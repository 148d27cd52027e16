"""How ``/api/v1`` speaks: its errors, headers, callers and parameters."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any

import orjson
from django.http import HttpResponse

from atelier.accounts import services as accounts
from atelier.api.viewer import bearer_text
from atelier.core.errors import DomainError, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from atelier.accounts.models import User

    View = Callable[..., HttpResponseBase]

log = logging.getLogger(__name__)
# Revocation outranks caching, so nothing shared lives longer than this.
SHARED = "public, s-maxage=30, stale-while-revalidate=15"
PRIVATE = "private, no-store"
MAX_INT = 2**31 - 1
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})


class V1Error(Exception):
    """An answer in the contract's own words."""

    def __init__(
        self, status: int, body: dict[str, Any], *, retry_after: int | None = None
    ) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body
        self.retry_after = retry_after


def json_bytes(body: bytes, *, status: int = 200) -> HttpResponse:
    """JSON that is ready to send."""
    return HttpResponse(body, status=status, content_type="application/json; charset=utf-8")


def json(body: Any, *, status: int = 200) -> HttpResponse:
    """A value as JSON."""
    return json_bytes(orjson.dumps(body), status=status)


def error(status: int, body: dict[str, Any], *, retry_after: int | None = None) -> HttpResponse:
    """An error as the contract words it; 404 and 429 are objects with ``error``."""
    response = json(body, status=status)
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response


def caller(request: HttpRequest) -> User | None:
    """Who asks. A wrong or unknown token is nobody, as clients send placeholders."""
    text = bearer_text(request)
    # With the header present, whatever it says, the query is not read.
    if "Authorization" not in request.headers:
        text = request.GET.get("token", "")
    if text:
        try:
            token = accounts.authenticate_token(text=text)
        except DomainError:
            return None
        return token.user if "read" in token.scopes else None
    if "Authorization" in request.headers:
        return None
    return request.user if request.user.is_authenticated else None


def base_url(request: HttpRequest) -> str:
    """The address that the request came to, without a slash at the end."""
    return request.build_absolute_uri("/").rstrip("/")


def endpoint(*methods: str, signed_in: bool = False) -> Callable[[View], View]:
    """A view of v1: its methods, CORS, cache headers and error shapes."""
    allowed = frozenset(methods or ("GET",))

    def wrap(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            response = _within_method(view, allowed, signed_in, request, *args, **kwargs)
            response["Access-Control-Allow-Origin"] = "*"
            response["Access-Control-Allow-Headers"] = "*"
            response["Access-Control-Allow-Methods"] = ", ".join(sorted(allowed))
            response["Vary"] = "Authorization, Cookie"
            return response

        answer.csrf_exempt = True  # type: ignore[attr-defined] # nothing here acts for a session
        return answer

    return wrap


def _within_method(
    view: View,
    allowed: frozenset[str],
    signed_in: bool,
    request: HttpRequest,
    *args: Any,
    **kwargs: Any,
) -> HttpResponseBase:
    if request.method == "OPTIONS":
        return HttpResponse(status=200)
    method = "GET" if request.method == "HEAD" else request.method
    if method not in allowed:
        return error(405, {"error": "Method not allowed"})
    user = caller(request)
    if signed_in and user is None:
        return error(401, {"error": "Unauthorized"})
    request.v1_user = user  # type: ignore[attr-defined] # read by the views
    try:
        response = view(request, *args, **kwargs)
    except (V1Error, DomainError) as problem:
        return _refusal(problem)
    except Exception as problem:
        log.exception("v1 failed at %s", request.path)
        name = type(problem).__name__
        return error(500, {"message": "An unexpected error occurred", "error": name})
    if "Cache-Control" not in response:
        response["Cache-Control"] = SHARED if user is None else PRIVATE
    return response


def _refusal(problem: V1Error | DomainError) -> HttpResponse:
    if isinstance(problem, V1Error):
        return error(problem.status, problem.body, retry_after=problem.retry_after)
    if isinstance(problem, Unauthenticated):
        return error(401, {"error": "Unauthorized", "message": problem.detail})
    return error(
        problem.status,
        {"error": problem.detail, "code": problem.code},
        retry_after=problem.retry_after,
    )


def user_of(request: HttpRequest) -> User | None:
    """The caller that :func:`endpoint` found."""
    user: User | None = request.v1_user  # type: ignore[attr-defined] # set by endpoint
    return user


@dataclass(slots=True)
class Parameters:
    """Query parameters as clients really send them; problems are gathered, then raised together."""

    request: HttpRequest
    issues: list[dict[str, Any]] = field(default_factory=list)

    def given(self, name: str) -> bool:
        """Whether a parameter is there at all, empty or not."""
        return name in self.request.GET

    def text(self, name: str) -> str:
        """A text; empty when not given."""
        return self.request.GET.get(name, "").strip().replace("\0", "")

    def many(self, name: str) -> list[str]:
        """Repeated and comma-separated values together."""
        values: list[str] = []
        for raw in (*self.request.GET.getlist(name), *self.request.GET.getlist(f"{name}[]")):
            values.extend(part.strip().replace("\0", "") for part in raw.split(","))
        return [value for value in dict.fromkeys(values) if value]

    def number(self, name: str, *, least: int, most: int, default: int) -> int:
        """A whole number within bounds."""
        raw = self.text(name)
        if not raw:
            return default
        try:
            value = int(raw)
        except ValueError:
            self._issue(name, "invalid_type", "Expected number, received nan")
            return default
        if value < least:
            self._issue(name, "too_small", f"Number must be greater than or equal to {least}")
            return default
        if value > most:
            self._issue(name, "too_big", f"Number must be less than or equal to {most}")
            return default
        return value

    def ids(self, name: str) -> list[int]:
        """A list of ids."""
        found = []
        for raw in self.many(name):
            if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw) <= MAX_INT:
                self._issue(name, "invalid_type", "Expected number, received nan")
                return []
            found.append(int(raw))
        return found

    def flag(self, name: str) -> bool | None:
        """Yes, no, or not given, in any of the spellings that clients use."""
        raw = self.text(name).lower()
        if not raw:
            return None
        if raw in _TRUE or raw in _FALSE:
            return raw in _TRUE
        self._issue(name, "invalid_type", "Expected boolean, received string")
        return None

    def choice(self, name: str, options: list[str], default: str) -> str:
        """One of the contract's words."""
        raw = self.text(name)
        if not raw:
            return default
        if raw not in options:
            self._options(name, raw, options)
            return default
        return raw

    def choices(self, name: str, options: list[str]) -> list[str]:
        """Some of the contract's words."""
        values = self.many(name)
        for value in values:
            if value not in options:
                self._options(name, value, options)
        return values

    def check(self) -> None:
        """Raise what was gathered."""
        if self.issues:
            raise V1Error(400, {"error": {"name": "ZodError", "issues": self.issues}})

    def _options(self, name: str, value: str, options: list[str]) -> None:
        shown = " | ".join(f"'{option}'" for option in options)
        self._issue(
            name,
            "invalid_enum_value",
            f"Invalid enum value. Expected {shown}, received '{value[:80]}'",
            options=options,
        )

    def _issue(self, name: str, code: str, message: str, **more: Any) -> None:
        self.issues.append({"code": code, "path": [name], "message": message, **more})


def path_id(raw: str) -> int:
    """A positive 32-bit id of a path; anything else is a 400."""
    if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw) <= MAX_INT:
        raise V1Error(400, {"error": f"Invalid id: {raw[:80]}"})
    return int(raw)


def with_query(request: HttpRequest, **changes: str) -> str:
    """The absolute address of this request with some parameters set."""
    query = request.GET.copy()
    query.pop("token", None)
    for name, value in changes.items():
        query[name] = value
    return f"{base_url(request)}{request.path}?{query.urlencode()}"
