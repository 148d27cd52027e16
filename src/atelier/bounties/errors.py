"""What bounties refuse, beyond the refusals that every domain shares."""

from __future__ import annotations

from atelier.core.errors import DomainError, Forbidden, WrongState


class DeadlinePassed(DomainError):
    """The bounty's deadline is over."""

    code = "deadline_passed"
    title = "The deadline has passed"
    status = 409


class AlreadyAwarded(DomainError):
    """An award is final and happens once."""

    code = "already_awarded"
    title = "Already awarded"
    status = 409


class OwnBounty(Forbidden):
    """Nobody enters, or gives Sparks to, work of their own."""

    code = "own_bounty"
    title = "Not on both sides"


class TooManyOpen(WrongState):
    """A new account may have one bounty running."""

    code = "too_many_open"
    title = "One at a time for new accounts"


class NeedsReview(Forbidden):
    """The decision asks for a person's look, and this act cannot wait half done."""

    code = "needs_review"
    title = "This needs a look by staff first"
