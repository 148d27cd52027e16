"""Keeping a lease alive while its worker computes."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import DatabaseError, connection

from atelier.jobs import services as jobs
from atelier.jobs.errors import LeaseLost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from atelier.jobs.services import Lease

log = logging.getLogger(__name__)

# A worker that shows no sign of life for this long hangs; its lease may then run out.
HANGS_AFTER_SECONDS = 900.0


class Keeper:
    """What the thread that beats has learnt: whether to stop, and why."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.lost = threading.Event()
        self._done = threading.Event()
        self._alive_at = time.monotonic()

    @property
    def should_stop(self) -> bool:
        """Whether the work is not wanted any more, or no longer ours."""
        return self.cancelled.is_set() or self.lost.is_set()

    def alive(self) -> None:
        """The worker got somewhere."""
        self._alive_at = time.monotonic()

    def run(self, lease: Lease, every: float) -> None:
        """Beat until told to end; the body of the thread."""
        try:
            while not self._done.wait(every):
                if time.monotonic() - self._alive_at > HANGS_AFTER_SECONDS:
                    log.error("job %s hangs; its lease is left to run out", lease.job_id)
                    return
                try:
                    if jobs.heartbeat(lease=lease):
                        self.cancelled.set()
                except LeaseLost:
                    self.lost.set()
                    return
                except DatabaseError:
                    # The database may restart; the lease outlives several missed beats.
                    log.warning("heartbeat of job %s failed", lease.job_id, exc_info=True)
                    connection.close()
        finally:
            connection.close()

    def end(self) -> None:
        """Stop beating."""
        self._done.set()


@contextmanager
def keeping(lease: Lease, *, every: float | None = None) -> Iterator[Keeper]:
    """Within the block the lease is extended from a thread, however long a step takes."""
    keeper = Keeper()
    thread = threading.Thread(
        target=keeper.run,
        args=(lease, every or jobs.BEAT_SECONDS),
        name=f"lease-{lease.job_id}",
        daemon=True,
    )
    thread.start()
    try:
        yield keeper
    finally:
        keeper.end()
        thread.join()
