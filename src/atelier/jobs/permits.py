"""Permits: rows of the task queue that let a worker look for a job of its kind.

A permit names no job. The claim picks one when a worker is free, so that order, fairness and
cancelling are settled at that moment. A surplus permit finds nothing and does no harm; the sweep
hands out a new one where jobs wait without any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atelier.core import queue

if TYPE_CHECKING:
    from procrastinate.tasks import Task

_tasks: dict[str, Task[..., None, ...]] = {}


def register(kind: str, task: Task[..., None, ...]) -> None:
    """Say which task runs one job of ``kind``; called when the apps are ready."""
    _tasks[kind] = task


def give(kind: str) -> None:
    """Let a worker look for a job when the present transaction commits."""
    queue.defer(_tasks[kind])


def ensure(kind: str) -> None:
    """Like :func:`give`, but at most one such permit waits at a time."""
    queue.defer(_tasks[kind], once=f"permit:{kind}")
