"""Refusals of the books. None of them moved a Spark."""

from __future__ import annotations

from typing import ClassVar

from atelier.core.errors import DomainError, WrongState


class InsufficientSparks(DomainError):
    """The wallet does not hold that much."""

    code: ClassVar[str] = "insufficient_sparks"
    title: ClassVar[str] = "Not enough Sparks"
    status: ClassVar[int] = 402


class KeyReused(WrongState):
    """A business key came back with other parties or amounts: two events were given one name."""

    title: ClassVar[str] = "These Sparks moved already"


class StakeSpent(WrongState):
    """Nothing, or not that much, is left of a stake in an escrow."""

    title: ClassVar[str] = "This stake was paid out already"


class HoldResolved(WrongState):
    """A hold resolves once, and this one has."""

    title: ClassVar[str] = "This hold was settled already"
