from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from atelier.core import clock, outbox, queue, tasks, worker
from atelier.core.models import OutboxEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heard() -> Iterator[list[dict[str, Any]]]:
    """What the subscribers of ``test.news`` were told."""
    told: list[dict[str, Any]] = []
    outbox.subscribe("test.news", told.append)
    yield told
    del outbox._subscribers["test.news"]


def _work() -> None:
    worker.run(queues=[queue.DEFAULT_QUEUE], name="test", concurrency=1, wait=False)


def test_a_worker_carries_out_what_waits_and_keeps_no_rows(heard: list[dict[str, Any]]) -> None:
    outbox.publish("test.news", {"n": 1})
    _work()
    assert heard == [{"n": 1}]
    assert OutboxEvent.objects.get().delivered_at is not None
    assert not ProcrastinateJob.objects.filter(task_name="core.deliver_outbox").exists()


def test_other_queues_are_left_alone(heard: list[dict[str, Any]]) -> None:
    outbox.publish("test.news", {"n": 1})
    worker.run(queues=[queue.TRAINING_QUEUE], name="test", concurrency=1, wait=False)
    assert heard == []
    assert ProcrastinateJob.objects.get(task_name="core.deliver_outbox").status == "todo"


def test_what_a_failed_task_enqueued_is_rolled_back_with_it(heard: list[dict[str, Any]]) -> None:
    def enqueue_and_fail(payload: dict[str, Any]) -> None:
        queue.defer(tasks.forget_expired, timestamp=payload["n"])
        raise ValueError("not this time")

    outbox.subscribe("test.news", enqueue_and_fail)
    outbox.publish("test.news", {"n": 1})
    _work()
    event = OutboxEvent.objects.get()
    assert event.delivered_at is None
    assert event.attempts >= 1  # the periodic sweep may have tried as well
    assert event.problem == "ValueError: not this time"
    assert not ProcrastinateJob.objects.filter(
        task_name="core.forget_expired", status="todo"
    ).exists()


def test_a_companion_is_called_again_even_after_it_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "COMPANION_SECONDS", 0.001)
    done = threading.Event()
    calls: list[object] = []

    def companion() -> None:
        calls.append(clock.now())
        if len(calls) == 3:
            done.set()
        raise RuntimeError("no engine here")

    worker._keep_company(companion, done)
    assert len(calls) == 3
