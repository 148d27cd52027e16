from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from tests.factories import accounts
from tests.factories import bounties as make

from atelier.bounties import services
from atelier.bounties.models import Bounty, BountyEvent, Entry
from atelier.bounties.rules import FINAL
from atelier.bounties.services.timing import shares
from atelier.catalog import queries as catalog
from atelier.catalog.models import ModelVersion
from atelier.core import clock
from atelier.core.errors import NotFound
from atelier.ledger import queries as ledger

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
SECOND = dt.timedelta(seconds=1)


def at(moment: dt.datetime, act: Callable[[], object] = services.sweep) -> None:
    with clock.frozen(moment):
        act()


def test_a_deadline_without_entries_gives_everything_back() -> None:
    with clock.frozen(NOW):
        bounty = make.bounty()
        stake = make.contribution(bounty, amount=200)

    at(bounty.deadline - SECOND)
    assert Bounty.objects.get().status == "open"
    at(bounty.deadline)

    bounty.refresh_from_db()
    assert (bounty.status, bounty.closed_reason) == ("refunded", "no_entries")
    assert (bounty.escrow_sparks, bounty.refunded_sparks, bounty.due_at) == (0, 1700, None)
    assert ledger.available(user_id=bounty.owner_id) == 1500
    assert ledger.available(user_id=stake.contributor_id) == 200
    assert ledger.verify().ok


def test_a_deadline_with_entries_begins_48_hours_of_judging() -> None:
    with clock.frozen(NOW):
        bounty = make.bounty()
        make.entry(bounty)

    at(bounty.deadline + 30 * SECOND)

    bounty.refresh_from_db()
    assert (bounty.status, bounty.escrow_sparks) == ("judging", 1500)
    assert bounty.judging_ends_at == bounty.due_at == bounty.deadline + 48 * HOUR


def test_a_site_that_was_down_still_gives_48_hours() -> None:
    with clock.frozen(NOW):
        bounty = make.bounty()
        make.entry(bounty)

    at(bounty.deadline + 72 * HOUR)

    assert Bounty.objects.get().due_at == bounty.deadline + 120 * HOUR


def test_judging_without_an_award_refunds_and_frees_the_entries() -> None:
    with clock.frozen(NOW):
        bounty = make.bounty()
        entry = make.entry(bounty)
    at(bounty.deadline)
    at(bounty.deadline + 48 * HOUR)

    bounty.refresh_from_db()
    assert (bounty.status, bounty.closed_reason) == ("refunded", "rule_refund")
    assert ledger.available(user_id=bounty.owner_id) == 1500
    assert ledger.available(user_id=entry.maker_id) == 0
    version = ModelVersion.objects.get()
    assert (version.status, version.access) == ("draft", "public")
    with pytest.raises(NotFound):
        catalog.require_available(version=version, viewer=bounty.owner)
    assert Entry.objects.get().status == "rejected"


def test_shortlisted_entries_share_equally_and_the_remainder_goes_to_the_first() -> None:
    bob = accounts.user("bob")
    with clock.frozen(NOW):
        bounty = make.bounty(rule="split_shortlist")
        make.contribution(bounty, bob, amount=201)
        own = make.contribution(bounty, amount=70, judge="self")
        entries = []
        for seed in range(4):
            with clock.frozen(NOW + seed * HOUR):
                entries.append(make.entry(bounty, seed=seed))
        for chosen, judge in ((entries[0], bob), (entries[2], bob), (entries[3], bounty.owner)):
            services.shortlist(bounty_id=bounty.id, entry_id=chosen.id, actor=judge)
    at(bounty.deadline)
    at(bounty.deadline + 48 * HOUR)

    got = [ledger.available(user_id=entry.maker_id) for entry in entries]
    assert got == [567, 0, 567, 567]  # 1,701 between three
    bounty.refresh_from_db()
    assert (bounty.status, bounty.closed_reason) == ("settled", "split_shortlist")
    assert (bounty.paid_sparks, bounty.refunded_sparks, bounty.escrow_sparks) == (1701, 70, 0)
    assert ledger.available(user_id=own.contributor_id) == 70
    stored = [Entry.objects.get(pk=entry.id) for entry in entries]
    assert [entry.status for entry in stored] == ["awarded", "rejected", "awarded", "awarded"]
    for entry in stored:
        assert entry.version is not None
        assert entry.version.status == ("published" if entry.status == "awarded" else "draft")
    paid = BountyEvent.objects.filter(kind="paid").order_by("id")
    assert sum(line.amount_sparks or 0 for line in paid) == 1701
    assert len({line.transfer_id for line in paid}) == 4
    assert ledger.verify().ok


def test_nobody_shortlisted_is_a_refund() -> None:
    with clock.frozen(NOW):
        bounty = make.bounty(rule="split_shortlist")
        make.entry(bounty)
    at(bounty.deadline)
    at(bounty.deadline + 48 * HOUR)

    assert Bounty.objects.get().status == "refunded"
    assert ledger.available(user_id=bounty.owner_id) == 1500


@pytest.mark.parametrize(
    ("total", "count", "expected"),
    [(1500, 1, [1500]), (1500, 3, [500, 500, 500]), (502, 4, [126, 126, 125, 125])],
)
def test_shares_add_up(total: int, count: int, expected: list[int]) -> None:
    assert shares(total, count) == expected


def test_48_hours_after_an_award_what_nobody_gave_goes_back() -> None:
    with clock.frozen(NOW):
        bounty = make.bounty()
        own = make.contribution(bounty, amount=200, judge="self")
        entry = make.entry(bounty)
        services.award(bounty_id=bounty.id, entry_id=entry.id, actor=bounty.owner)
    assert Bounty.objects.get().escrow_sparks == 200

    at(NOW + 48 * HOUR - SECOND)
    assert Bounty.objects.get().status == "awarded"
    at(NOW + 48 * HOUR)

    bounty.refresh_from_db()
    assert (bounty.status, bounty.escrow_sparks) == ("settled", 0)
    assert (bounty.paid_sparks, bounty.refunded_sparks) == (1500, 200)
    assert ledger.available(user_id=own.contributor_id) == 200


def test_after_the_award_a_stake_can_still_be_given() -> None:
    with clock.frozen(NOW):
        bounty = make.bounty()
        own = make.contribution(bounty, amount=200, judge="self")
        winner, second = make.entry(bounty, seed=1), make.entry(bounty, seed=2)
        services.award(bounty_id=bounty.id, entry_id=winner.id, actor=bounty.owner)
        services.give(
            bounty_id=bounty.id,
            contribution_id=own.id,
            entry_id=second.id,
            actor=own.contributor,
        )

    assert ledger.available(user_id=second.maker_id) == 200
    version = ModelVersion.objects.get(pk=second.version_id or 0)
    assert version.status == "draft"
    catalog.require_available(version=version, viewer=own.contributor)


def test_a_dispute_that_nobody_decides_ends_by_the_rule() -> None:
    with clock.frozen(NOW):
        bounty = make.bounty()
        entry = make.entry(bounty)
    at(bounty.deadline)
    with clock.frozen(bounty.deadline + HOUR):
        services.open_dispute(bounty_id=bounty.id, actor=entry.maker, reason="No answer.")
    at(bounty.deadline + HOUR + dt.timedelta(days=14))

    bounty.refresh_from_db()
    assert (bounty.status, bounty.escrow_sparks) == ("refunded", 0)
    assert bounty.disputes.get().outcome == "lapsed"


def test_the_timer_acts_once() -> None:
    with clock.frozen(NOW):
        bounty = make.bounty()
    with clock.frozen(bounty.deadline):
        assert services.tick(bounty_id=bounty.id) is True
        assert services.tick(bounty_id=bounty.id) is False
        assert services.sweep() == 0
    assert services.tick(bounty_id="bty_none") is False
    assert ledger.available(user_id=bounty.owner_id) == 1500


def test_in_400_days_no_money_stays_open_whatever_state_it_was_in() -> None:
    staff = accounts.staff()
    with clock.frozen(NOW):
        empty, entered, awarded, frozen, argued = (make.bounty() for _ in range(5))
        split = make.bounty(rule="split_shortlist")
        for bounty in (entered, awarded, argued, split):
            make.contribution(bounty, judge="self")
            make.entry(bounty, accounts.user(f"maker_of_{bounty.pk[-6:]}"))
        services.award(bounty_id=awarded.id, entry_id=awarded.entries.get().id, actor=awarded.owner)
        services.shortlist(bounty_id=split.id, entry_id=split.entries.get().id, actor=split.owner)
        services.freeze(bounty_id=frozen.id, actor=staff, reason="A report came in.")
    at(empty.deadline)
    with clock.frozen(empty.deadline + HOUR):
        services.open_dispute(
            bounty_id=argued.id, actor=argued.entries.get().maker, reason="No answer."
        )
    for day in range(400):
        at(empty.deadline + dt.timedelta(days=day))

    for bounty in Bounty.objects.all():
        assert bounty.status in FINAL
        assert bounty.escrow_sparks == ledger.escrow_balance(escrow=bounty.escrow_key) == 0
    assert ledger.verify().ok
