"""``/api/v2``: all that a page can do, for programs."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from atelier.api.problems import document, problem_response
from atelier.api.v2.common import authenticated
from atelier.core.errors import DomainError, FieldError, NotFound, Unauthenticated

SIGN_IN = "Send a token as “Authorization: Bearer …”, or sign in."

api = NinjaAPI(
    title="Atelier",
    version="2",
    urls_namespace="v2",
    auth=authenticated,
    openapi_url="/openapi.json",
    docs_url=None,
    description="Models, pictures, bounties, trainings, generations. Errors are RFC 9457 problems.",
)


@api.exception_handler(DomainError)
def _refused(_request: HttpRequest, problem: DomainError) -> HttpResponse:
    return problem_response(problem)


@api.exception_handler(AuthenticationError)
def _unauthenticated(_request: HttpRequest, _problem: AuthenticationError) -> HttpResponse:
    return problem_response(Unauthenticated(SIGN_IN))


@api.exception_handler(Http404)
def _missing(_request: HttpRequest, _problem: Http404) -> HttpResponse:
    return problem_response(NotFound("There is nothing here."))


@api.exception_handler(ValidationError)
def _invalid(_request: HttpRequest, problem: ValidationError) -> HttpResponse:
    found = []
    for error in problem.errors:
        # The first parts say body/query and the parameter's name in our code; people sent the rest.
        location = [str(part) for part in error["loc"]]
        inside = location[:1] == ["body"] and len(location) > len(("body", "parameter"))
        names = location[2:] if inside else location[1:]
        found.append(FieldError(".".join(names) or "body", str(error["msg"])))
    detail = "; ".join(f"{error.field}: {error.rule}" for error in found)
    return document(
        status=422,
        code="invalid",
        title="Something in the request is not right",
        detail=detail,
        errors=found,
    )


@api.exception_handler(HttpError)
def _http(_request: HttpRequest, problem: HttpError) -> HttpResponse:
    return document(
        status=problem.status_code,
        code="invalid",
        title="The request could not be read",
        detail=str(problem),
    )


# Every module of this package that has a router is an area; a new one needs no second place.
# Its addresses are whole below /api/v2, so areas may share a prefix.
for _module in sorted(module.name for module in iter_modules(__path__)):
    _router = getattr(import_module(f"{__name__}.{_module}"), "router", None)
    if _router is not None:
        api.add_router("", _router)
