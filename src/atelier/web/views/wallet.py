"""One's own Sparks."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from atelier.accounts import queries as accounts
from atelier.ledger import queries as ledger
from atelier.social import queries as social_queries
from atelier.social import services as social
from atelier.social.errors import AlreadyClaimed

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from atelier.accounts.models import User

PAGE = 50


@login_required
@require_safe
def wallet(request: HttpRequest) -> HttpResponse:
    """What one has, what is set aside, and everything that moved."""
    user = cast("User", request.user)
    direction = request.GET.get("show", "")
    page = ledger.transfers(
        user_id=user.pk, after=request.GET.get("after"), limit=PAGE, direction=direction
    )
    others = accounts.by_ids(row.counterparty_id for row in page.items if row.counterparty_id)
    return render(
        request,
        "wallet/wallet.html",
        {
            "area": "wallet",
            "wallet": ledger.wallet(user_id=user.pk),
            "holds": ledger.open_holds(user_id=user.pk),
            "rows": [(row, others.get(row.counterparty_id or 0)) for row in page.items],
            "next": page.next,
            "direction": direction if direction in {"in", "out"} else "",
            "may_claim": social_queries.may_claim_daily(user=user),
        },
    )


@login_required
@require_safe
def transfer(request: HttpRequest, transfer_id: str) -> HttpResponse:
    """The story of one movement."""
    story = ledger.story(user_id=cast("User", request.user).pk, transfer_id=transfer_id)
    people = accounts.by_ids(
        number
        for number in (
            *(line.user_id for line in story.postings),
            story.actor_id,
            story.transfer.counterparty_id,
        )
        if number is not None
    )
    return render(
        request,
        "wallet/transfer.html",
        {
            "area": "wallet",
            "story": story,
            "transfer": story.transfer,
            "counterparty": people.get(story.transfer.counterparty_id or 0),
            "actor": people.get(story.actor_id or 0),
            "lines": [(line, people.get(line.user_id or 0)) for line in story.postings],
        },
    )


@login_required
@require_POST
def claim_daily(request: HttpRequest) -> HttpResponse:
    """Today's Sparks, for the asking."""
    try:
        given = social.claim_daily(user=cast("User", request.user))
    except AlreadyClaimed as problem:
        messages.info(request, problem.detail)
    else:
        messages.success(request, f"{given.amount} Sparks are yours. Come back tomorrow for more.")
    return redirect("wallet")
