"""Sparks: what one has, what moved, and tips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema

from atelier.accounts import queries as accounts
from atelier.api.v2 import people
from atelier.api.v2.common import json_response, page_response, viewer_of
from atelier.ledger import queries as ledger
from atelier.social import queries as social_queries
from atelier.social import services as social

if TYPE_CHECKING:
    from collections.abc import Callable

    from atelier.ledger.records import Kinds, PostingView, TransferView
    from atelier.social.models import Tip

router = Router(tags=["Wallet"])


class WalletOut(Schema):
    """``available`` can be spent now, ``held`` is set aside for running jobs; escrow is neither."""

    available: int
    held: int
    earned: int
    bought: int
    income: int


class TipIn(Schema):
    """Who gets how much, perhaps for a thing of theirs."""

    to: str | int = Field(description="Name or number of the person")
    amount: int = Field(strict=True)
    target: people.TargetIn | None = None


@router.get("/wallet", response=WalletOut)
def wallet(request: HttpRequest) -> HttpResponse:
    """What the caller has."""
    found = ledger.wallet(user_id=viewer_of(request).user.pk)
    return json_response(
        {
            "available": found.available,
            "held": found.held,
            "earned": found.earned,
            "bought": found.bought,
            "income": found.income,
        }
    )


@router.get("/wallet/transfers")
def transfers(
    request: HttpRequest, after: str | None = None, limit: int | None = None
) -> HttpResponse:
    """What moved in the caller's wallet, newest first."""
    user_id = viewer_of(request).user.pk
    page = ledger.transfers(user_id=user_id, after=after, limit=limit)
    return page_response(page, _transfer_with(page.items))


@router.get("/wallet/transfers/{transfer_id}")
def transfer(request: HttpRequest, transfer_id: str) -> HttpResponse:
    """One movement with all its postings."""
    story = ledger.story(user_id=viewer_of(request).user.pk, transfer_id=transfer_id)
    render = _transfer_with([story.transfer])
    return json_response(
        {**render(story.transfer), "postings": [_posting(line) for line in story.postings]}
    )


@router.post("/tips")
def give_tip(request: HttpRequest, body: TipIn) -> HttpResponse:
    """Give somebody Sparks."""
    viewer = viewer_of(request)
    viewer.require("spend")
    given = social.tip(
        payer=viewer.user,
        payee=people.named(body.to),
        amount=body.amount,
        target_kind=body.target.kind if body.target else "",
        target_id=str(body.target.id) if body.target else "",
    )
    return json_response(_tip(given), status=201)


@router.get("/tips")
def tips(request: HttpRequest, after: str | None = None, limit: int | None = None) -> HttpResponse:
    """What the caller gave, newest first."""
    page = social_queries.tips_given(user=viewer_of(request).user, after=after, limit=limit)
    return page_response(page, _tip)


@router.get("/tips/{tip_id}")
def tip(request: HttpRequest, tip_id: str) -> HttpResponse:
    """One tip that the caller gave or got."""
    return json_response(_tip(social_queries.tip_of(user=viewer_of(request).user, tip_id=tip_id)))


def _kinds(kinds: Kinds) -> dict[str, int]:
    return {"earned": kinds.earned, "bought": kinds.bought, "income": kinds.income}


def _transfer_with(views: list[TransferView]) -> Callable[[TransferView], dict[str, Any]]:
    """Renders movements; the people in them are looked up once for the page."""
    others = accounts.by_ids(view.counterparty_id for view in views if view.counterparty_id)

    def render(view: TransferView) -> dict[str, Any]:
        other = others.get(view.counterparty_id or 0)
        return {
            "id": view.id,
            "type": view.type,
            "amount": view.amount,
            "kinds": _kinds(view.kinds),
            "reason": view.reason,
            "subject": {"kind": view.subject.kind, "id": view.subject.id} if view.subject else None,
            "counterparty": people.person(other) if other else None,
            "created_at": view.created_at,
        }

    return render


def _posting(line: PostingView) -> dict[str, Any]:
    return {"place": line.place, "amount": line.amount, "kinds": _kinds(line.kinds)}


def _tip(given: Tip) -> dict[str, Any]:
    return {
        "id": given.id,
        "from": people.person(given.payer),
        "to": people.person(given.payee),
        "amount": given.amount,
        "target": {"kind": given.target_kind, "id": given.target_id} if given.target_kind else None,
        "transfer": given.transfer_id,
        "created_at": given.created_at,
    }
