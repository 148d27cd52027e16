"""Refusals of the catalog."""

from __future__ import annotations

from atelier.core.errors import DomainError, Forbidden, Invalid, NotFound


class Quarantined(Forbidden):
    """Weights from elsewhere that nobody has looked at yet."""

    code = "quarantined"
    title = "This file waits for review"


class Locked(Forbidden):
    """The file belongs to an entry that has not been awarded."""

    code = "locked"
    title = "This file is locked"


class FileRefused(Invalid):
    """A file that is not what the catalog takes; the detail says what it is instead."""

    code = "file_refused"
    title = "This file cannot be taken"


class UploadGone(NotFound):
    """An upload that expired, was ended, or became a file already."""

    code = "upload_gone"
    title = "This upload is over"
    status = 410


class OffsetConflict(DomainError):
    """The client sends from another place than where the file ends."""

    code = "offset_conflict"
    title = "The upload continues elsewhere"
    status = 409


class TooLarge(Invalid):
    """More bytes than the site takes."""

    code = "too_large"
    title = "Too large"
    status = 413


class ChecksumMismatch(DomainError):
    """The bytes that arrived are not the ones that were sent."""

    code = "checksum_mismatch"
    title = "The bytes arrived damaged"
    status = 460
