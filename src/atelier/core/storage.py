"""Content-addressed bytes: a blob's name is its SHA-256, so the same bytes are stored once.

``file:`` URLs keep blobs in folders of their first four digits; ``s3:`` URLs keep them in a bucket
through django-storages. Blobs never change, which makes backup and caching simple.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 1024 * 1024
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Stored:
    """Where bytes landed: their SHA-256 in hex, and how many there are."""

    sha256: str
    size: int


class Store(Protocol):
    """What a blob store can do. Unknown names raise :class:`FileNotFoundError`."""

    def put(self, stream: BinaryIO | IO[bytes]) -> Stored: ...
    def put_bytes(self, data: bytes) -> Stored: ...
    def adopt(self, path: Path, sha256: str) -> Stored:
        """Take over a finished local file whose digest the caller computed; it is gone after."""
        ...

    def open(self, sha256: str) -> IO[bytes]: ...
    def read(self, sha256: str) -> bytes: ...
    def exists(self, sha256: str) -> bool: ...
    def local_path(self, sha256: str) -> Path | None:
        """The file itself where blobs are local files, else ``None``."""
        ...

    def delete(self, sha256: str) -> None: ...
    def names(self) -> Iterator[str]: ...


def _check(sha256: str) -> str:
    if not SHA256.fullmatch(sha256):
        raise FileNotFoundError(sha256)
    return sha256


class FolderStore:
    """Blobs as files below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, sha256: str) -> Path:
        _check(sha256)
        return self.root / sha256[:2] / sha256[2:4] / sha256

    def put(self, stream: BinaryIO | IO[bytes]) -> Stored:
        digest = hashlib.sha256()
        size = 0
        incoming = self.root / "incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=incoming)
        try:
            with os.fdopen(descriptor, "wb") as out:
                while chunk := stream.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            self._move(Path(name), digest.hexdigest())
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return Stored(digest.hexdigest(), size)

    def put_bytes(self, data: bytes) -> Stored:
        import io

        return self.put(io.BytesIO(data))

    def adopt(self, path: Path, sha256: str) -> Stored:
        size = path.stat().st_size
        self._move(path, _check(sha256))
        return Stored(sha256, size)

    def _move(self, source: Path, sha256: str) -> None:
        target = self._path(sha256)
        if target.exists():
            source.unlink()
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        # Atomic, and harmless when a twin wins: the bytes are the same.
        source.replace(target)

    def open(self, sha256: str) -> IO[bytes]:
        return self._path(sha256).open("rb")

    def read(self, sha256: str) -> bytes:
        return self._path(sha256).read_bytes()

    def exists(self, sha256: str) -> bool:
        return bool(SHA256.fullmatch(sha256)) and self._path(sha256).is_file()

    def local_path(self, sha256: str) -> Path | None:
        path = self._path(sha256)
        return path if path.is_file() else None

    def delete(self, sha256: str) -> None:
        self._path(sha256).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        for path in self.root.glob("??/??/*"):
            if SHA256.fullmatch(path.name):
                yield path.name


class BucketStore:
    """Blobs in an S3-compatible bucket."""

    def __init__(self, url: str) -> None:
        from storages.backends.s3 import S3Storage

        parts = urlsplit(url)
        query = parse_qs(parts.query)
        self._storage = S3Storage(
            bucket_name=parts.netloc,
            location=parts.path.strip("/"),
            endpoint_url=query.get("endpoint", [None])[0],
            access_key=query.get("access_key", [None])[0],
            secret_key=query.get("secret_key", [None])[0],
            file_overwrite=False,
            default_acl=None,
        )

    def _name(self, sha256: str) -> str:
        _check(sha256)
        return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"

    def put(self, stream: BinaryIO | IO[bytes]) -> Stored:
        digest = hashlib.sha256()
        size = 0
        with tempfile.SpooledTemporaryFile(max_size=8 * CHUNK) as spool:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                spool.write(chunk)
            spool.seek(0)
            sha256 = digest.hexdigest()
            if not self.exists(sha256):
                self._storage.save(self._name(sha256), spool)
        return Stored(sha256, size)

    def put_bytes(self, data: bytes) -> Stored:
        import io

        return self.put(io.BytesIO(data))

    def adopt(self, path: Path, sha256: str) -> Stored:
        size = path.stat().st_size
        if not self.exists(sha256):
            with path.open("rb") as stream:
                self._storage.save(self._name(sha256), stream)
        path.unlink()
        return Stored(sha256, size)

    def open(self, sha256: str) -> IO[bytes]:
        opened: IO[bytes] = self._storage.open(self._name(sha256), "rb")
        return opened

    def read(self, sha256: str) -> bytes:
        with self.open(sha256) as stream:
            return stream.read()

    def exists(self, sha256: str) -> bool:
        return bool(SHA256.fullmatch(sha256)) and bool(self._storage.exists(self._name(sha256)))

    def local_path(self, sha256: str) -> Path | None:
        _check(sha256)
        return None

    def delete(self, sha256: str) -> None:
        self._storage.delete(self._name(sha256))

    def names(self) -> Iterator[str]:
        for first in self._storage.listdir("")[0]:
            for second in self._storage.listdir(first)[0]:
                yield from self._storage.listdir(f"{first}/{second}")[1]


@cache
def _store(url: str) -> Store:
    scheme = urlsplit(url).scheme
    if scheme == "s3":
        return BucketStore(url)
    return FolderStore(Path(unquote(urlsplit(url).path)))


def blobs() -> Store:
    """The store that ``ATELIER_STORAGE_URL`` names."""
    return _store(settings.STORAGE_URL)
