"""Files on their way in, after the tus protocol: create, append, look, end.

What has arrived is the length of the partial file, so an upload goes on after any restart from the
bytes that are really there. A lock on that file keeps two senders apart.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import fcntl
import hashlib
import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from atelier.catalog.errors import ChecksumMismatch, OffsetConflict, TooLarge, UploadGone
from atelier.catalog.models import Upload
from atelier.core import clock
from atelier.core.errors import Busy, Forbidden, Invalid, NotFound, WrongState
from atelier.likeness import queries as likeness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from atelier.accounts.models import User

MAX_BYTES = 64 * 1024**3
MAX_OPEN_UPLOADS = 50
MAX_METADATA = 4096
MAX_FILENAME = 255
SPARE_DISK = 1024**3
LIFE = dt.timedelta(days=2)
BLOCK = 256 * 1024
CHECKSUMS = ("sha1", "sha256", "md5")


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the sender says about the bytes of one request."""

    algorithm: str
    digest: bytes


def folder() -> Path:
    """Where partial files lie."""
    home: Path = settings.ATELIER_HOME
    place = home / "uploads"
    place.mkdir(parents=True, exist_ok=True)
    return place


def path_of(upload: Upload) -> Path:
    """The partial file of an upload."""
    return folder() / str(upload.pk)


def create(*, owner: User, length: int, metadata: str = "") -> Upload:
    """A place for ``length`` bytes; ``metadata`` is the tus header with the file's name."""
    if "uploads" in likeness.stopped():
        raise Forbidden("Uploads are stopped for now. Try again later.")
    if length < 1:
        raise Invalid.field("Upload-Length", "must be at least 1")
    if length > MAX_BYTES:
        raise TooLarge(f"A file has at most {MAX_BYTES // 1024**3} GiB.")
    facts = read_metadata(metadata)
    filename = _filename(facts.get("filename") or facts.get("name") or "model.safetensors")
    if shutil.disk_usage(folder()).free < length + SPARE_DISK:
        raise TooLarge("There is no room for this file on the site now.")
    with transaction.atomic():
        open_uploads = Upload.objects.filter(
            owner=owner, state=Upload.State.RECEIVING, expires_at__gt=clock.now()
        ).count()
        if open_uploads >= MAX_OPEN_UPLOADS:
            raise TooLarge(f"At most {MAX_OPEN_UPLOADS} uploads at a time. Finish or end some.")
        upload = Upload.objects.create(
            owner=owner,
            filename=filename,
            length=length,
            metadata=metadata,
            expires_at=clock.now() + LIFE,
        )
        path_of(upload).touch()
    return upload


def find(*, upload_id: str, owner: User) -> Upload:
    """The owner's upload; another's does not exist for them, and one that is over is gone."""
    upload = Upload.objects.filter(pk=upload_id, owner=owner).first()
    if upload is None:
        raise NotFound("There is no such upload.")
    over = upload.state == Upload.State.USED or (
        upload.state == Upload.State.RECEIVING and upload.expires_at <= clock.now()
    )
    if over or not path_of(upload).exists():
        raise UploadGone("This upload is over. Start a new one.")
    return upload


def offset_of(upload: Upload) -> int:
    """How many bytes have arrived."""
    return path_of(upload).stat().st_size


def arrived(upload: Upload) -> int:
    """As :func:`offset_of`, for an upload that may be over: all of it when it became a file."""
    if upload.state == Upload.State.USED:
        return upload.length
    path = path_of(upload)
    return path.stat().st_size if path.exists() else 0


def append(
    *,
    upload: Upload,
    offset: int,
    stream: IO[bytes],
    length: int | None,
    checksum: Checksum | None = None,
) -> int:
    """Writes what comes at ``offset``; answers the new offset.

    A sender that breaks off leaves what arrived. With a checksum it is all or nothing.
    """
    with held(upload) as file:
        end = file.seek(0, os.SEEK_END)
        if offset != end:
            raise OffsetConflict(f"This upload continues at {end}, not at {offset}.")
        if length is not None and end + length > upload.length:
            raise TooLarge(f"These bytes go past the announced length of {upload.length}.")
        digest = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None
        position = end
        try:
            while position < upload.length:
                room = min(BLOCK, upload.length - position)
                chunk = stream.read(room if length is None else min(room, end + length - position))
                if not chunk:
                    break
                file.write(chunk)
                if digest is not None:
                    digest.update(chunk)
                position += len(chunk)
        finally:
            file.flush()
            os.fsync(file.fileno())
        if checksum is not None and digest is not None and digest.digest() != checksum.digest:
            file.truncate(end)
            raise ChecksumMismatch("The checksum does not match what arrived. Send it again.")
        # The life of an upload counts from its last byte.
        changes: dict[str, Any] = {"expires_at": clock.now() + LIFE}
        if position == upload.length:
            changes["state"] = Upload.State.FINISHED
        Upload.objects.filter(pk=upload.pk, state=Upload.State.RECEIVING).update(**changes)
    return position


def terminate(*, upload: Upload) -> None:
    """Ends an upload and forgets its bytes."""
    with held(upload):
        path_of(upload).unlink(missing_ok=True)
        upload.delete()


def require_finished(upload: Upload) -> None:
    """Raises :class:`WrongState` while bytes are missing."""
    arrived = offset_of(upload)
    if arrived != upload.length:
        raise WrongState(f"{arrived} of {upload.length} bytes have arrived; send the rest first.")


@contextmanager
def held(upload: Upload) -> Iterator[IO[bytes]]:
    """The partial file, for one holder at a time; a second one is told to come back."""
    try:
        file = path_of(upload).open("r+b")
    except FileNotFoundError:
        raise UploadGone("This upload is over. Start a new one.") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy("Another request is sending to this upload.", retry_after=1) from None
        # The holder before may have ended it between our open and our lock.
        if not path_of(upload).exists():
            raise UploadGone("This upload is over. Start a new one.")
        yield file


def sweep() -> int:
    """Forgets uploads that expired, were used, or left only a file behind; answers how many."""
    over = Upload.objects.exclude(state=Upload.State.USED).filter(expires_at__lte=clock.now())
    ended = 0
    for upload in over.iterator():
        try:
            terminate(upload=upload)
        except Busy:
            continue
        except UploadGone:
            upload.delete()
        ended += 1
    used = Upload.objects.filter(state=Upload.State.USED, expires_at__lte=clock.now())
    used.delete()
    return ended


def read_metadata(text: str) -> dict[str, str]:
    """Names and values of an ``Upload-Metadata`` header; raises :class:`Invalid`."""
    if len(text) > MAX_METADATA:
        raise Invalid.field("Upload-Metadata", f"has at most {MAX_METADATA} characters")
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        key, _, value = pair.partition(" ")
        try:
            decoded = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise Invalid.field("Upload-Metadata", "values are base64 of UTF-8 text") from None
        if key in found:
            raise Invalid.field("Upload-Metadata", f"names {key} twice")
        found[key] = decoded
    return found


def read_checksum(text: str) -> Checksum:
    """An ``Upload-Checksum`` header; raises :class:`Invalid`."""
    algorithm, _, value = text.strip().partition(" ")
    if algorithm not in CHECKSUMS:
        raise Invalid.field("Upload-Checksum", f"must be one of {', '.join(CHECKSUMS)}")
    try:
        digest = base64.b64decode(value.strip(), validate=True)
    except binascii.Error:
        raise Invalid.field("Upload-Checksum", "must be base64") from None
    return Checksum(algorithm, digest)


def _filename(text: str) -> str:
    """The last part of a name, without what a file system or a header would stumble over."""
    last = text.replace("\\", "/").rsplit("/", 1)[-1]
    clean = re.sub(r'[\x00-\x1f\x7f"<>|:*?]', "", last).strip(" .")
    return clean[-MAX_FILENAME:] or "model.safetensors"
