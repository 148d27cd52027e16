"""Refusals of the social part."""

from __future__ import annotations

from typing import ClassVar

from atelier.core.errors import Forbidden, WrongState


class AlreadyClaimed(WrongState):
    """The daily Sparks come once a day."""

    title: ClassVar[str] = "Claimed already"


class CommentHeld(Forbidden):
    """The words are doubtful; a comment has no waiting room, so it is refused."""

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "This comment cannot be shown"
