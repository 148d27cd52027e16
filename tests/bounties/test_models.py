from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from tests.factories import bounties as make

from atelier.bounties.models import Bounty, BountyEvent, Contribution
from atelier.core import clock

pytestmark = pytest.mark.django_db


def test_the_timeline_is_only_added_to() -> None:
    make.bounty()
    for change in (
        lambda: BountyEvent.objects.update(note="rewritten"),
        lambda: BountyEvent.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError, match="only added to"), transaction.atomic():
            change()

    assert BountyEvent.objects.get().note == ""


@pytest.mark.parametrize(
    "change",
    [
        {"amount_sparks": 499},
        {"paid_sparks": 1501},
        {"status": "refunded", "due_at": None},
        {"due_at": None},
        {"status": "cancelled"},
    ],
)
def test_the_database_refuses_what_no_rule_allows(change: dict[str, object]) -> None:
    make.bounty()

    with pytest.raises(IntegrityError), transaction.atomic():
        Bounty.objects.update(**change)

    assert Bounty.objects.get().status == "open"


@pytest.mark.parametrize(
    "change",
    [
        {"status": "paid"},
        {"status": "paid", "resolved_at": clock.now()},
        {"amount_sparks": 49},
        {"resolving_transfer_id": "trf_x"},
    ],
)
def test_a_stake_is_resolved_once_and_says_by_what(change: dict[str, object]) -> None:
    make.bounty()

    with pytest.raises(IntegrityError), transaction.atomic():
        Contribution.objects.update(**change)

    assert Contribution.objects.get().status == "held"
