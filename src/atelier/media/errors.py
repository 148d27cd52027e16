"""Why a picture cannot be used."""

from __future__ import annotations

from atelier.core.errors import DomainError

# Refusals for what a picture shows answer 403, like every other decision of that kind; the rest is
# about the file and answers 422.
FORBIDDEN_CODES = frozenset(
    {"likeness_consent_required", "sexual_likeness", "minor_content", "photoreal_sexual", "barred"}
)


class MediaPending(DomainError):
    """The picture is still being checked; ask again in a moment."""

    code = "media_pending"
    title = "Still being checked"
    status = 409


class MediaRefused(DomainError):
    """The picture was refused; the code says by which rule."""

    code = "media_refused"
    title = "That picture cannot be used"
    status = 422

    def __init__(self, detail: str, *, code: str) -> None:
        super().__init__(detail)
        # Each refusal keeps its own stable code on the instance.
        self.code = code  # type: ignore[misc]
        if code in FORBIDDEN_CODES:
            self.status = 403  # type: ignore[misc]
