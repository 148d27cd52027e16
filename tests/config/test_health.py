from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import OperationalError, connection

from atelier.config import health, metrics
from atelier.core import outbox
from atelier.jobs import services as jobs
from atelier.jobs.models import JobKind

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _home(settings: Settings, tmp_path: Path) -> Path:
    settings.ATELIER_HOME = tmp_path
    return tmp_path


def test_live_asks_nobody(client: Client) -> None:
    with connection.execute_wrapper(_refuse):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_ready_when_all_is_there(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "ready"
    assert body["checks"] == {"database": "ok", "migrations": "ok", "demo": "ok"}
    assert body["engine"] in {"starting", "ready", "missing"}


def test_not_ready_while_the_demo_loads(client: Client, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "preparing").touch()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["demo"] == "loading"


def test_not_ready_without_the_database(client: Client) -> None:
    with connection.execute_wrapper(_refuse):
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "database": "unreachable",
        "migrations": "unknown",
        "demo": "ok",
    }


def test_not_ready_before_the_migrations(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated", False)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'core'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"] == "waiting"


def test_the_engine_is_reported_and_not_awaited(client: Client, settings: Settings) -> None:
    settings.ENGINE = "off"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["engine"]) == (200, "off")


def test_the_engine_is_ready_once_a_worker_reported(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ENGINE = "local"
    monkeypatch.setattr(health, "find_spec", lambda _: object())
    assert client.get("/readyz").json()["engine"] == "starting"
    jobs.check_in(kind=JobKind.GENERATION, worker="generation@here:1")
    assert client.get("/readyz").json()["engine"] == "ready"
    assert 'atelier_workers{kind="generation"} 1\n' in client.get("/metrics").content.decode()
    monkeypatch.setattr(health, "find_spec", lambda _: None)
    assert client.get("/readyz").json()["engine"] == "missing"


def test_metrics_count_requests_and_waiting_news(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "_counters", metrics._Counters())
    client.get("/healthz")
    client.post("/healthz")
    outbox.publish("nothing.listens", {})
    text = client.get("/metrics").content.decode()
    assert 'atelier_requests_total{method="GET",status="2xx"} 1\n' in text
    assert 'atelier_requests_total{method="POST",status="4xx"} 1\n' in text
    assert 'atelier_request_seconds_bucket{le="+Inf"} 2\n' in text
    assert "atelier_outbox_waiting 1\n" in text
    assert 'atelier_queue_jobs{queue="default",status="todo"} 1\n' in text


def _refuse(*_: object) -> None:
    raise OperationalError("no database today")
