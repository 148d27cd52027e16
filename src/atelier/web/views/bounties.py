"""Bounties: the list, a page for each, and the form that opens one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from atelier.bounties import queries, services
from atelier.bounties.rules import (
    MAX_IMAGES,
    EntryStatus,
    Kind,
    Rule,
    Status,
)
from atelier.core.errors import DomainError, NotOwner
from atelier.core.pagination import paginate
from atelier.web import attachments
from atelier.web.attachments import Attachments
from atelier.web.forms.bounties import BountyForm, WordsForm

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from atelier.accounts.models import User
    from atelier.bounties.models import Bounty, BountyEvent, Contribution, Entry
    from atelier.media.models import Media

PAGE = 24
ENTRIES = 60
ANYBODY = queries.ANYBODY
STATES = (
    (queries.OPEN, "Open"),
    (queries.JUDGING, "Judging"),
    (queries.AWARDED, "Awarded"),
    (queries.CLOSED, "Closed"),
)
SORTS = (("newest", "Newest"), ("ending", "Ending soon"), ("highest", "Most Sparks"))


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture, and whether the viewer asked to have its kind guarded."""

    media: Media
    is_guarded: bool


@dataclass(frozen=True, slots=True)
class EntryCard:
    """An entry as the grid shows it."""

    entry: Entry
    pictures: list[Shown]
    is_mine: bool
    is_marked: bool


def viewer_of(request: HttpRequest) -> User | None:
    """Who looks, or nobody."""
    return request.user if request.user.is_authenticated else None


def shown_to(viewer: User | None, pictures: list[Media]) -> list[Shown]:
    """Pictures with the guards that this viewer chose."""
    level = viewer.browsing_level if viewer else ANYBODY
    return [
        Shown(
            picture,
            not picture.rating & level and (viewer is None or picture.owner_id != viewer.pk),
        )
        for picture in pictures
    ]


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Bounties, the open ones first."""
    viewer = viewer_of(request)
    state = request.GET.get("state", queries.OPEN)
    page = queries.listing(
        viewer=viewer,
        state=state,
        kind=request.GET.get("kind", ""),
        sort=request.GET.get("sort", "newest"),
        tag=request.GET.get("tag", ""),
        after=request.GET.get("after"),
        limit=PAGE,
    )
    return render(
        request,
        "bounties/index.html",
        {
            "area": "bounties",
            "cards": [
                (bounty, shown_to(viewer, [row.media for row in bounty.reference_rows.all()][:4]))
                for bounty in page.items
            ],
            "next": page.next,
            "state": state,
            "states": [*STATES, *(((queries.MINE, "Mine"),) if viewer else ())],
            "sort": request.GET.get("sort", "newest"),
            "sorts": SORTS,
            "kind": request.GET.get("kind", ""),
            "kinds": Kind.choices,
            "tag": request.GET.get("tag", ""),
        },
    )


@require_safe
def detail(request: HttpRequest, bounty_id: str) -> HttpResponse:
    """One bounty: brief, entries, contributors, and everything that happened."""
    viewer = viewer_of(request)
    bounty = queries.find(bounty_id=bounty_id, viewer=viewer)
    entries = paginate(
        queries.entries(bounty=bounty, viewer=viewer),
        order=("created_at", "id"),
        after=request.GET.get("after"),
        limit=ENTRIES,
    )
    stakes = list(queries.contributions(bounty=bounty))
    options = queries.options(bounty=bounty, viewer=viewer)
    return render(
        request,
        "bounties/detail.html",
        {
            "area": "bounties",
            "bounty": bounty,
            "options": options,
            "steps": steps(bounty),
            "pictures": shown_to(viewer, [row.media for row in bounty.reference_rows.all()]),
            "entries": _cards(entries.items, viewer),
            "next": entries.next,
            "stakes": stakes,
            "own_stakes": [stake for stake in stakes if stake.id in options.can_give],
            "award_sparks": award_sparks(stakes),
            "lines": [line_of(line, bounty, viewer) for line in queries.timeline(bounty=bounty)],
            "rule": Rule(bounty.rule).label,
            "is_split": bounty.rule == Rule.SPLIT_SHORTLIST,
            "reason": CLOSED_BECAUSE.get(bounty.closed_reason, ""),
        },
    )


def award_sparks(stakes: list[Contribution]) -> int:
    """What an award would pay now."""
    return sum(
        stake.amount_sparks
        for stake in stakes
        if stake.status == "held" and stake.judge == "creator"
    )


def _cards(entries: list[Entry], viewer: User | None) -> list[EntryCard]:
    marked = queries.marked_by(viewer=viewer, entries=entries)
    return [
        EntryCard(
            entry=entry,
            pictures=shown_to(viewer, [row.media for row in entry.picture_rows.all()]),
            is_mine=viewer is not None and entry.maker_id == viewer.pk,
            is_marked=entry.id in marked,
        )
        for entry in entries
        if entry.status != EntryStatus.WITHDRAWN
    ]


USUAL_STEPS = (Status.OPEN, Status.JUDGING, Status.AWARDED, Status.SETTLED)


def steps(bounty: Bounty) -> list[tuple[str, bool]]:
    """The states on the way of this bounty, and which one is the present."""
    status = Status(bounty.status)
    way: tuple[Status, ...] = USUAL_STEPS
    if status in {Status.SCREENING, Status.AWAITING_CONSENT}:
        way = (status, *USUAL_STEPS)
    elif status in {Status.DISPUTED, Status.FROZEN}:
        way = (Status.OPEN, Status.JUDGING, status, Status.SETTLED)
    elif status == Status.REFUNDED:
        way = (
            (Status.OPEN, Status.JUDGING, status)
            if bounty.judging_ends_at
            else (Status.OPEN, status)
        )
    elif status in {Status.CANCELLED, Status.VOID_CONSENT}:
        way = (Status.OPEN, status)
    return [(step.label, step == status) for step in way]


CLOSED_BECAUSE = {
    "by_creator": "Its creator called it off before anybody entered.",
    "no_entries": "The deadline came without an entry, so everyone got their Sparks back.",
    "rule_refund": "Judging ended without an award, so everyone got their Sparks back.",
    "split_shortlist": "Judging ended without an award, so the shortlisted entries shared it.",
    "awarded": "Everything is paid.",
    "review_refused": "Staff looked at it and refused it.",
    "not_reviewed_in_time": "Its deadline came before review was done.",
    "insufficient_sparks": "The Sparks were gone from its creator's wallet when review was done.",
    "by_staff": "Staff ended it and gave everyone their Sparks back.",
    "freeze_ended": "Staff stopped it; everyone got their Sparks back.",
    "dispute": "Staff decided a dispute; everyone got their Sparks back.",
    "void_consent": "A depicted person withdrew consent; everyone got their Sparks back.",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the timeline; the transfer's page opens for those whose Sparks it moved."""

    event: BountyEvent
    may_open_transfer: bool
    reason: str


def line_of(event: BountyEvent, bounty: Bounty, viewer: User | None) -> Line:
    """An event as this viewer reads it."""
    concerned = {
        bounty.owner_id if event.kind == "awarded" else None,
        event.contribution.contributor_id if event.contribution else None,
        event.entry.maker_id if event.entry else None,
    }
    may_open = bool(event.transfer_id) and viewer is not None and viewer.pk in concerned
    return Line(event, may_open, CLOSED_BECAUSE.get(event.note, event.note))


@require_http_methods(["GET", "POST"])
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """The form that opens a bounty."""
    user = cast("User", request.user)
    if request.method != "POST":
        return _form(request, BountyForm(), Attachments())
    form = BountyForm(request.POST)
    got = attachments.take(request, owner=user, most=MAX_IMAGES)
    if not form.is_valid() or got.problems:
        return _form(request, form, got, status=422)
    values = form.cleaned_data
    try:
        made = services.create(
            owner=user,
            title=values["title"],
            description=values["description"],
            kind=values["kind"],
            amount=values["amount"],
            deadline=values["deadline"],
            image_ids=got.ids,
            tags=form.tag_list(),
            rule=values["rule"],
        )
    except DomainError as refusal:
        form.tell(refusal)
        return _form(request, form, got, problem=refusal, status=refusal.status)
    if made.status == Status.SCREENING:
        messages.warning(
            request,
            "A person looks at this before anybody else sees it. No Sparks have moved; you will "
            "hear when it is open.",
        )
    else:
        messages.success(
            request, f"Your bounty is open, and {made.amount_sparks:,} Sparks are in its escrow."
        )
    return redirect("bounty", bounty_id=made.id)


def _form(request: HttpRequest, form: WordsForm, got: Attachments, **context: Any) -> HttpResponse:
    status = context.pop("status", 200)
    return render(
        request,
        "bounties/form.html",
        {
            "area": "bounties",
            "form": form,
            "got": got,
            "most_images": MAX_IMAGES,
            "is_new": isinstance(form, BountyForm),
            **context,
        },
        status=status,
    )


@require_http_methods(["GET", "POST"])
@login_required
def edit(request: HttpRequest, bounty_id: str) -> HttpResponse:
    """New words and pictures for one's own bounty."""
    user = cast("User", request.user)
    bounty = queries.find(bounty_id=bounty_id, viewer=user)
    if bounty.owner_id != user.pk:
        raise NotOwner("Only the creator of this bounty can change it.")
    if request.method != "POST":
        kept = Attachments(pictures=[row.media for row in bounty.reference_rows.all()])
        return _form(request, WordsForm.of(bounty), kept, bounty=bounty)
    form = WordsForm(request.POST)
    got = attachments.take(request, owner=user, most=MAX_IMAGES)
    if not form.is_valid() or got.problems:
        return _form(request, form, got, bounty=bounty, status=422)
    try:
        changed = services.edit(
            bounty_id=bounty_id,
            actor=user,
            title=form.cleaned_data["title"],
            description=form.cleaned_data["description"],
            image_ids=got.ids,
            tags=form.tag_list(),
        )
    except DomainError as refusal:
        form.tell(refusal)
        return _form(request, form, got, bounty=bounty, problem=refusal, status=refusal.status)
    if changed.status == Status.SCREENING:
        messages.warning(request, "A person looks at your change; until then nobody sees this.")
    else:
        messages.success(request, "Changed.")
    return redirect("bounty", bounty_id=bounty_id)
