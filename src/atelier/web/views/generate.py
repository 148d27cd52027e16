"""Generate: the form, the pictures as they come, and what one made before."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from atelier.core.errors import DomainError
from atelier.generation import prefill, queries, services
from atelier.ledger import queries as ledger
from atelier.web.forms.generate import GenerateForm

if TYPE_CHECKING:
    from atelier.accounts.models import User
    from atelier.generation.prefill import Prefill

FRAGMENT = "X-Fragment"
ON_PAGE = 6
MOST_DIGITS = 3


@require_http_methods(["GET", "POST"])
def generate(request: HttpRequest) -> HttpResponse:
    """The form beside the latest results; sending it answers with the new generation."""
    viewer = request.user if request.user.is_authenticated else None
    checkpoints, loras = prefill.choices(viewer=viewer)
    if request.method == "POST":
        if viewer is None:
            return redirect("/accounts/login/?next=/generate")
        form = GenerateForm(request.POST, checkpoints=checkpoints, loras=loras)
        return _send(request, viewer, form)
    start = _start(request, viewer)
    form = GenerateForm(checkpoints=checkpoints, loras=loras, prefill=start)
    return _page(request, form, start=start)


def _send(request: HttpRequest, viewer: User, form: GenerateForm) -> HttpResponse:
    problem: DomainError | None = None
    if form.is_valid():
        try:
            made = services.request(owner=viewer, request=form.as_request())
        except DomainError as refusal:
            problem = refusal
            form.tell(refusal)
        else:
            if FRAGMENT in request.headers:
                answer = _card(request, made.pk, status=201)
                # What the page shows beside the button would otherwise be what one had before.
                answer["X-Balance"] = str(ledger.available(user_id=viewer.pk))
                return answer
            return redirect("generation", generation_id=made.pk)
    status = problem.status if problem else 422
    if FRAGMENT in request.headers:
        context = {"form": form, "problem": problem}
        return render(request, "generate/_problems.html", context, status=status)
    return _page(request, form, problem=problem, status=status)


def _start(request: HttpRequest, viewer: User | None) -> Prefill | None:
    if version := request.GET.get("version"):
        return prefill.from_version(reference=version, viewer=viewer)
    if media_id := request.GET.get("remix"):
        return prefill.from_media(media_id=media_id, viewer=viewer)
    generation_id = request.GET.get("generation")
    if generation_id and viewer is not None:
        return prefill.from_generation(generation_id=generation_id, owner=viewer)
    return None


def _page(
    request: HttpRequest,
    form: GenerateForm,
    *,
    start: Prefill | None = None,
    problem: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    viewer = request.user if request.user.is_authenticated else None
    recent = queries.history(owner=viewer, limit=ON_PAGE).items if viewer else []
    return render(
        request,
        "generate/index.html",
        {
            "form": form,
            "start": start,
            "problem": problem,
            "cards": [queries.card(generation) for generation in recent],
            "quote": services.quote(steps=20, quantity=4),
            "area": "create",
        },
        status=status,
    )


@require_GET
def price(request: HttpRequest) -> JsonResponse:
    """What the form's pictures cost, while it is being filled in."""
    numbers = [request.GET.get(name, "") for name in ("steps", "quantity")]
    if not all(text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS for text in numbers):
        return JsonResponse({"cost": None})
    steps, quantity = map(int, numbers)
    return JsonResponse({"cost": services.quote(steps=steps, quantity=quantity)})


@require_GET
@login_required
def history(request: HttpRequest) -> HttpResponse:
    """Everything one has generated, newest first."""
    page = queries.history(
        owner=cast("User", request.user), after=request.GET.get("after"), limit=20
    )
    return render(
        request,
        "generate/history.html",
        {
            "cards": [queries.card(generation) for generation in page.items],
            "next": page.next,
            "area": "create",
        },
    )


@require_GET
@login_required
def generation(request: HttpRequest, generation_id: str) -> HttpResponse:
    """One generation; without scripts the page asks again by itself until it is final."""
    found = queries.get_owned(owner=cast("User", request.user), generation_id=generation_id)
    return render(
        request, "generate/generation.html", {"card": queries.card(found), "area": "create"}
    )


@require_GET
@login_required
def card(request: HttpRequest, generation_id: str) -> HttpResponse:
    """One generation as a fragment."""
    return _card(request, generation_id)


def _card(request: HttpRequest, generation_id: str, *, status: int = 200) -> HttpResponse:
    found = queries.get_owned(owner=cast("User", request.user), generation_id=generation_id)
    return render(request, "generate/_card.html", {"card": queries.card(found)}, status=status)


@require_POST
@login_required
def cancel(request: HttpRequest, generation_id: str) -> HttpResponse:
    """Stop drawing."""
    found = queries.get_owned(owner=cast("User", request.user), generation_id=generation_id)
    stopped = services.cancel(generation=found, actor=cast("User", request.user))
    if FRAGMENT in request.headers:
        return _card(request, generation_id)
    if stopped.job.is_final:
        messages.success(request, "Cancelled. What was not drawn was given back.")
    else:
        messages.success(request, "Cancelling. What is finished stays, the rest is given back.")
    return redirect("generation", generation_id=generation_id)
