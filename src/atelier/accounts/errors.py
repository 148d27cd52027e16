"""Refusals of accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from atelier.core.errors import Forbidden, Invalid

if TYPE_CHECKING:
    from atelier.accounts.models import User

TAKEN_CODE = "duplicate"


class Taken(Invalid):
    """The name or the e-mail address belongs to an account already."""

    code: ClassVar[str] = TAKEN_CODE
    title: ClassVar[str] = "That is taken"


class Suspended(Forbidden):
    """A suspended account can read, but change nothing."""

    code: ClassVar[str] = "suspended"
    title: ClassVar[str] = "This account is suspended"

    @classmethod
    def of(cls, user: User) -> Suspended:
        """Says why, and until when."""
        until = user.suspended_until
        end = f" until {until:%d %B %Y, %H:%M} UTC" if until else ""
        reason = f" Reason: {user.suspension_reason}" if user.suspension_reason else ""
        return cls(f"This account is suspended{end} and can read only.{reason}")


class MissingScope(Forbidden):
    """The token was made for less than this."""

    code: ClassVar[str] = "missing_scope"
    title: ClassVar[str] = "This token may not do that"
