"""Work on pictures that need not be waited for."""

from __future__ import annotations

from atelier.core import queue
from atelier.media import services


@queue.task(name="media.process", queue=queue.MEDIA_QUEUE)
def process(media_id: str) -> None:
    services.process(media_id=media_id)


@queue.task(name="media.sweep_pending", queue=queue.MEDIA_QUEUE, every="*/5 * * * *")
def sweep_pending(timestamp: int) -> None:
    del timestamp
    services.sweep_pending()
