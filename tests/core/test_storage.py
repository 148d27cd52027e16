from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import pytest

from atelier.core.storage import FolderStore

if TYPE_CHECKING:
    from pathlib import Path

DATA = b"twelve foxes"
NAME = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "with space")


def test_bytes_come_back_under_their_digest(store: FolderStore) -> None:
    stored = store.put(io.BytesIO(DATA))
    assert (stored.sha256, stored.size) == (NAME, 12)
    assert store.read(NAME) == DATA
    assert store.exists(NAME)
    assert list(store.names()) == [NAME]


def test_the_same_bytes_are_kept_once(store: FolderStore) -> None:
    store.put_bytes(DATA)
    store.put_bytes(DATA)
    assert len([path for path in store.root.rglob("*") if path.is_file()]) == 1


def test_a_finished_file_is_adopted(store: FolderStore, tmp_path: Path) -> None:
    source = tmp_path / "upload"
    source.write_bytes(DATA)
    assert store.adopt(source, NAME).size == 12
    assert not source.exists()
    assert store.read(NAME) == DATA


def test_a_broken_stream_leaves_nothing(store: FolderStore) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(size)

    with pytest.raises(OSError):  # noqa: PT011 -- the stream's own error comes through
        store.put(Broken())
    assert [path for path in store.root.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, NAME[:-1], NAME + "/.."])
def test_only_digests_are_names(store: FolderStore, name: str) -> None:
    store.put_bytes(DATA)
    assert not store.exists(name)
    for ask in (store.read, store.open, store.local_path, store.delete):
        with pytest.raises(FileNotFoundError):
            ask(name)


def test_deleting_twice_is_deleting_once(store: FolderStore) -> None:
    store.put_bytes(DATA)
    store.delete(NAME)
    store.delete(NAME)
    assert not store.exists(NAME)
    with pytest.raises(FileNotFoundError):
        store.read(NAME)
