"""What the queue's workers carry out."""

from __future__ import annotations

from atelier.core import queue


@queue.task(name="training.run", queue=queue.TRAINING_QUEUE, attempts=1)
def run() -> None:
    """A permit: run the next job, whichever it is by then."""
    from atelier.training import worker

    worker.run_next()
