"""Keyset pagination: a cursor holds the last row's sort key, so page N costs what page 1 costs."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson
from django.db.models import Model, Q, QuerySet

from atelier.core.errors import Invalid

MAX_LIMIT = 200
DEFAULT_LIMIT = 20
M = TypeVar("M", bound=Model)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows in order, and the cursor of the next page or ``None`` at the end."""

    items: list[T]
    next: str | None


def encode_cursor(values: list[Any]) -> str:
    """Sort-key values as an opaque, URL-safe string."""
    return base64.urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")


def decode_cursor(cursor: str, count: int) -> list[Any]:
    """The values of :func:`encode_cursor`; raises :class:`Invalid` for anything else."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = orjson.loads(base64.urlsafe_b64decode(padded.encode()))
    except (binascii.Error, orjson.JSONDecodeError, UnicodeEncodeError, ValueError):
        values = None
    if (
        not isinstance(values, list)
        or len(values) != count
        or not all(isinstance(value, str | int | float) for value in values)
    ):
        raise Invalid.field("after", "is not a cursor that this list gave out")
    return values


def clamp_limit(limit: int | None, *, default: int = DEFAULT_LIMIT, most: int = MAX_LIMIT) -> int:
    """A page size from 1 to ``most``; raises :class:`Invalid` outside it."""
    if limit is None:
        return default
    if not 1 <= limit <= most:
        raise Invalid.field("limit", f"must be from 1 to {most}")
    return limit


def paginate(
    rows: QuerySet[M], *, order: tuple[str, ...], after: str | None = None, limit: int | None = None
) -> Page[M]:
    """One page of ``rows``.

    ``order`` names concrete columns, each with ``-`` or all without, the last one unique (the
    primary key), so that the row comparison is a single index range.
    """
    size = clamp_limit(limit)
    descending = order[0].startswith("-")
    if any(name.startswith("-") is not descending for name in order):
        message = "all columns of a keyset must sort the same way"
        raise ValueError(message)
    names = [name.lstrip("-") for name in order]
    ordered = rows.order_by(*order)
    if after:
        values = decode_cursor(after, len(names))
        # Every field reads back what it wrote; a foreign cursor fails here with a clear error.
        for position, name in enumerate(names):
            field: Any = rows.model._meta.get_field(name)  # noqa: SLF001 - Django's public meta API
            try:
                values[position] = field.to_python(values[position])
            except Exception as problem:
                raise Invalid.field("after", "is not a cursor that this list gave out") from problem
        comparison = "lt" if descending else "gt"
        condition = Q()
        for position, name in enumerate(names):
            equal = {names[i]: values[i] for i in range(position)}
            condition |= Q(**equal, **{f"{name}__{comparison}": values[position]})
        # The redundant first bound lets PostgreSQL start the index scan at the cursor.
        bound = Q(**{f"{names[0]}__{comparison}e": values[0]})
        ordered = ordered.filter(bound & condition)
    found = list(ordered[: size + 1])
    following = None
    if len(found) > size:
        found = found[:size]
        last = found[-1]
        following = encode_cursor([_plain(getattr(last, name)) for name in names])
    return Page(items=found, next=following)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.datetime) else value
