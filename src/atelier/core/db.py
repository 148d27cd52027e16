"""Transactions that wait for others only briefly.

Locks are taken in the order of the layers, highest first (a bounty, then a job, then the ledger's
accounts), and by primary key within a table, so that two transactions never wait in a ring.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import OperationalError, connection, transaction
from psycopg import errors as pg

from atelier.core.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK_WAIT = "3s"


@contextmanager
def locking() -> Iterator[None]:
    """A transaction in which waiting for a lock, or losing a deadlock, is :class:`Busy`."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
            yield
    except OperationalError as problem:
        if isinstance(problem.__cause__, pg.LockNotAvailable | pg.DeadlockDetected):
            raise Busy(
                "Somebody else is changing this right now. Try again.", retry_after=1
            ) from problem
        raise
