"""What the catalog does by the clock."""

from __future__ import annotations

from atelier.catalog import uploads
from atelier.catalog.services import counting
from atelier.core import queue


@queue.task(name="catalog.roll_up_downloads", every="* * * * *")
def roll_up_downloads(timestamp: int) -> None:
    del timestamp
    counting.roll_up_downloads()


@queue.task(name="catalog.sweep_uploads", every="23 * * * *")
def sweep_uploads(timestamp: int) -> None:
    del timestamp
    uploads.sweep()
