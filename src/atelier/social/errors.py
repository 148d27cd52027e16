"""Refusals of the social part."""

from __future__ import annotations

from typing import ClassVar

from atelier.core.errors import WrongState


class AlreadyClaimed(WrongState):
    """The daily Sparks come once a day."""

    title: ClassVar[str] = "Claimed already"
