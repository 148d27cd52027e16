"""Refusals of trainings."""

from __future__ import annotations

from atelier.core.errors import DomainError


class EpochNotCleared(DomainError):
    """The examination of an epoch's samples found something, so nobody can have its weights."""

    code = "likeness_consent_required"
    title = "This epoch cannot be used"
    status = 403

    def __init__(self, detail: str, *, code: str) -> None:
        super().__init__(detail)
        # The rule that the samples broke, which is what the caller must know.
        self.code = code  # type: ignore[misc]
