"""The tree of refusals: each has a stable code, a status, and words that a person understands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """Which field broke which rule; ``field`` is the name that the caller sent."""

    field: str
    rule: str


class DomainError(Exception):
    """A refusal that changed nothing.

    ``detail`` is shown to people. ``errors`` names fields and rules for bad input. ``retry_after``
    is seconds, for contention and limits. Subclasses set ``code``, ``title`` and ``status``.
    """

    code: ClassVar[str] = "invalid"
    title: ClassVar[str] = "That cannot be done"
    status: ClassVar[int] = 400

    def __init__(
        self,
        detail: str,
        *,
        errors: tuple[FieldError, ...] = (),
        retry_after: int | None = None,
        extra: dict[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.retry_after = retry_after
        self.extra = extra or {}


class Invalid(DomainError):
    """Input that breaks a rule; name the field and the rule."""

    code = "invalid"
    title = "Something in the request is not right"
    status = 422

    @classmethod
    def field(cls, name: str, rule: str) -> Invalid:
        """One field that broke one rule."""
        return cls(f"{name}: {rule}", errors=(FieldError(name, rule),))


class Duplicate(DomainError):
    """The same thing exists already."""

    code = "duplicate"
    title = "That exists already"
    status = 422


class Unauthenticated(DomainError):
    """Nobody is signed in, or the token is unknown, revoked or expired."""

    code = "unauthenticated"
    title = "Sign in first"
    status = 401


class Forbidden(DomainError):
    """Signed in, but not allowed."""

    code = "forbidden"
    title = "Not allowed"
    status = 403


class NotOwner(DomainError):
    """Only the owner may do this."""

    code = "not_owner"
    title = "This is not yours"
    status = 403


class NotFound(DomainError):
    """It does not exist, or the viewer may not know that it does."""

    code = "not_found"
    title = "Not found"
    status = 404


class WrongState(DomainError):
    """The thing is not in a state in which this can happen."""

    code = "wrong_state"
    title = "Too late or too early for that"
    status = 409


class InProgress(DomainError):
    """The same request is still being carried out."""

    code = "in_progress"
    title = "Still working on it"
    status = 409


class Busy(DomainError):
    """Somebody else is changing the same thing right now; try again."""

    code = "busy"
    title = "Busy"
    status = 409


class IdempotencyConflict(DomainError):
    """An idempotency key came back with another body."""

    code = "idempotency_conflict"
    title = "That key was used for something else"
    status = 409


class RateLimited(DomainError):
    """Too many requests in too short a time."""

    code = "rate_limited"
    title = "Too many requests"
    status = 429
