"""A fresh, durable database of the site for a bench, gone afterwards."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from atelier.core import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def fresh() -> Iterator[postgres.Connection]:
    """Starts a cluster in a temporary home, with every table of the site, and Django on it."""
    with tempfile.TemporaryDirectory(prefix="atelier-bench-") as folder:
        home = Path(folder)
        os.environ.update(  # noqa: TID251 - a bench arranges its own environment
            ATELIER_HOME=str(home), DJANGO_SETTINGS_MODULE="atelier.config.settings"
        )
        with postgres.ensure_running(home) as cluster:
            import django
            from django.core.management import call_command
            from django.db import connections

            django.setup()
            call_command("migrate", verbosity=0, interactive=False)
            try:
                yield cluster
            finally:
                connections.close_all()
