"""Refusals of moderation."""

from __future__ import annotations

from atelier.core.errors import Duplicate, Forbidden


class OwnContent(Forbidden):
    """Nobody decides about what is their own."""

    code = "own_content"
    title = "Somebody else has to decide about this"


class AlreadyReported(Duplicate):
    """The same person reported the same thing, and nobody has decided yet."""

    code = "already_reported"
    title = "You reported this already"
