"""The job queue (procrastinate) behind the few words that domains need.

A domain writes its tasks in ``<domain>/tasks.py`` with :func:`task` and enqueues with
:func:`defer`, inside its transaction: a rollback leaves no job behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app as procrastinate_app
from procrastinate.exceptions import AlreadyEnqueued

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from procrastinate import App
    from procrastinate.tasks import Task

DEFAULT_QUEUE = "default"
MEDIA_QUEUE = "media"
GENERATION_QUEUE = "generation"
TRAINING_QUEUE = "training"
LIGHT_QUEUES = (DEFAULT_QUEUE, MEDIA_QUEUE)


def task(
    *, name: str, queue: str = DEFAULT_QUEUE, attempts: int = 5, every: str = ""
) -> Callable[[Callable[..., None]], Task[..., None, ...]]:
    """Make a function a task. ``every`` is a cron line (UTC) for periodic ones.

    A periodic function takes one argument, the Unix time it was due at.
    """

    def register(function: Callable[..., None]) -> Task[..., None, ...]:
        made = procrastinate_app.task(
            name=name,
            queue=queue,
            # 2, 4, 8 … seconds: a database restart or a full disk heals in that time.
            retry=RetryStrategy(max_attempts=attempts, exponential_wait=2),
            pass_context=False,
        )(function)
        if every:
            procrastinate_app.periodic(cron=every)(made)
        return made

    return register


def defer(
    made: Task[..., None, ...],
    *,
    once: str = "",
    at: dt.datetime | None = None,
    lock: str = "",
    **arguments: Any,
) -> None:
    """Enqueue a task in the present transaction.

    ``once`` keeps at most one waiting job with that name; ``lock`` keeps at most one running;
    ``at`` delays it.
    """
    configured = made.configure(queueing_lock=once or None, lock=lock or None, schedule_at=at)
    try:
        # A savepoint: losing the race for `once` must not abort the caller's transaction.
        with transaction.atomic():
            configured.defer(**arguments)
    except AlreadyEnqueued:
        return


def on_app_ready(app: App) -> None:
    """Hook of procrastinate's Django app; tasks are found by their ``tasks`` modules."""
    del app
