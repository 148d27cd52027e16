"""The only source of the present. Tests set it; nothing else may, least of all the environment."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_set_time: ContextVar[dt.datetime | None] = ContextVar("atelier_clock", default=None)


def now() -> dt.datetime:
    """The present moment, aware, in UTC."""
    return _set_time.get() or dt.datetime.now(dt.UTC)  # noqa: TID251 - the one place that may


def today() -> dt.date:
    """The present day in UTC, which is the day that daily caps count by."""
    return now().date()


@contextmanager
def frozen(at: dt.datetime) -> Iterator[None]:
    """Within the block, :func:`now` answers ``at``. For tests."""
    if at.tzinfo is None:
        message = "a frozen clock needs an aware datetime"
        raise ValueError(message)
    token = _set_time.set(at)
    try:
        yield
    finally:
        _set_time.reset(token)
