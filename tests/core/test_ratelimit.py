from __future__ import annotations

import datetime as dt

import pytest

from atelier.core import clock, ratelimit
from atelier.core.errors import RateLimited
from atelier.core.models import RateBucket

pytestmark = pytest.mark.django_db
THEN = dt.datetime(2026, 2, 3, 12, 0, tzinfo=dt.UTC)


def test_a_burst_is_used_up_and_refills_with_time() -> None:
    with clock.frozen(THEN):
        left = [ratelimit.take(caller="a", per_minute=60, burst=3) for _ in range(3)]
        assert left == [2, 1, 0]
        with pytest.raises(RateLimited) as refused:
            ratelimit.take(caller="a", per_minute=60, burst=3)
        assert refused.value.retry_after == 1
    with clock.frozen(THEN + dt.timedelta(seconds=2)):
        assert ratelimit.take(caller="a", per_minute=60, burst=3) == 1


def test_a_refusal_does_not_push_the_next_chance_away() -> None:
    with clock.frozen(THEN):
        ratelimit.take(caller="a", per_minute=60, burst=1)
    for tenths in range(1, 10):
        with (
            clock.frozen(THEN + dt.timedelta(seconds=tenths / 10)),
            pytest.raises(RateLimited),
        ):
            ratelimit.take(caller="a", per_minute=60, burst=1)
    with clock.frozen(THEN + dt.timedelta(seconds=1)):
        assert ratelimit.take(caller="a", per_minute=60, burst=1) == 0


def test_callers_do_not_share() -> None:
    with clock.frozen(THEN):
        ratelimit.take(caller="a", per_minute=60, burst=1)
        assert ratelimit.take(caller="b", per_minute=60, burst=1) == 0


def test_a_long_pause_fills_the_burst_and_no_more() -> None:
    with clock.frozen(THEN):
        ratelimit.take(caller="a", per_minute=60, burst=3)
    with clock.frozen(THEN + dt.timedelta(days=1)):
        assert ratelimit.take(caller="a", per_minute=60, burst=3) == 2


def test_old_buckets_are_forgotten() -> None:
    with clock.frozen(THEN):
        ratelimit.take(caller="a", per_minute=60, burst=3)
    with clock.frozen(THEN + dt.timedelta(minutes=59)):
        ratelimit.forget_full()
        assert RateBucket.objects.count() == 1
    with clock.frozen(THEN + dt.timedelta(minutes=61)):
        ratelimit.forget_full()
        assert RateBucket.objects.count() == 0
