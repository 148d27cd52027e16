"""News travels upward: a lower layer publishes a row, higher layers subscribe to its topic.

The row is written in the publisher's transaction and delivered at least once by a task, so a
subscriber must be idempotent. Subscribers register in their ``AppConfig.ready``.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django.db import transaction

from atelier.core import clock

if TYPE_CHECKING:
    from collections.abc import Callable

    Subscriber = Callable[[dict[str, Any]], None]

log = logging.getLogger(__name__)
_subscribers: dict[str, list[Subscriber]] = defaultdict(list)
MAX_ATTEMPTS = 20
BATCH = 50


def subscribe(topic: str, subscriber: Subscriber) -> None:
    """Have ``subscriber`` called with the payload of each event of ``topic``; twice is once."""
    if subscriber not in _subscribers[topic]:
        _subscribers[topic].append(subscriber)


def publish(topic: str, payload: dict[str, Any]) -> None:
    """Write news in the present transaction and wake the deliverer when it commits."""
    from atelier.core import queue, tasks
    from atelier.core.models import OutboxEvent

    with transaction.atomic():
        OutboxEvent.objects.create(topic=topic, payload=payload)
        queue.defer(tasks.deliver_outbox, once="outbox")


def deliver(limit: int = 1000) -> int:
    """Hand waiting events to their subscribers, oldest first; answers how many were delivered.

    Each event is delivered in its own transaction together with its mark, so a crash repeats at
    most one. A subscriber that fails leaves the event waiting and does not stop the ones behind it.
    """
    # Late, so that app configurations may import this module to subscribe.
    from atelier.core.models import OutboxEvent

    delivered = 0
    last = 0
    while delivered < limit:
        with transaction.atomic():
            event = (
                OutboxEvent.objects.select_for_update(skip_locked=True)
                .filter(delivered_at__isnull=True, attempts__lt=MAX_ATTEMPTS, id__gt=last)
                .order_by("id")
                .first()
            )
            if event is None:
                return delivered
            last = event.id
            try:
                with transaction.atomic():
                    for subscriber in _subscribers[event.topic]:
                        subscriber(event.payload)
            except Exception as problem:
                log.exception("delivery of %s %s failed", event.topic, event.id)
                event.attempts += 1
                event.problem = f"{type(problem).__name__}: {problem}"[:2000]
                event.save(update_fields=["attempts", "problem"])
                continue
            event.delivered_at = clock.now()
            event.save(update_fields=["delivered_at"])
            delivered += 1
    return delivered
