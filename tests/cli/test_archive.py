from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING

import psycopg
import pytest

from atelier.core import postgres
from atelier.core.storage import FolderStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Site


@pytest.fixture
def original(new_site: Callable[[str], Site]) -> Site:
    """A site with an account, a token and two blobs."""
    site = new_site("the original")
    done = site.run(
        "user", "create", "ada", "--email", "ada@example.org", "--password", "p" * 12, "--token"
    )
    assert done.returncode == 0, done.stderr
    store = FolderStore(site.home / "blobs")
    store.put_bytes(b"one blob")
    store.put_bytes(b"another blob")
    return site


def _users(site: Site) -> list[tuple[str, str]]:
    with (
        postgres.ensure_running(site.home) as cluster,
        psycopg.connect(cluster.address.conninfo) as session,
    ):
        return session.execute(
            "SELECT username, password FROM accounts_user ORDER BY username"
        ).fetchall()


def test_a_backup_comes_up_again_elsewhere(
    original: Site, new_site: Callable[[str], Site], tmp_path: Path
) -> None:
    file = tmp_path / "site.tar"
    written = original.run("backup", str(file), "--json")
    assert written.returncode == 0, written.stderr
    facts = json.loads(written.stdout)
    assert facts["blobs"] >= 2
    assert file.stat().st_mode & 0o777 == 0o600
    assert facts["bytes"] == file.stat().st_size

    copy = new_site("the copy")
    read = copy.run("restore", str(file), "--json")
    assert read.returncode == 0, read.stderr
    assert json.loads(read.stdout)["blobs"] == facts["blobs"]

    assert _users(copy) == _users(original) != []
    originals = FolderStore(original.home / "blobs")
    copies = FolderStore(copy.home / "blobs")
    assert sorted(copies.names()) == sorted(originals.names())
    assert {copies.read(name) for name in copies.names()} >= {b"one blob", b"another blob"}
    key = (original.home / "secret_key").read_text()
    assert (copy.home / "secret_key").read_text() == key
    assert copy.run("ledger", "verify").returncode == 0

    again = copy.run("restore", str(file))
    assert again.returncode == 1
    assert "the database is not empty" in again.stderr


def test_a_backup_overwrites_nothing(original: Site, tmp_path: Path) -> None:
    file = tmp_path / "site.tar"
    file.write_text("precious")
    done = original.run("backup", str(file))
    assert (done.returncode, file.read_text()) == (1, "precious")
    assert "exists already" in done.stderr
    assert [path.name for path in tmp_path.glob(".*partial")] == []


def test_a_damaged_or_shortened_backup_is_refused(
    original: Site, new_site: Callable[[str], Site], tmp_path: Path
) -> None:
    file = tmp_path / "site.tar"
    assert original.run("backup", str(file)).returncode == 0
    with tarfile.open(file) as archive:
        dump = archive.getmember("database.dump")
        blob = next(m for m in archive if m.name.startswith("blobs/") and m.size)
        end = archive.getmember("end.json")
    whole = file.read_bytes()

    copy = new_site("the copy")

    def refusal(data: bytes) -> str:
        damaged = tmp_path / "damaged.tar"
        damaged.write_bytes(data)
        done = copy.run("restore", str(damaged))
        assert done.returncode == 1
        assert list(FolderStore(copy.home / "blobs").names()) == []
        return done.stderr

    def flipped(at: int) -> bytes:
        return whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]

    assert "database has other bytes" in refusal(flipped(dump.offset_data + 100))
    assert "has other bytes than its name" in refusal(flipped(blob.offset_data))
    assert "is not whole" in refusal(whole[: end.offset] + b"\0" * 1024)
    assert "is not a backup" in refusal(b"nonsense")
    assert copy.run("restore", str(file)).returncode == 0
