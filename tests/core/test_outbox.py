from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from atelier.core import outbox
from atelier.core.models import OutboxEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard() -> Iterator[list[dict[str, Any]]]:
    """What a subscriber of ``test.news`` was told."""
    told: list[dict[str, Any]] = []
    outbox.subscribe("test.news", told.append)
    yield told
    outbox._subscribers.pop("test.news")


def test_news_is_delivered_once_and_in_order(heard: list[dict[str, Any]]) -> None:
    outbox.publish("test.news", {"n": 1})
    outbox.publish("test.news", {"n": 2})
    assert heard == []
    assert outbox.deliver() == 2
    assert outbox.deliver() == 0
    assert heard == [{"n": 1}, {"n": 2}]


def test_one_waking_job_serves_many_events(heard: list[dict[str, Any]]) -> None:
    outbox.publish("test.news", {"n": 1})
    outbox.publish("test.news", {"n": 2})
    assert ProcrastinateJob.objects.filter(task_name="core.deliver_outbox").count() == 1
    assert heard == []


def test_a_rollback_takes_the_news_and_its_job_back(heard: list[dict[str, Any]]) -> None:
    def fail() -> None:
        with transaction.atomic():
            outbox.publish("test.news", {"n": 1})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert OutboxEvent.objects.count() == 0
    assert not ProcrastinateJob.objects.filter(task_name="core.deliver_outbox").exists()
    assert heard == []


def test_a_failing_subscriber_keeps_its_event_and_holds_up_nobody() -> None:
    told: list[int] = []

    def choosy(payload: dict[str, Any]) -> None:
        if payload["n"] == 1 and not told:
            message = "not now"
            raise RuntimeError(message)
        told.append(payload["n"])

    outbox.subscribe("test.choosy", choosy)
    try:
        outbox.publish("test.choosy", {"n": 1})
        outbox.publish("test.choosy", {"n": 2})
        assert outbox.deliver() == 1
        waiting = OutboxEvent.objects.get(delivered_at__isnull=True)
        assert (waiting.attempts, waiting.problem) == (1, "RuntimeError: not now")
        assert outbox.deliver() == 1
        assert told == [2, 1]
    finally:
        outbox._subscribers.pop("test.choosy")
