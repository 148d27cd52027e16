"""What the queue's workers carry out."""

from __future__ import annotations

from django.db import close_old_connections

from atelier.core import queue


@queue.task(name="generation.run", queue=queue.GENERATION_QUEUE, attempts=1)
def run() -> None:
    """A permit: run the next job, whichever it is by then."""
    from atelier.generation import worker

    # A worker lives for days; the database may have restarted since its last job.
    close_old_connections()
    worker.run_next()


def report() -> None:
    """Called by an idle worker now and then."""
    from atelier.generation import worker

    worker.report()
