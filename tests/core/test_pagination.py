from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from atelier.core import pagination
from atelier.core.errors import Invalid
from atelier.core.models import OutgoingMail

pytestmark = pytest.mark.django_db
THEN = dt.datetime(2026, 2, 3, 12, 0, tzinfo=dt.UTC)
NEWEST = ("-created_at", "-id")


def _mails(count: int) -> list[str]:
    """Mails of which every two share a moment, newest first."""
    made = [
        OutgoingMail.objects.create(
            to="a", subject=str(n), body="", created_at=THEN + dt.timedelta(seconds=n // 2)
        )
        for n in range(count)
    ]
    made.sort(key=lambda mail: (mail.created_at, mail.id), reverse=True)
    return [mail.id for mail in made]


def test_pages_meet_without_gap_or_overlap() -> None:
    expected = _mails(7)
    seen: list[str] = []
    after = None
    for size in (3, 3, 1):
        page = pagination.paginate(OutgoingMail.objects.all(), order=NEWEST, after=after, limit=3)
        assert len(page.items) == size
        seen += [mail.id for mail in page.items]
        after = page.next
    assert after is None
    assert seen == expected


def test_a_page_is_one_query_without_offset() -> None:
    _mails(5)
    first = pagination.paginate(OutgoingMail.objects.all(), order=NEWEST, limit=2)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        pagination.paginate(OutgoingMail.objects.all(), order=NEWEST, after=first.next, limit=2)
    assert len(queries) == 1
    assert "OFFSET" not in queries[0]["sql"]


@pytest.mark.parametrize(
    "cursor", ["x", "!!!", "é", "bnVsbA", pagination.encode_cursor([1]),
               pagination.encode_cursor(["no date", "id"]), pagination.encode_cursor([[], {}])]
)  # fmt: skip
def test_a_foreign_cursor_is_named(cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        pagination.paginate(OutgoingMail.objects.all(), order=NEWEST, after=cursor)
    assert refused.value.errors[0].field == "after"


@pytest.mark.parametrize("limit", [0, -1, 201])
def test_a_limit_outside_the_rule_is_named(limit: int) -> None:
    with pytest.raises(Invalid) as refused:
        pagination.paginate(OutgoingMail.objects.all(), order=NEWEST, limit=limit)
    assert refused.value.detail == "limit: must be from 1 to 200"


def test_mixed_directions_are_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="same way"):
        pagination.paginate(OutgoingMail.objects.all(), order=("-created_at", "id"))
