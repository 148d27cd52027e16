"""What the queue's workers carry out."""

from __future__ import annotations

from django.db import close_old_connections

from atelier.core import queue


@queue.task(name="training.run", queue=queue.TRAINING_QUEUE, attempts=1)
def run() -> None:
    """A permit: run the next job, whichever it is by then."""
    from atelier.training import worker

    # A worker lives for days; the database may have restarted since its last job.
    close_old_connections()
    worker.run_next()


@queue.task(name="training.check", queue=queue.MEDIA_QUEUE)
def check(training_id: str) -> None:
    """Decide about a dataset that is too large for the request."""
    from atelier.training import services

    services.check(training_id=training_id)


def report() -> None:
    """Called by an idle worker now and then."""
    from atelier.training import worker

    worker.report()
