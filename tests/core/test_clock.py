from __future__ import annotations

import datetime as dt

import pytest

from atelier.core import clock

THEN = dt.datetime(2026, 2, 3, 23, 30, tzinfo=dt.UTC)


def test_the_present_is_aware_and_in_utc() -> None:
    assert clock.now().utcoffset() == dt.timedelta(0)


def test_a_frozen_clock_stands_still_and_goes_on_after() -> None:
    with clock.frozen(THEN):
        assert clock.now() == THEN
        assert clock.today() == dt.date(2026, 2, 3)
        with clock.frozen(THEN + dt.timedelta(days=1)):
            assert clock.today() == dt.date(2026, 2, 4)
        assert clock.now() == THEN
    assert clock.now() != THEN


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"), clock.frozen(dt.datetime(2026, 1, 1)):  # noqa: DTZ001 -- the mistake itself
        pass
