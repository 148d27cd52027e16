"""What the queue's workers carry out."""

from __future__ import annotations

from atelier.core import queue


@queue.task(name="training.run", queue=queue.TRAINING_QUEUE, attempts=1)
def run() -> None:
    """A permit: run the next job, whichever it is by then."""
    from atelier.training import worker

    worker.run_next()


@queue.task(name="training.check", queue=queue.MEDIA_QUEUE)
def check(training_id: str) -> None:
    """Decide about a dataset that is too large for the request."""
    from atelier.training import services

    services.check(training_id=training_id)
