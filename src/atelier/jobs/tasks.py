"""Periodic care for the queue."""

from __future__ import annotations

from atelier.core import queue
from atelier.jobs import services as jobs


@queue.task(name="jobs.sweep", every="* * * * * */10")
def sweep(timestamp: int) -> None:
    """Jobs of lost workers go back to the queue within ten seconds of their lease's end."""
    del timestamp
    jobs.sweep()
