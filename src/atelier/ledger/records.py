"""What the books answer: frozen values, seen from one person's wallet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True, slots=True)
class Subject:
    """The thing that a movement was about, as an opaque reference that pages turn into a link."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Kinds:
    """An amount by where its Sparks came from."""

    earned: int = 0
    bought: int = 0
    income: int = 0

    @property
    def total(self) -> int:
        """All kinds together."""
        return self.earned + self.bought + self.income


@dataclass(frozen=True, slots=True)
class Wallet:
    """``available`` can be spent now; ``held`` is set aside for running jobs, escrow is neither."""

    available: int
    held: int
    earned: int
    bought: int
    income: int


@dataclass(frozen=True, slots=True)
class TransferView:
    """A movement as its wallet sees it: ``amount`` is signed, zero when it passed the wallet by.

    ``counterparty_id`` is the person on the other side, ``None`` for the site itself. ``type`` is
    one of ``ledger.models.TransferType``.
    """

    id: str
    type: str
    amount: int
    kinds: Kinds
    reason: str
    subject: Subject | None
    counterparty_id: int | None
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class PostingView:
    """One line of a transfer. ``place`` is wallet, stake, hold or platform."""

    place: str
    user_id: int | None
    amount: int
    kinds: Kinds


@dataclass(frozen=True, slots=True)
class Story:
    """A transfer with all its lines, for the people it concerns."""

    transfer: TransferView
    business_key: str
    actor_id: int | None
    postings: tuple[PostingView, ...]


@dataclass(frozen=True, slots=True)
class Stake:
    """A share in an escrow: what its owner put in, and what is left of it."""

    funding_business_key: str
    user_id: int
    funded: int
    remaining: Kinds


@dataclass(frozen=True, slots=True)
class Verification:
    """``differences`` counts what does not add up; ``findings`` says what."""

    ok: bool
    differences: int
    transfers: int
    findings: tuple[str, ...]
