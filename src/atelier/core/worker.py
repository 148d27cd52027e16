"""A worker process: takes tasks from the queue and carries them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from procrastinate import App
from procrastinate.contrib.django import app as django_app

if TYPE_CHECKING:
    from collections.abc import Sequence

# What runs when the process is asked to stop may finish in this time; then its lease expires and
# another worker takes it up.
GRACE_SECONDS = 5.0
POLL_SECONDS = 2.0


def run(*, queues: Sequence[str], name: str, concurrency: int) -> None:
    """Work until asked to stop.

    The worker watches the queue over a connection of its own, while tasks that enqueue tasks go on
    doing so over Django's: in their transaction, where a rollback leaves no task behind.
    """
    watching = App(
        connector=django_app.connector.get_worker_connector(),  # type: ignore[attr-defined]
        worker_defaults=django_app.worker_defaults,
    )
    # The same task objects, which stay bound to Django's app and so enqueue through it.
    watching.tasks = django_app.tasks
    watching.periodic_registry = django_app.periodic_registry
    watching.run_worker(
        queues=list(queues),
        name=name,
        concurrency=concurrency,
        fetch_job_polling_interval=POLL_SECONDS,
        shutdown_graceful_timeout=GRACE_SECONDS,
        # A row of a finished task serves nobody; failed ones stay to be looked at.
        delete_jobs="successful",
    )
