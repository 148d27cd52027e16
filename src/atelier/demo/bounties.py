"""The demo's bounties: one in each state, each brought there by its real steps.

Their past is played on a set clock: a bounty refunded last week shows last week's dates.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atelier.bounties import services as bounties
from atelier.bounties.models import Bounty
from atelier.core import clock
from atelier.media.models import Media

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from atelier.accounts.models import User

    People = Mapping[str, User]

DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Told:
    """A demo bounty: how it opened, and what happened to it since."""

    owner: str
    title: str
    text: str
    kind: str
    amount: int
    opened: dt.timedelta
    runs: dt.timedelta
    tags: tuple[str, ...] = ()
    rule: str = "refund"


OPEN = (
    Told(
        "demo_ada",
        "A LoRA of a drawn lighthouse keeper gull",
        "A gull in a yellow raincoat, flat colours, friendly. It should sit, fly and hold a lamp.",
        "lora",
        amount=1500,
        opened=2 * DAY,
        runs=9 * DAY,
        tags=("mascot", "bird"),
    ),
    Told(
        "demo_juno",
        "Icon set: twelve board-game tokens",
        "Twelve matching pictures of tokens: coin, key, crown, rocket and so on, on white.",
        "images",
        amount=800,
        opened=DAY,
        runs=5 * DAY,
        tags=("icons",),
    ),
    Told(
        "demo_lena",
        "Screen-print style with three colours",
        "Like my four-colour one, with three. Red, cream, black.",
        "lora",
        amount=2200,
        opened=3 * DAY,
        runs=12 * DAY,
        tags=("style",),
    ),
)
ENTERED = Told(
    "demo_kai",
    "A fox for my school club",
    "A small orange fox we can put on posters. Simple shapes.",
    "images",
    amount=700,
    opened=4 * DAY,
    runs=6 * DAY,
    tags=("fox", "mascot"),
)
JUDGING = Told(
    "demo_hana",
    "Pastel sea animals",
    "A style or a character, as long as it swims and is pastel.",
    "images",
    amount=900,
    opened=8 * DAY,
    runs=7 * DAY + dt.timedelta(hours=12),
    tags=("pastel",),
)
AWARDED = Told(
    "demo_goro",
    "A ghost for a game about laundry",
    "Friendly, round, no chains. It may be a frog in a sheet.",
    "images",
    amount=1200,
    opened=20 * DAY,
    runs=10 * DAY,
    tags=("ghost",),
)
REFUNDED = Told(
    "demo_dora",
    "Cake in the shape of every letter",
    "Twenty-six cakes.",
    "images",
    amount=600,
    opened=15 * DAY,
    runs=5 * DAY,
    tags=("food",),
)
CANCELLED = Told(
    "demo_emil",
    "Pixel portraits of my chess pieces",
    "Six pieces, two colours.",
    "images",
    amount=500,
    opened=12 * DAY,
    runs=10 * DAY,
    tags=("pixel",),
)
DISPUTED = Told(
    "demo_ivo",
    "A dragon that fits in a teacup",
    "Green, small wings, not scary.",
    "images",
    amount=1000,
    opened=9 * DAY,
    runs=8 * DAY,
    tags=("dragon",),
)
SPLIT = Told(
    "demo_fatima",
    "Bats, owls and other night animals",
    "One character each; I keep all good ones.",
    "images",
    amount=1000,
    opened=14 * DAY,
    runs=6 * DAY,
    tags=("night",),
    rule="split_shortlist",
)


def ensure(*, people: People) -> None:
    """Play every bounty that is not there yet."""
    for told in OPEN:
        _once(told, people, lambda _bounty: None)
    _once(ENTERED, people, lambda b: _enter(b, ENTERED, people["demo_bruno"]))
    _once(JUDGING, people, lambda b: _judged(b, people))
    _once(AWARDED, people, lambda b: _awarded(b, people))
    _once(REFUNDED, people, lambda b: _expire(b, REFUNDED))
    _once(CANCELLED, people, lambda b: _cancelled(b, people))
    _once(DISPUTED, people, lambda b: _disputed(b, people))
    _once(SPLIT, people, lambda b: _split(b, people))


def _once(told: Told, people: People, rest: Callable[[Bounty], object]) -> None:
    owner = people[told.owner]
    if Bounty.objects.filter(owner=owner, title=told.title).exists():
        return
    start = clock.now() - told.opened
    with clock.frozen(start):
        bounty = bounties.create(
            owner=owner,
            title=told.title,
            description=told.text,
            kind=told.kind,
            amount=told.amount,
            deadline=start + told.runs,
            tags=told.tags,
            rule=told.rule,
        )
    rest(bounty)


def _enter(bounty: Bounty, told: Told, maker: User) -> str:
    """The maker answers with pictures of their own that nobody could mistake for a person."""
    drawn = Media.objects.filter(owner=maker, generated=True, status="ready", scan__real_faces=0)
    with clock.frozen(clock.now() - told.opened + DAY):
        entry = bounties.enter(
            bounty_id=bounty.id,
            maker=maker,
            image_ids=list(drawn.order_by("id").values_list("id", flat=True)[:4]),
            description="Drawn here with a LoRA of my own.",
        )
    return str(entry.id)


def _expire(bounty: Bounty, told: Told) -> None:
    with clock.frozen(clock.now() - told.opened + told.runs + dt.timedelta(minutes=1)):
        bounties.tick(bounty_id=bounty.id)


def _judged(bounty: Bounty, people: People) -> None:
    _enter(bounty, JUDGING, people["demo_ivo"])
    with clock.frozen(clock.now() - JUDGING.opened + 2 * DAY):
        bounties.contribute(bounty_id=bounty.id, contributor=people["demo_dora"], amount=150)
    _expire(bounty, JUDGING)


def _awarded(bounty: Bounty, people: People) -> None:
    # The ghost's own maker cannot enter their bounty; a friend with a ghost of his own does.
    entry = _enter(bounty, AWARDED, people["demo_bruno"])
    with clock.frozen(clock.now() - AWARDED.opened + 2 * DAY):
        bounties.award(bounty_id=bounty.id, entry_id=entry, actor=people["demo_goro"])


def _cancelled(bounty: Bounty, people: People) -> None:
    with clock.frozen(clock.now() - CANCELLED.opened + DAY):
        bounties.cancel(bounty_id=bounty.id, actor=people["demo_emil"])


def _disputed(bounty: Bounty, people: People) -> None:
    _enter(bounty, DISPUTED, people["demo_juno"])
    _expire(bounty, DISPUTED)
    with clock.frozen(clock.now() - DISPUTED.opened + DISPUTED.runs + dt.timedelta(hours=1)):
        bounties.open_dispute(
            bounty_id=bounty.id,
            actor=people["demo_juno"],
            reason="The brief changed after I entered.",
        )


def _split(bounty: Bounty, people: People) -> None:
    first = _enter(bounty, SPLIT, people["demo_dora"])
    second = _enter(bounty, SPLIT, people["demo_hana"])
    with clock.frozen(clock.now() - SPLIT.opened + 2 * DAY):
        for entry in (first, second):
            bounties.shortlist(bounty_id=bounty.id, entry_id=entry, actor=people["demo_fatima"])
    _expire(bounty, SPLIT)
    with clock.frozen(clock.now() - SPLIT.opened + SPLIT.runs + 3 * DAY):
        bounties.tick(bounty_id=bounty.id)
