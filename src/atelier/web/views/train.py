"""Train: a draft put together in four steps, and the run with its epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from atelier.core.errors import DomainError
from atelier.media.models import Status
from atelier.training import drafts, queries, services, spec
from atelier.web.forms.train import PRESETS, SettingsForm

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from atelier.accounts.models import User
    from atelier.training.models import TrainingDraft

FRAGMENT = "X-Fragment"
STEPS = (
    ("pictures", "Pictures"),
    ("captions", "Captions"),
    ("settings", "Settings"),
    ("review", "Review and pay"),
)


def _me(request: HttpRequest) -> User:
    return cast("User", request.user)


@require_http_methods(["GET", "POST"])
@login_required
def train(request: HttpRequest) -> HttpResponse:
    """One's trainings and drafts; sending pictures begins a draft."""
    if request.method == "POST":
        draft = drafts.begin(owner=_me(request))
        _take(request, draft)
        return redirect("train_draft", draft_id=draft.pk, step="pictures")
    page = queries.history(owner=_me(request), after=request.GET.get("after"), limit=20)
    return render(
        request,
        "train/index.html",
        {
            "trainings": [queries.summary(training) for training in page.items],
            "next": page.next,
            "drafts": drafts.latest(owner=_me(request)),
            "least": spec.MIN_PICTURES,
            "most": spec.MAX_PICTURES,
            "area": "create",
        },
    )


def _take(request: HttpRequest, draft: TrainingDraft) -> None:
    files = [
        (file.name or "picture", cast("BinaryIO", file)) for file in request.FILES.getlist("files")
    ]
    for name, reason in drafts.add_pictures(draft=draft, files=files):
        messages.error(request, f"{name}: {reason}")


@require_http_methods(["GET", "POST"])
@login_required
def draft(request: HttpRequest, draft_id: str, step: str) -> HttpResponse:
    """One step of the wizard."""
    found = drafts.get_owned(owner=_me(request), draft_id=draft_id)
    return _STEP_VIEWS[step](request, found)


def _wizard(
    request: HttpRequest, found: TrainingDraft, step: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    names = [name for name, _ in STEPS]
    return render(
        request,
        f"train/{step}.html",
        {
            "draft": found,
            "step": step,
            "rail": [
                {"name": name, "label": label, "number": place, "done": place <= names.index(step)}
                for place, (name, label) in enumerate(STEPS, start=1)
            ],
            "area": "create",
            **context,
        },
        status=status,
    )


def _pictures(request: HttpRequest, found: TrainingDraft) -> HttpResponse:
    if request.method == "POST":
        if gone := request.POST.getlist("remove"):
            drafts.remove(draft=found, media_ids=gone)
        _take(request, found)
        return redirect("train_draft", draft_id=found.pk, step="pictures")
    for name, reason in drafts.drop_refused(draft=found):
        messages.error(request, f"{name}: {reason}")
    slots = drafts.slots(found)
    waiting = sum(slot.media.status == Status.PENDING for slot in slots)
    return _wizard(
        request,
        found,
        "pictures",
        slots=slots,
        waiting=waiting,
        ready=len(slots) - waiting,
        missing=max(0, spec.MIN_PICTURES - len(slots)),
    )


def _captions(request: HttpRequest, found: TrainingDraft) -> HttpResponse:
    slots = drafts.slots(found)
    if request.method == "POST":
        drafts.write_captions(
            draft=found,
            captions={
                slot.media.pk: request.POST.get(f"caption_{slot.media.pk}", slot.caption)
                for slot in slots
            },
        )
        return redirect("train_draft", draft_id=found.pk, step="settings")
    return _wizard(request, found, "captions", slots=slots, longest=spec.MAX_CAPTION)


def _settings(request: HttpRequest, found: TrainingDraft) -> HttpResponse:
    if request.method == "POST":
        form = SettingsForm.of(found, request.POST)
        values = form.kept()
        if preset := request.POST.get("preset"):
            values |= PRESETS[preset].values if preset in PRESETS else {}
            drafts.write_values(draft=found, values=values)
            return redirect("train_draft", draft_id=found.pk, step="settings")
        drafts.write_values(draft=found, values=values)
        if form.is_valid():
            return redirect("train_draft", draft_id=found.pk, step="review")
        return _wizard(request, found, "settings", form=form, presets=PRESETS, status=422)
    return _wizard(request, found, "settings", form=SettingsForm.of(found), presets=PRESETS)


def _review(request: HttpRequest, found: TrainingDraft) -> HttpResponse:
    problem: DomainError | None = None
    planned = None
    try:
        if request.method == "POST":
            training = drafts.start(draft=found)
            return redirect("training", training_id=training.pk)
        planned = services.plan(owner=_me(request), request=drafts.request_of(found))
    except DomainError as refusal:
        problem = refusal
    if planned is None and problem is not None and not problem.errors:
        planned = _plan_again(request, found)
    return _wizard(
        request,
        found,
        "review",
        problem=problem,
        planned=planned,
        minutes=_minutes(services.expected_seconds(planned)) if planned else "",
        request_made=planned.request if planned else None,
        slots=drafts.slots(found),
        status=problem.status if problem else 200,
    )


def _minutes(seconds: int) -> str:
    count = max(1, round(seconds / 60))
    return "1 minute" if count == 1 else f"{count} minutes"


def _plan_again(request: HttpRequest, found: TrainingDraft) -> services.Plan | None:
    """The price beside a refusal that is not about the settings."""
    try:
        return services.plan(owner=_me(request), request=drafts.request_of(found))
    except DomainError:
        return None


_STEP_VIEWS = {
    "pictures": _pictures,
    "captions": _captions,
    "settings": _settings,
    "review": _review,
}


@require_POST
@login_required
def throw_away(request: HttpRequest, draft_id: str) -> HttpResponse:
    """Forget a draft."""
    drafts.throw_away(draft=drafts.get_owned(owner=_me(request), draft_id=draft_id))
    messages.success(request, "The draft is gone. Its pictures are still yours.")
    return redirect("train")


@require_GET
@login_required
def training(request: HttpRequest, training_id: str) -> HttpResponse:
    """The run: loss, and a table of epochs and prompts; asks again by itself without scripts."""
    found = queries.get_owned(owner=_me(request), training_id=training_id)
    template = "train/_run.html" if FRAGMENT in request.headers else "train/run.html"
    return render(request, template, {"run": queries.run_page(found), "area": "create"})


@require_POST
@login_required
def cancel(request: HttpRequest, training_id: str) -> HttpResponse:
    """Stop a training and keep what is finished."""
    found = queries.get_owned(owner=_me(request), training_id=training_id)
    stopped = services.cancel(training=found, actor=_me(request))
    messages.success(
        request,
        "Stopped. What was not trained was given back."
        if stopped.is_final
        else "Stopping. Finished epochs stay, the rest is given back.",
    )
    return redirect("training", training_id=training_id)


@require_POST
@login_required
def version(request: HttpRequest, training_id: str, number: int) -> HttpResponse:
    """Make a draft model of an epoch."""
    found = queries.get_owned(owner=_me(request), training_id=training_id)
    made = services.version_from_epoch(training=found, number=number, owner=_me(request))
    messages.success(
        request,
        f"Epoch {number} is now a draft model that only you see: publish it, draw with it, or "
        "submit it to a bounty.",
    )
    return redirect(f"{made.model.get_absolute_url()}?version={made.pk}")
