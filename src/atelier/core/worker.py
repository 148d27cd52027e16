"""A worker process: takes tasks from the queue and carries them out."""

from __future__ import annotations

import copy
import logging
import threading
from typing import TYPE_CHECKING

from django.db import close_old_connections, connections
from procrastinate import App
from procrastinate.contrib.django import app as django_app
from procrastinate.periodic import PeriodicTask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

# What runs when the process is asked to stop may finish in this time; then its lease expires and
# another worker takes it up.
GRACE_SECONDS = 5.0
POLL_SECONDS = 2.0
COMPANION_SECONDS = 15.0
_companions: dict[str, Callable[[], None]] = {}


def accompany(queue: str, companion: Callable[[], None]) -> None:
    """Have ``companion`` called when a worker of that queue starts, and now and then after.

    It runs beside the tasks: to load what they will need, and to say that the worker lives.
    """
    _companions[queue] = companion


def run(*, queues: Sequence[str], name: str, concurrency: int, wait: bool = True) -> None:
    """Work until asked to stop, or with ``wait=False`` until nothing waits.

    The worker watches the queue over a connection of its own, while tasks that enqueue tasks go on
    doing so over Django's: in their transaction, where a rollback leaves no task behind.
    """
    watching = App(
        connector=django_app.connector.get_worker_connector(),  # type: ignore[attr-defined]
        worker_defaults=django_app.worker_defaults,
    )
    # The same task objects, which stay bound to Django's app and so enqueue through it.
    watching.tasks = django_app.tasks
    # Periodic tasks alone are enqueued by the watcher itself, whose connections heal.
    for key, periodic in django_app.periodic_registry.periodic_tasks.items():
        task = copy.copy(periodic.task)
        task.blueprint = watching
        watching.periodic_registry.periodic_tasks[key] = PeriodicTask(
            task=task,
            cron=periodic.cron,
            periodic_id=periodic.periodic_id,
            configure_kwargs=periodic.configure_kwargs,
        )
    done = threading.Event()
    if wait:
        for queue in queues:
            if companion := _companions.get(queue):
                threading.Thread(
                    target=_keep_company, args=(companion, done), name=queue, daemon=True
                ).start()
    try:
        watching.run_worker(
            queues=list(queues),
            name=name,
            concurrency=concurrency,
            wait=wait,
            fetch_job_polling_interval=POLL_SECONDS,
            shutdown_graceful_timeout=GRACE_SECONDS,
            # A row of a finished task serves nobody; failed ones stay to be looked at.
            delete_jobs="successful",
        )
    finally:
        done.set()


def _keep_company(companion: Callable[[], None], done: threading.Event) -> None:
    while not done.is_set():
        close_old_connections()
        try:
            companion()
        except Exception:
            log.exception("a worker's companion failed")
        done.wait(COMPANION_SECONDS)
    connections.close_all()
