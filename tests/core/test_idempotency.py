from __future__ import annotations

import datetime as dt

import pytest

from atelier.core import clock, idempotency
from atelier.core.errors import IdempotencyConflict, InProgress, Invalid
from atelier.core.idempotency import Answer
from atelier.core.models import IdempotencyRecord

pytestmark = pytest.mark.django_db
THEN = dt.datetime(2026, 2, 3, 12, 0, tzinfo=dt.UTC)
KEEP = {"caller": "tok_1", "route": "POST /x", "key": "k1"}
MADE = Answer(201, "application/json", b'{"id":1}')


def test_the_first_request_works_and_its_replay_answers_the_same() -> None:
    assert idempotency.begin(**KEEP, body=b"a") is None
    idempotency.finish(**KEEP, answer=MADE)
    assert idempotency.begin(**KEEP, body=b"a") == MADE


def test_a_refusal_is_replayed_too() -> None:
    idempotency.begin(**KEEP, body=b"a")
    refused = Answer(402, "application/problem+json", b"{}")
    idempotency.finish(**KEEP, answer=refused)
    assert idempotency.begin(**KEEP, body=b"a") == refused


def test_another_body_conflicts() -> None:
    idempotency.begin(**KEEP, body=b"a")
    idempotency.finish(**KEEP, answer=MADE)
    with pytest.raises(IdempotencyConflict):
        idempotency.begin(**KEEP, body=b"b")
    assert idempotency.begin(**KEEP, body=b"a") == MADE


def test_a_running_request_says_so() -> None:
    idempotency.begin(**KEEP, body=b"a")
    with pytest.raises(InProgress) as refused:
        idempotency.begin(**KEEP, body=b"a")
    assert refused.value.retry_after == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_answers_that_say_try_again_are_forgotten(status: int) -> None:
    idempotency.begin(**KEEP, body=b"a")
    idempotency.finish(**KEEP, answer=Answer(status, "", b""))
    assert idempotency.begin(**KEEP, body=b"a") is None


def test_busy_is_forgotten_though_it_is_a_conflict() -> None:
    idempotency.begin(**KEEP, body=b"a")
    idempotency.finish(**KEEP, answer=Answer(409, "", b""), retryable=True)
    assert idempotency.begin(**KEEP, body=b"a") is None


def test_callers_and_routes_have_their_own_keys() -> None:
    idempotency.begin(**KEEP, body=b"a")
    assert idempotency.begin(**{**KEEP, "caller": "tok_2"}, body=b"a") is None
    assert idempotency.begin(**{**KEEP, "route": "POST /y"}, body=b"a") is None


def test_a_key_is_free_again_after_a_day_and_after_its_process_died() -> None:
    with clock.frozen(THEN):
        idempotency.begin(**KEEP, body=b"a")
    with clock.frozen(THEN + dt.timedelta(minutes=6)):
        assert idempotency.begin(**KEEP, body=b"b") is None
        idempotency.finish(**KEEP, answer=MADE)
    with clock.frozen(THEN + dt.timedelta(hours=25)):
        assert idempotency.begin(**KEEP, body=b"c") is None


@pytest.mark.parametrize("key", ["", "x" * 256, "a\x00b"])
def test_a_bad_key_is_named(key: str) -> None:
    with pytest.raises(Invalid) as refused:
        idempotency.begin(**{**KEEP, "key": key}, body=b"a")
    assert refused.value.errors[0].field == "Idempotency-Key"
    assert IdempotencyRecord.objects.count() == 0


def test_old_records_are_forgotten() -> None:
    with clock.frozen(THEN):
        idempotency.begin(**KEEP, body=b"a")
    with clock.frozen(THEN + dt.timedelta(hours=25)):
        idempotency.forget_expired()
    assert IdempotencyRecord.objects.count() == 0
