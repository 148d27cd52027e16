"""Bounties, stakes and entries for tests, made through the services."""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING, Any

from tests.factories import accounts, catalog
from tests.factories import ledger as sparks
from tests.factories.photographs import drawing

from atelier.bounties import services
from atelier.core import clock
from atelier.media import services as media

if TYPE_CHECKING:
    from atelier.accounts.models import User
    from atelier.bounties.models import Bounty, Contribution, Entry
    from atelier.media.models import Media

AMOUNT = 1500
WEEK = dt.timedelta(days=7)
# Words that ask for an invented character, which nobody needs to look at.
TITLE = "A LoRA of my mascot"
BRIEF = "A small orange fox with a teal scarf, drawn in flat colours. It should hold at 0.8."


def picture(owner: User, seed: int = 0) -> Media:
    """A drawing that passed its checks."""
    made = media.receive_now(
        owner=owner, stream=io.BytesIO(drawing(seed)), filename=f"drawing-{seed}.png"
    )
    assert made.status == "ready", (made.refusal_code, made.refusal_detail)
    return made


def bounty(
    owner: User | None = None, *, amount: int = AMOUNT, funded: bool = True, **fields: Any
) -> Bounty:
    """An open bounty for a LoRA; its creator gets the Sparks for it first."""
    creator = owner or accounts.user()
    if funded:
        sparks.earned(creator.pk, amount)
    return services.create(
        **{
            "owner": creator,
            "title": TITLE,
            "description": BRIEF,
            "kind": "lora",
            "amount": amount,
            "deadline": clock.now() + WEEK,
            **fields,
        }
    )


def contribution(
    to: Bounty, contributor: User | None = None, *, amount: int = 200, **fields: Any
) -> Contribution:
    """A stake of somebody else."""
    benefactor = contributor or accounts.user()
    sparks.earned(benefactor.pk, amount)
    return services.contribute(bounty_id=to.id, contributor=benefactor, amount=amount, **fields)


def entry(to: Bounty, maker: User | None = None, *, seed: int = 0, **fields: Any) -> Entry:
    """A LoRA trained here, with a sample."""
    entrant = maker or accounts.user()
    if "version" not in fields and to.kind == "lora":
        fields["version"] = catalog.trained(
            entrant, sample_media_ids=[picture(entrant, seed).id]
        ).pk
    elif "image_ids" not in fields:
        fields["image_ids"] = [picture(entrant, seed).id]
    return services.enter(bounty_id=to.id, maker=entrant, **fields)
