"""``atelier backup`` and ``atelier restore``: the whole site in one file.

The file is a tar: ``manifest.json``, the database as ``pg_dump`` writes it (one snapshot, taken
while the site runs), the key that sessions and tokens are sealed with, every blob, and at last
``end.json``, without which the file is not whole. Blobs never change and are copied after the
snapshot, so every blob that the database speaks of is there.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer
from django.core.management import call_command
from django.db import connection

from atelier.cli.attach import attached, fail, show
from atelier.core import clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from atelier.core import postgres

FORMAT = 1
CHUNK = 1024 * 1024

Json = Annotated[bool, typer.Option("--json", help="Answer for a program.")]


def backup(
    file: Annotated[Path, typer.Argument(help="Where to write; must not exist.")],
    as_json: Json = False,
) -> None:
    """Write the whole site to one file, while it runs. It holds every secret: keep it safe."""
    target = file.expanduser().absolute()
    if target.exists():
        fail(f"{target} exists already")
    if not target.parent.is_dir():
        fail(f"{target.parent} is not a folder")
    with attached() as cluster:
        partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
        try:
            facts = _write(partial, cluster)
            partial.rename(target)
        finally:
            partial.unlink(missing_ok=True)
    show(
        {"file": str(target), **facts},
        as_json=as_json,
        text=f"{target}: {facts['blobs']} blobs, {facts['bytes'] / 1024**2:.1f} MiB",
    )


def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A backup.")],
    as_json: Json = False,
) -> None:
    """Bring a backup up again, into an empty home and an empty database only."""
    with attached(tables=False) as cluster:
        _require_empty()
        try:
            facts = _read(file.expanduser().absolute(), cluster)
        except BaseException:
            _forget_blobs()  # so that the next try finds the home as empty as this one did
            raise
        # A backup of an older program gets this one's tables.
        call_command("migrate", verbosity=0, interactive=False)
    show(facts, as_json=as_json, text=f"Restored {facts['blobs']} blobs from {file}.")


def _program(name: str, cluster: postgres.Connection | None) -> tuple[str, dict[str, Any]]:
    """A PostgreSQL program and how to run it so that it reaches the site's database."""
    if cluster is not None:
        return str(cluster.programs / name), cluster.run_as_owner()
    found = shutil.which(name)
    if found is None:
        fail(f"{name} is not installed: apt-get install postgresql-client")
    from django.conf import settings

    database = settings.DATABASES["default"]
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}
    given = {variable: str(database[key]) for variable, key in names.items() if database[key]}
    if mode := database["OPTIONS"].get("sslmode"):
        given["PGSSLMODE"] = mode
    return found, {"env": {"PATH": os.defpath, **given}}


def _connection_arguments(cluster: postgres.Connection | None) -> list[str]:
    from django.conf import settings

    if cluster is not None:
        return ["--dbname", cluster.address.conninfo]
    return ["--dbname", settings.DATABASES["default"]["NAME"]]


def _dump(cluster: postgres.Connection | None, out: IO[bytes]) -> None:
    program, how = _program("pg_dump", cluster)
    done = subprocess.run(
        [program, "--format=custom", "--no-owner", "--no-acl", *_connection_arguments(cluster)],
        check=False,
        stdout=out,
        stderr=subprocess.PIPE,
        **how,
    )
    if done.returncode != 0:
        fail(f"pg_dump failed: {done.stderr.decode(errors='replace').strip()}")


def _write(path: Path, cluster: postgres.Connection | None) -> dict[str, Any]:
    from django.conf import settings

    from atelier.core import storage

    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with (
        os.fdopen(descriptor, "wb") as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive,
        tempfile.TemporaryFile(dir=path.parent) as dump,
    ):
        _dump(cluster, dump)
        size = dump.seek(0, os.SEEK_END)
        dump.seek(0)
        manifest = {
            "format": FORMAT,
            "atelier": version("atelier"),
            "postgresql": _server_version(),
            "made_at": clock.now().isoformat(),
            "database_sha256": hashlib.file_digest(dump, "sha256").hexdigest(),
        }
        _add_bytes(archive, "manifest.json", json.dumps(manifest, indent=2).encode())
        dump.seek(0)
        _add(archive, "database.dump", dump, size)
        _add_bytes(archive, "secret_key", settings.SECRET_KEY.encode())
        blobs = 0
        store = storage.blobs()
        for name in sorted(store.names()):
            try:
                blob = store.open(name)
            except FileNotFoundError:
                continue  # destroyed for good since the listing, as its owner may ask
            with blob:
                length = blob.seek(0, os.SEEK_END)
                blob.seek(0)
                _add(archive, f"blobs/{name}", blob, length)
            blobs += 1
        _add_bytes(archive, "end.json", json.dumps({"blobs": blobs}).encode())
        archive.close()
        stream.flush()
        os.fsync(stream.fileno())
    return {"blobs": blobs, "bytes": path.stat().st_size}


def _server_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version')")
        return str(cursor.fetchone()[0])


def _add(archive: tarfile.TarFile, name: str, stream: IO[bytes], size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = size
    entry.mode = 0o600
    entry.mtime = int(clock.now().timestamp())
    archive.addfile(entry, stream)


def _add_bytes(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    _add(archive, name, io.BytesIO(data), len(data))


def _require_empty() -> None:
    from atelier.core import storage

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog',"
            " 'information_schema')"
        )
        row = cursor.fetchone()
    if row and row[0]:
        fail("the database is not empty: restore into a new ATELIER_HOME or an empty database")
    if next(iter(storage.blobs().names()), None) is not None:
        fail("the storage is not empty: restore into a new ATELIER_HOME or an empty store")


def _forget_blobs() -> None:
    from atelier.core import storage

    store = storage.blobs()
    for name in list(store.names()):
        store.delete(name)


def _entries(archive: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    for entry in archive:
        stream = archive.extractfile(entry) if entry.isfile() else None
        if stream is None:
            fail(f"{entry.name} does not belong into a backup")
        yield entry.name, stream


@dataclass(slots=True)
class _Unpacked:
    """What a backup held, its blobs already in the store."""

    manifest: dict[str, Any] = field(default_factory=dict)
    key: bytes = b""
    blobs: int = 0
    whole: bool = False


def _unpack(path: Path, dump: Path) -> _Unpacked:
    from atelier.core import storage

    store = storage.blobs()
    found = _Unpacked()
    with tarfile.open(path) as archive:
        for name, stream in _entries(archive):
            if name == "manifest.json":
                found.manifest = json.load(stream)
                if found.manifest.get("format") != FORMAT:
                    fail(f"this program reads backups of format {FORMAT} only")
            elif name == "database.dump":
                with dump.open("wb") as out:
                    shutil.copyfileobj(stream, out, CHUNK)
            elif name == "secret_key":
                found.key = stream.read()
            elif name.startswith("blobs/"):
                # The store names it by its bytes, so a damaged blob shows at once.
                if store.put(stream).sha256 != name.removeprefix("blobs/"):
                    fail(f"{path} is damaged: {name} has other bytes than its name says")
                found.blobs += 1
            elif name == "end.json":
                found.whole = json.load(stream).get("blobs") == found.blobs
            else:
                fail(f"{name} does not belong into a backup")
    return found


def _read(path: Path, cluster: postgres.Connection | None) -> dict[str, Any]:
    from django.conf import settings

    with tempfile.TemporaryDirectory(dir=settings.ATELIER_HOME) as folder:
        dump = Path(folder) / "database.dump"
        try:
            found = _unpack(path, dump)
        except (tarfile.TarError, ValueError, EOFError) as problem:
            fail(f"{path} is not a backup, or damaged: {problem}")
        if not (found.whole and found.manifest and dump.is_file()):
            fail(f"{path} is not whole")
        if _sha256(dump) != found.manifest["database_sha256"]:
            fail(f"{path} is damaged: the database has other bytes than the manifest says")
        _restore_database(dump, cluster)
        _keep_key(found.key)
    return {
        "blobs": found.blobs,
        "made_at": found.manifest["made_at"],
        "atelier": found.manifest["atelier"],
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _restore_database(dump: Path, cluster: postgres.Connection | None) -> None:
    program, how = _program("pg_restore", cluster)
    connection.close()
    with dump.open("rb") as stream:
        done = subprocess.run(
            [
                program, "--no-owner", "--no-acl", "--single-transaction", "--exit-on-error",
                *_connection_arguments(cluster),
            ],
            check=False,
            stdin=stream,
            capture_output=True,
            **how,
        )  # fmt: skip
    if done.returncode != 0:
        fail(f"pg_restore failed: {done.stderr.decode(errors='replace').strip()}")


def _keep_key(key: bytes) -> None:
    """Tokens and sessions of the backup work on only with the key that sealed them."""
    from django.conf import settings

    if key.decode() == settings.SECRET_KEY:
        return
    path = settings.ATELIER_HOME / "secret_key"
    if not path.exists():
        typer.echo(
            "atelier: ATELIER_SECRET_KEY differs from the backup's: sessions and tokens end.",
            err=True,
        )
        return
    fresh = path.with_name("secret_key.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(key)
    fresh.rename(path)
