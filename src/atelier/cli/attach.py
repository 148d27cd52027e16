"""Attaching a command to a home: its settings, its database, its tables."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import django
import typer
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor

from atelier.core import postgres
from atelier.core.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Iterator

MIGRATION_LOCK = 4_170_501  # any fixed number: an advisory lock of ours alone


def fail(message: str) -> NoReturn:
    """Say why on stderr and end with 1."""
    typer.echo(f"atelier: {message}", err=True)
    raise typer.Exit(1)


def show(facts: Any, *, as_json: bool, text: str) -> None:
    """Print for a program or for a person."""
    typer.echo(json.dumps(facts, default=str) if as_json else text)


def load_settings() -> None:
    """Read the configuration; nothing else happens yet."""
    from django.conf import settings

    # Django finds its settings by this one variable of its own.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atelier.config.settings")  # noqa: TID251
    try:
        settings.ENVIRONMENT  # noqa: B018 -- the first access loads and checks
    except (ImproperlyConfigured, postgres.PostgresProblem) as problem:
        fail(str(problem))


def start_database() -> postgres.Connection | None:
    """A share in the home's cluster, started if needed; nothing with an operator's own server."""
    from django.conf import settings

    if settings.ENVIRONMENT.database_url:
        return None
    try:
        return postgres.ensure_running(settings.ATELIER_HOME)
    except postgres.PostgresProblem as problem:
        fail(str(problem))


def migrations_pending() -> bool:
    """Whether the tables are older than the program."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def migrate() -> None:
    """Bring the tables up to date; several processes at once do it once."""
    if not migrations_pending():
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            call_command("migrate", verbosity=0, interactive=False)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


@contextmanager
def attached(*, tables: bool = True) -> Iterator[postgres.Connection | None]:
    """A command's work on a site that is up or down; refusals become one line and exit code 1.

    Gives the share in the embedded cluster, or nothing with an operator's own server.
    """
    load_settings()
    cluster = start_database()
    try:
        django.setup()
        if tables:
            migrate()
        yield cluster
    except DomainError as refusal:
        fail(refusal.detail)
    except OperationalError as problem:
        fail(f"the database does not answer: {problem}")
    finally:
        connections.close_all()
        if cluster is not None:
            cluster.close()
