"""Test databases: made once from the migrations as a template, copied in milliseconds after.

A copy per pytest process (``test_atelier_<ATELIER_TEST_DB or process id>``, and one per xdist
worker), so several runs can work at once. A test that commits gets a fresh copy afterwards
instead of emptied tables: append-only tables refuse to be emptied, and rows that migrations wrote
come back.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
from django.core.management import call_command
from django.db import connections
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
PREFIX = "test_atelier_"
TEMPLATE = "template_atelier_"
# Packages whose migrations build tables of ours.
OTHERS = ("django", "django-allauth", "procrastinate")


def name() -> str:
    """The database of this process."""
    chosen = os.environ.get("ATELIER_TEST_DB") or f"pid{os.getpid()}"  # noqa: TID251 -- arranges the tests' own environment
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")  # noqa: TID251 -- arranges the tests' own environment
    return f"{PREFIX}{chosen}" + (f"_{worker}" if worker else "")


def _template() -> str:
    """A template's name says which migrations made it."""
    digest = hashlib.sha256()
    for package in OTHERS:
        digest.update(f"{package} {importlib.metadata.version(package)}\n".encode())
    sources = [
        *ROOT.glob("src/atelier/*/migrations/*.py"),
        *ROOT.glob("src/atelier/*/migrations/**/*.sql"),
    ]
    for path in sorted(sources):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return TEMPLATE + digest.hexdigest()[:16]


@contextmanager
def _server() -> Iterator[psycopg.Connection]:
    settings = connections["default"].settings_dict
    with psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"] or None,
        user=settings["USER"] or None,
        password=settings["PASSWORD"] or None,
        dbname="postgres",
        autocommit=True,
    ) as server:
        yield server


def _names(server: psycopg.Connection, prefix: str) -> list[str]:
    rows = server.execute(
        "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix]
    ).fetchall()
    return [row[0] for row in rows]


DROP_TRIES = 50


def _drop(server: psycopg.Connection, database: str) -> None:
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
    for _ in range(DROP_TRIES):
        try:
            server.execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            # The server's own vacuum is at work in it; it cannot be ended, only waited for.
            server.execute("SELECT pg_sleep(0.2)")
        else:
            return
    server.execute(statement)


def _point_at(database: str) -> None:
    connection = connections["default"]
    connection.close()
    connection.settings_dict["NAME"] = database
    connections.settings["default"]["NAME"] = database


def _ensure_template(server: psycopg.Connection, lock: Path) -> str:
    template = _template()
    with lock.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        existing = _names(server, TEMPLATE)
        if template in existing:
            return template
        for stale in existing:
            _drop(server, stale)
        for database in _names(server, f"{PREFIX}pid"):  # left by processes that were killed
            number = database.removeprefix(f"{PREFIX}pid").split("_")[0]
            if number.isdigit() and not psutil.pid_exists(int(number)):
                _drop(server, database)
        partial = f"partial_{template}"
        _drop(server, partial)
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(partial)))
        _point_at(partial)
        call_command("migrate", verbosity=0, interactive=False)
        connections["default"].close()
        server.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                sql.Identifier(partial), sql.Identifier(template)
            )
        )
    return template


def create(home: Path) -> None:
    """Give this process its database and have Django use it."""
    with _server() as server:
        while True:
            template = _ensure_template(server, home / "template.lock")
            try:
                _copy(server, template)
            except psycopg.errors.InvalidCatalogName:
                continue  # a run with newer migrations replaced the template just now
            break
    _point_at(name())


def _copy(server: psycopg.Connection, template: str) -> None:
    _drop(server, name())
    server.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name()), sql.Identifier(template)
        )
    )


def renew(home: Path) -> None:
    """Replace the database by a fresh copy, after a test that committed."""
    connections.close_all()
    create(home)


def remove() -> None:
    """Drop this process's database."""
    connections.close_all()
    with _server() as server:
        _drop(server, name())
