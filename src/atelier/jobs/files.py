"""Weights on a worker's own disk, where the engine can map them."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from django.conf import settings

from atelier.core import storage

CHUNK = 1024 * 1024


def local(sha256: str) -> Path:
    """The path of a blob: the blob itself where blobs are local files, else a checked copy.

    Raises :class:`FileNotFoundError` for bytes that the store does not hold.
    """
    blobs = storage.blobs()
    path = blobs.local_path(sha256)
    if path is not None:
        return path
    kept: Path = work_folder("weights") / sha256
    if kept.exists():
        return kept
    digest = hashlib.sha256()
    with (
        blobs.open(sha256) as stream,
        tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as copy,
    ):
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            copy.write(chunk)
    if digest.hexdigest() != sha256:
        Path(copy.name).unlink()
        raise FileNotFoundError(sha256)
    Path(copy.name).replace(kept)
    return kept


def work_folder(*parts: str) -> Path:
    """A folder for work in progress, which any worker on this machine finds again."""
    folder: Path = settings.ATELIER_HOME.joinpath("work", *parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def forget(*parts: str) -> None:
    """Remove a work folder with all that is in it."""
    shutil.rmtree(settings.ATELIER_HOME.joinpath("work", *parts), ignore_errors=True)
