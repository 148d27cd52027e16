"""What one does to a bounty. Each act has a page of its own, so that it works without a script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from atelier.bounties import queries, services
from atelier.bounties.rules import MAX_IMAGES, MODEL_TYPES, EntryStatus
from atelier.core.errors import DomainError
from atelier.web import attachments
from atelier.web.attachments import Attachments
from atelier.web.forms.bounties import (
    ConfirmForm,
    ContributionForm,
    EntryForm,
    ExtendForm,
    GiftForm,
    ReasonForm,
    TellingForm,
)
from atelier.web.views.bounties import award_sparks, shown_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from atelier.accounts.models import User
    from atelier.bounties.models import Bounty, Entry


def _me(request: HttpRequest) -> User:
    return cast("User", request.user)


def _act(
    request: HttpRequest,
    bounty: Bounty,
    form: TellingForm,
    carry_out: Callable[[dict[str, Any]], str],
    **words: Any,
) -> HttpResponse:
    """Asks, or carries out and goes back to the bounty; a refusal is shown where it was asked."""
    problem: DomainError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            done = carry_out(form.cleaned_data)
        except DomainError as refusal:
            problem = refusal
            form.tell(refusal)
        else:
            messages.success(request, done)
            return redirect("bounty", bounty_id=bounty.id)
    status = 200
    if request.method == "POST":
        status = problem.status if problem else 422
    return render(
        request,
        "bounties/act.html",
        {"area": "bounties", "bounty": bounty, "form": form, "problem": problem, **words},
        status=status,
    )


def _data(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


@require_http_methods(["GET", "POST"])
@login_required
def contribute(request: HttpRequest, bounty_id: str) -> HttpResponse:
    """Add Sparks."""
    bounty = queries.find(bounty_id=bounty_id, viewer=_me(request))

    def carry_out(values: dict[str, Any]) -> str:
        made = services.contribute(
            bounty_id=bounty_id,
            contributor=_me(request),
            amount=values["amount"],
            judge=values["judge"],
        )
        return f"{made.amount_sparks:,} Sparks are in the escrow of this bounty."

    return _act(
        request,
        bounty,
        ContributionForm(_data(request)),
        carry_out,
        heading="Add Sparks",
        lead="Your stake joins the escrow. It pays for an entry, or it comes back to you.",
        button="Add to the escrow",
        shows_balance=True,
    )


@require_http_methods(["GET", "POST"])
@login_required
def extend(request: HttpRequest, bounty_id: str) -> HttpResponse:
    """Give everybody more time."""
    bounty = queries.find(bounty_id=bounty_id, viewer=_me(request))

    def carry_out(values: dict[str, Any]) -> str:
        services.extend(bounty_id=bounty_id, actor=_me(request), deadline=values["deadline"])
        return "The deadline is later now."

    return _act(
        request,
        bounty,
        ExtendForm(_data(request)),
        carry_out,
        heading="Extend the deadline",
        lead="This can be done once.",
        button="Extend the deadline",
    )


@require_http_methods(["GET", "POST"])
@login_required
def cancel(request: HttpRequest, bounty_id: str) -> HttpResponse:
    """Call a bounty off."""
    bounty = queries.find(bounty_id=bounty_id, viewer=_me(request))

    def carry_out(_values: dict[str, Any]) -> str:
        services.cancel(bounty_id=bounty_id, actor=_me(request))
        return "Called off. Every stake is back where it came from."

    return _act(
        request,
        bounty,
        ConfirmForm(_data(request)),
        carry_out,
        heading="Cancel this bounty",
        lead=f"Everyone gets their Sparks back, {bounty.escrow_sparks:,} in all. A cancelled "
        "bounty cannot be opened again.",
        button="Cancel and give the Sparks back",
        is_final=True,
    )


@require_http_methods(["GET", "POST"])
@login_required
def dispute(request: HttpRequest, bounty_id: str) -> HttpResponse:
    """Ask staff to decide."""
    bounty = queries.find(bounty_id=bounty_id, viewer=_me(request))

    def carry_out(values: dict[str, Any]) -> str:
        services.open_dispute(bounty_id=bounty_id, actor=_me(request), reason=values["reason"])
        return "Staff will decide. Until then the clock of judging stands still."

    return _act(
        request,
        bounty,
        ReasonForm(_data(request)),
        carry_out,
        heading="Ask staff to decide",
        lead="For when judging goes wrong. Staff can let it go on, award an entry, or give "
        "everyone their Sparks back. It can be asked for once.",
        button="Ask staff to decide",
    )


@require_http_methods(["GET", "POST"])
@login_required
def give(request: HttpRequest, bounty_id: str, contribution_id: str) -> HttpResponse:
    """Give one's own stake to an entry."""
    viewer = _me(request)
    bounty = queries.find(bounty_id=bounty_id, viewer=viewer)
    stake = queries.contribution(bounty=bounty, contribution_id=contribution_id)
    form = GiftForm(_data(request))
    form.fields["entry"].choices = [  # type: ignore[attr-defined] # a choice field by its form
        (entry.id, f"{entry.maker.shown_name}: {_short(entry)}")
        for entry in queries.entries(bounty=bounty, viewer=viewer)
        if entry.status not in {EntryStatus.WITHDRAWN, EntryStatus.SCREENING}
        and entry.maker_id != viewer.pk
    ]

    def carry_out(values: dict[str, Any]) -> str:
        made = services.give(
            bounty_id=bounty_id,
            contribution_id=contribution_id,
            entry_id=values["entry"],
            actor=viewer,
        )
        return f"{made.amount_sparks:,} Sparks are paid, and the files are open to you."

    return _act(
        request,
        bounty,
        form,
        carry_out,
        heading=f"Give your {stake.amount_sparks:,} Sparks",
        lead="All of this stake goes to one entry, and its files open to you. This is final.",
        button=f"Give {stake.amount_sparks:,} Sparks",
        is_final=True,
    )


def _short(entry: Entry) -> str:
    if entry.version is not None:
        return entry.version.model.name
    return entry.description[:60] or "pictures"


@require_http_methods(["GET", "POST"])
@login_required
def award(request: HttpRequest, bounty_id: str, entry_id: str) -> HttpResponse:
    """Choose an entry; the page says what it pays, to whom, and that it is final."""
    viewer = _me(request)
    bounty = queries.find(bounty_id=bounty_id, viewer=viewer)
    entry = queries.entry(bounty=bounty, entry_id=entry_id, viewer=viewer)
    sparks = award_sparks(list(queries.contributions(bounty=bounty)))
    name = entry.maker.shown_name

    def carry_out(_values: dict[str, Any]) -> str:
        made = services.award(bounty_id=bounty_id, entry_id=entry_id, actor=viewer)
        opened = " The model is published and its files are yours." if made.version_id else ""
        return f"{name} has been paid {made.amount_sparks:,} Sparks.{opened}"

    return _act(
        request,
        bounty,
        ConfirmForm(_data(request)),
        carry_out,
        heading=f"Award {sparks:,} Sparks to {name}",
        lead="The escrow pays the maker at once, the files open to all who paid, and the model is "
        "published. This is final and cannot be undone.",
        button=f"Award {sparks:,} Sparks to {name}",
        pictures=shown_to(viewer, [row.media for row in entry.picture_rows.all()]),
    )


@require_POST
@login_required
def shortlist(request: HttpRequest, bounty_id: str, entry_id: str) -> HttpResponse:
    """Mark an entry as worth a share, or take the mark back."""
    services.shortlist(
        bounty_id=bounty_id,
        entry_id=entry_id,
        actor=_me(request),
        is_on=request.POST.get("on") == "1",
    )
    return redirect(f"/bounties/{bounty_id}#{entry_id}")


@require_http_methods(["GET", "POST"])
@login_required
def withdraw(request: HttpRequest, bounty_id: str, entry_id: str) -> HttpResponse:
    """Take one's own entry back."""
    bounty = queries.find(bounty_id=bounty_id, viewer=_me(request))

    def carry_out(_values: dict[str, Any]) -> str:
        services.withdraw(bounty_id=bounty_id, entry_id=entry_id, actor=_me(request))
        return "Withdrawn. Your model is an ordinary draft again."

    return _act(
        request,
        bounty,
        ConfirmForm(_data(request)),
        carry_out,
        heading="Withdraw your entry",
        lead="Its pictures disappear from the bounty, and its files are yours alone again.",
        button="Withdraw",
        is_final=True,
    )


@require_http_methods(["GET", "POST"])
@login_required
def enter(request: HttpRequest, bounty_id: str) -> HttpResponse:
    """Submit work."""
    viewer = _me(request)
    bounty = queries.find(bounty_id=bounty_id, viewer=viewer)
    versions = queries.offerable(bounty=bounty, maker=viewer)
    chosen = request.GET.get("version", "")
    form = EntryForm(_data(request), initial={"version": chosen})
    form.fields["version"].choices = [  # type: ignore[attr-defined] # a choice field by its form
        (str(version.pk), f"{version.model.name} · {version.name}") for version in versions
    ]
    got = Attachments()
    problem: DomainError | None = None
    if request.method == "POST":
        got = attachments.take(request, owner=viewer, most=MAX_IMAGES)
        if form.is_valid() and not got.problems:
            try:
                made = services.enter(
                    bounty_id=bounty_id,
                    maker=viewer,
                    description=form.cleaned_data["description"],
                    version=form.cleaned_data["version"] or None,
                    image_ids=got.ids,
                )
            except DomainError as refusal:
                problem = refusal
                form.tell(refusal)
            else:
                _say_entered(request, made)
                return redirect(f"/bounties/{bounty_id}#{made.id}")
    samples = {
        version.pk: shown_to(viewer, attachments.shown(version.sample_media_ids[:4], owner=viewer))
        for version in versions
    }
    status = 200
    if request.method == "POST":
        status = problem.status if problem else 422
    return render(
        request,
        "bounties/enter.html",
        {
            "area": "bounties",
            "bounty": bounty,
            "form": form,
            "got": got,
            "problem": problem,
            "versions": [(version, samples[version.pk]) for version in versions],
            "chosen": form["version"].value()
            or (str(versions[0].pk) if len(versions) == 1 else ""),
            "award_sparks": award_sparks(list(queries.contributions(bounty=bounty))),
            "needs_model": bounty.kind in MODEL_TYPES,
            "most_images": MAX_IMAGES,
        },
        status=status,
    )


def _say_entered(request: HttpRequest, made: Entry) -> None:
    if made.status == EntryStatus.SUBMITTED:
        messages.success(
            request, "You have entered. Your pictures are visible; your files are locked."
        )
    else:
        messages.warning(
            request,
            "Your entry waits for review before anybody else sees it. It counts as in time.",
        )
