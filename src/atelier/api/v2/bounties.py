"""Bounties: commissions, the stakes in them, and the entries to them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema

from atelier.api.v2 import people
from atelier.api.v2.common import json_response, optional_viewer, page_response, viewer_of
from atelier.bounties import queries, services
from atelier.core.errors import Invalid
from atelier.core.pagination import paginate
from atelier.media import queries as media

if TYPE_CHECKING:
    from atelier.accounts.models import User
    from atelier.bounties.models import Bounty, BountyEvent, Contribution, Entry
    from atelier.bounties.services import Award
    from atelier.media.models import Media

router = Router(tags=["Bounties"])
IN_ORDER = ("created_at", "id")


class BountyIn(Schema):
    """A new commission. ``deadline`` is ISO 8601 with an offset; ``images`` are ids of pictures."""

    title: str
    description: str
    kind: str
    amount: int = Field(strict=True)
    deadline: str
    images: list[str] = Field(default_factory=list)
    tags: list[str] = Field(default_factory=list)
    rule: str = "refund"


class BountyChange(Schema):
    """New words or pictures; what is left out stays."""

    title: str | None = None
    description: str | None = None
    images: list[str] | None = None
    tags: list[str] | None = None


class DeadlineIn(Schema):
    """A later deadline."""

    deadline: str


class ContributionIn(Schema):
    """A stake. ``judge`` is ``creator``, or ``self`` to give it to an entry oneself."""

    amount: int = Field(strict=True)
    judge: str = "creator"


class GiftIn(Schema):
    """Which entry gets the stake."""

    entry: str


class EntryIn(Schema):
    """Work: a version (id or AIR) or finished uploads, and pictures of it."""

    description: str = ""
    version: int | str | None = None
    files: list[str] = Field(default_factory=list)
    images: list[str] = Field(default_factory=list)


class DisputeIn(Schema):
    """Why staff should decide."""

    reason: str


class BountyFilter(Schema):
    """Which bounties, and in which order: newest, ending or highest."""

    after: str | None = None
    limit: int | None = None
    state: str = ""
    kind: str = ""
    sort: str = "newest"
    owner: str = ""
    tag: str = ""


def _user(request: HttpRequest) -> User | None:
    viewer = optional_viewer(request)
    return viewer.user if viewer else None


def _spender(request: HttpRequest) -> User:
    viewer = viewer_of(request)
    viewer.require("spend")
    return viewer.user


def _moment(text: str) -> dt.datetime:
    form = "must be a moment as in 2030-01-31T18:00:00Z"
    if "T" not in text.upper() and " " not in text.strip():
        raise Invalid.field("deadline", f"{form}, with a time of day")
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        raise Invalid.field("deadline", form) from None


@router.get("/bounties", auth=None)
def index(request: HttpRequest, wanted: Query[BountyFilter]) -> HttpResponse:
    """Bounties; ``state`` is open, judging, awarded, closed or mine."""
    page = queries.listing(
        viewer=_user(request),
        state=wanted.state,
        kind=wanted.kind,
        sort=wanted.sort,
        owner_id=people.named(wanted.owner).pk if wanted.owner else None,
        tag=wanted.tag,
        after=wanted.after,
        limit=wanted.limit,
    )
    return page_response(page, _bounty)


@router.post("/bounties")
def create(request: HttpRequest, body: BountyIn) -> HttpResponse:
    """Open a bounty; its Sparks move into escrow at once, unless a person has to look first."""
    user = _spender(request)
    bounty = services.create(
        owner=user,
        title=body.title,
        description=body.description,
        kind=body.kind,
        amount=body.amount,
        deadline=_moment(body.deadline),
        image_ids=body.images,
        tags=body.tags,
        rule=body.rule,
    )
    return _whole(bounty.id, user, status=201)


@router.get("/bounties/{bounty_id}", auth=None)
def detail(request: HttpRequest, bounty_id: str) -> HttpResponse:
    """One bounty."""
    return _whole(bounty_id, _user(request))


@router.patch("/bounties/{bounty_id}")
def change(request: HttpRequest, bounty_id: str, body: BountyChange) -> HttpResponse:
    """Change one's own bounty while nobody has put work or Sparks on its words."""
    user = viewer_of(request).user
    services.edit(
        bounty_id=bounty_id,
        actor=user,
        title=body.title,
        description=body.description,
        image_ids=body.images,
        tags=body.tags,
    )
    return _whole(bounty_id, user)


@router.post("/bounties/{bounty_id}/extend")
def extend(request: HttpRequest, bounty_id: str, body: DeadlineIn) -> HttpResponse:
    """Give everybody more time, once."""
    user = viewer_of(request).user
    services.extend(bounty_id=bounty_id, actor=user, deadline=_moment(body.deadline))
    return _whole(bounty_id, user)


@router.post("/bounties/{bounty_id}/cancel")
def cancel(request: HttpRequest, bounty_id: str) -> HttpResponse:
    """Call one's own bounty off while nobody has entered; every stake goes back."""
    user = viewer_of(request).user
    services.cancel(bounty_id=bounty_id, actor=user)
    return _whole(bounty_id, user)


@router.post("/bounties/{bounty_id}/dispute")
def dispute(request: HttpRequest, bounty_id: str, body: DisputeIn) -> HttpResponse:
    """Ask staff to decide, during judging, with a stake or an entry of one's own."""
    user = viewer_of(request).user
    services.open_dispute(bounty_id=bounty_id, actor=user, reason=body.reason)
    return _whole(bounty_id, user, status=201)


@router.get("/bounties/{bounty_id}/timeline", auth=None)
def timeline(
    request: HttpRequest, bounty_id: str, after: str | None = None, limit: int | None = None
) -> HttpResponse:
    """Everything that happened, oldest first, with the transfers that moved Sparks."""
    bounty = queries.find(bounty_id=bounty_id, viewer=_user(request))
    page = paginate(queries.timeline(bounty=bounty), order=("id",), after=after, limit=limit)
    return page_response(page, _event)


@router.get("/bounties/{bounty_id}/contributions", auth=None)
def contributions(
    request: HttpRequest, bounty_id: str, after: str | None = None, limit: int | None = None
) -> HttpResponse:
    """The stakes in a bounty."""
    bounty = queries.find(bounty_id=bounty_id, viewer=_user(request))
    page = paginate(queries.contributions(bounty=bounty), order=IN_ORDER, after=after, limit=limit)
    return page_response(page, _contribution)


@router.post("/bounties/{bounty_id}/contributions")
def contribute(request: HttpRequest, bounty_id: str, body: ContributionIn) -> HttpResponse:
    """Add a stake to a bounty."""
    made = services.contribute(
        bounty_id=bounty_id,
        contributor=_spender(request),
        amount=body.amount,
        judge=body.judge,
    )
    return json_response(_contribution(made), status=201)


@router.get("/bounties/{bounty_id}/contributions/{contribution_id}", auth=None)
def contribution(request: HttpRequest, bounty_id: str, contribution_id: str) -> HttpResponse:
    """One stake."""
    bounty = queries.find(bounty_id=bounty_id, viewer=_user(request))
    found = queries.contribution(bounty=bounty, contribution_id=contribution_id)
    return json_response(_contribution(found))


@router.post("/bounties/{bounty_id}/contributions/{contribution_id}/give")
def give(request: HttpRequest, bounty_id: str, contribution_id: str, body: GiftIn) -> HttpResponse:
    """Give one's own stake to an entry, for good."""
    made = services.give(
        bounty_id=bounty_id,
        contribution_id=contribution_id,
        entry_id=body.entry,
        actor=_spender(request),
    )
    return json_response(_contribution(made))


@router.get("/bounties/{bounty_id}/entries", auth=None)
def entries(
    request: HttpRequest, bounty_id: str, after: str | None = None, limit: int | None = None
) -> HttpResponse:
    """The entries to a bounty."""
    viewer = _user(request)
    bounty = queries.find(bounty_id=bounty_id, viewer=viewer)
    rows = queries.entries(bounty=bounty, viewer=viewer)
    return page_response(paginate(rows, order=IN_ORDER, after=after, limit=limit), _entry)


@router.post("/bounties/{bounty_id}/entries")
def enter(request: HttpRequest, bounty_id: str, body: EntryIn) -> HttpResponse:
    """Submit work. Its pictures are for all to see; its files stay locked until they are paid."""
    user = viewer_of(request).user
    made = services.enter(
        bounty_id=bounty_id,
        maker=user,
        description=body.description,
        version=body.version,
        upload_ids=body.files,
        image_ids=body.images,
    )
    return _one_entry(bounty_id, made.id, user, status=201)


@router.get("/bounties/{bounty_id}/entries/{entry_id}", auth=None)
def entry(request: HttpRequest, bounty_id: str, entry_id: str) -> HttpResponse:
    """One entry."""
    return _one_entry(bounty_id, entry_id, _user(request))


@router.post("/bounties/{bounty_id}/entries/{entry_id}/withdraw")
def withdraw(request: HttpRequest, bounty_id: str, entry_id: str) -> HttpResponse:
    """Take one's own entry back while nobody has paid for it."""
    user = viewer_of(request).user
    services.withdraw(bounty_id=bounty_id, entry_id=entry_id, actor=user)
    return _one_entry(bounty_id, entry_id, user)


@router.put("/bounties/{bounty_id}/entries/{entry_id}/shortlist")
def shortlist(request: HttpRequest, bounty_id: str, entry_id: str) -> HttpResponse:
    """Mark an entry as worth a share, with a stake of one's own."""
    user = viewer_of(request).user
    services.shortlist(bounty_id=bounty_id, entry_id=entry_id, actor=user)
    return _one_entry(bounty_id, entry_id, user)


@router.delete("/bounties/{bounty_id}/entries/{entry_id}/shortlist")
def unshortlist(request: HttpRequest, bounty_id: str, entry_id: str) -> HttpResponse:
    """Take the mark back."""
    user = viewer_of(request).user
    services.shortlist(bounty_id=bounty_id, entry_id=entry_id, actor=user, is_on=False)
    return _one_entry(bounty_id, entry_id, user)


@router.post("/bounties/{bounty_id}/entries/{entry_id}/award")
def award(request: HttpRequest, bounty_id: str, entry_id: str) -> HttpResponse:
    """Choose an entry, finally: it is paid, unlocked and published in one step."""
    made = services.award(bounty_id=bounty_id, entry_id=entry_id, actor=_spender(request))
    return json_response(_award(made))


def _whole(bounty_id: str, viewer: User | None, *, status: int = 200) -> HttpResponse:
    return json_response(_bounty(queries.find(bounty_id=bounty_id, viewer=viewer)), status=status)


def _one_entry(
    bounty_id: str, entry_id: str, viewer: User | None, *, status: int = 200
) -> HttpResponse:
    bounty = queries.find(bounty_id=bounty_id, viewer=viewer)
    found = queries.entry(bounty=bounty, entry_id=entry_id, viewer=viewer)
    return json_response(_entry(found), status=status)


def _picture(shown: Media) -> dict[str, Any]:
    return {
        "media": shown.id,
        "url": media.original_url(shown),
        "thumbnail": media.url(shown, 320),
        "width": shown.width,
        "height": shown.height,
        "rating": shown.rating,
    }


def _bounty(bounty: Bounty) -> dict[str, Any]:
    pictures = [row.media for row in bounty.reference_rows.all()]
    return {
        "id": bounty.id,
        "status": bounty.status,
        "title": bounty.title,
        "description": bounty.description,
        "kind": bounty.kind,
        "rule": bounty.rule,
        "tags": bounty.tags,
        "amount": bounty.amount_sparks,
        "escrow": bounty.escrow_sparks,
        "staked": bounty.staked_sparks,
        "paid": bounty.paid_sparks,
        "refunded": bounty.refunded_sparks,
        "deadline": bounty.deadline,
        "judging_ends_at": bounty.judging_ends_at,
        "images": [shown.id for shown in pictures],
        "pictures": [_picture(shown) for shown in pictures],
        "rating": bounty.rating,
        "owner": people.person(bounty.owner),
        "awarded_entry": bounty.awarded_entry_id,
        "closed_reason": bounty.closed_reason or None,
        "created_at": bounty.created_at,
        "opened_at": bounty.opened_at,
        "url": f"/bounties/{bounty.id}",
    }


def _contribution(made: Contribution) -> dict[str, Any]:
    return {
        "id": made.id,
        "bounty": made.bounty_id,
        "contributor": people.person(made.contributor),
        "amount": made.amount_sparks,
        "judge": made.judge,
        "status": made.status,
        "given_to": made.given_to_id,
        "transfer": made.funding_transfer_id,
        "created_at": made.created_at,
        "resolved_at": made.resolved_at,
    }


def _entry(found: Entry) -> dict[str, Any]:
    pictures = [row.media for row in found.picture_rows.all()]
    version = found.version
    return {
        "id": found.id,
        "bounty": found.bounty_id,
        "status": found.status,
        "description": found.description,
        "maker": people.person(found.maker),
        "version": version.pk if version else None,
        "model": version.model_id if version else None,
        "locked": bool(version and version.access == "locked"),
        "images": [shown.id for shown in pictures],
        "pictures": [_picture(shown) for shown in pictures],
        "paid": found.paid_sparks,
        "created_at": found.created_at,
        "decided_at": found.decided_at,
    }


def _award(made: Award) -> dict[str, Any]:
    return {
        "entry": made.entry_id,
        "transfer": made.transfer_id,
        "model": made.model_id,
        "version": made.version_id,
        "amount": made.amount_sparks,
        "status": made.status,
    }


def _event(line: BountyEvent) -> dict[str, Any]:
    return {
        "id": line.pk,
        "kind": line.kind,
        "actor": people.person(line.actor) if line.actor else None,
        "entry": line.entry_id,
        "contribution": line.contribution_id,
        "amount": line.amount_sparks,
        "transfer": line.transfer_id or None,
        "note": line.note,
        "created_at": line.created_at,
    }
