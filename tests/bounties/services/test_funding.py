from __future__ import annotations

import datetime as dt

import pytest
from tests.factories import accounts
from tests.factories import bounties as make
from tests.factories import ledger as sparks

from atelier.bounties import services
from atelier.bounties.errors import DeadlinePassed, OwnBounty
from atelier.bounties.models import Bounty, Contribution
from atelier.catalog import queries as catalog
from atelier.catalog.errors import Locked
from atelier.core import clock
from atelier.core.errors import Invalid, NotFound, NotOwner, WrongState
from atelier.core.models import OutboxEvent
from atelier.ledger import queries as ledger
from atelier.ledger.errors import InsufficientSparks

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


def test_a_contribution_joins_the_escrow() -> None:
    bounty, bob = make.bounty(), accounts.user("bob")
    sparks.earned(bob.pk, 500)

    made = services.contribute(bounty_id=bounty.id, contributor=bob, amount=200)

    bounty.refresh_from_db()
    assert (bounty.staked_sparks, bounty.escrow_sparks) == (1700, 1700)
    assert ledger.escrow_balance(escrow=bounty.escrow_key) == 1700
    assert ledger.available(user_id=bob.pk) == 300
    assert (made.judge, made.status) == ("creator", "held")
    line = bounty.events.order_by("id").last()
    assert (line.kind, line.actor, line.amount_sparks) == ("contributed", bob, 200)
    told = OutboxEvent.objects.get(topic="bounties.contributed").payload
    assert told["recipients"] == [bounty.owner_id]


@pytest.mark.parametrize("amount", [49, 0, -5, 100_000_001])
def test_a_contribution_has_limits(amount: int) -> None:
    bounty, bob = make.bounty(), accounts.user("bob")
    sparks.earned(bob.pk, 500)

    with pytest.raises(Invalid):
        services.contribute(bounty_id=bounty.id, contributor=bob, amount=amount)

    assert Contribution.objects.count() == 1
    assert ledger.available(user_id=bob.pk) == 500


def test_nobody_contributes_what_they_do_not_have() -> None:
    bounty, bob = make.bounty(), accounts.user("bob")
    sparks.earned(bob.pk, 199)

    with pytest.raises(InsufficientSparks):
        services.contribute(bounty_id=bounty.id, contributor=bob, amount=200)

    bounty.refresh_from_db()
    assert bounty.staked_sparks == 1500
    assert ledger.available(user_id=bob.pk) == 199


def test_the_creator_may_raise_the_stake_and_stays_its_judge() -> None:
    bounty = make.bounty()
    sparks.earned(bounty.owner_id, 100)

    made = services.contribute(
        bounty_id=bounty.id, contributor=bounty.owner, amount=100, judge="self"
    )

    assert made.judge == "creator"
    assert Bounty.objects.get().escrow_sparks == 1600


def test_after_the_deadline_no_stake_is_taken() -> None:
    with clock.frozen(NOW):
        bounty = make.bounty()
        make.entry(bounty)
    bob = accounts.user("bob")
    sparks.earned(bob.pk, 500)

    for late in (dt.timedelta(0), dt.timedelta(minutes=5)):
        with clock.frozen(bounty.deadline + late):
            with pytest.raises(DeadlinePassed):
                services.contribute(bounty_id=bounty.id, contributor=bob, amount=200)
            services.sweep()

    assert Bounty.objects.get().status == "judging"
    assert ledger.available(user_id=bob.pk) == 500


def test_a_closed_bounty_takes_no_stake() -> None:
    bounty, bob = make.bounty(), accounts.user("bob")
    sparks.earned(bob.pk, 500)
    services.cancel(bounty_id=bounty.id, actor=bounty.owner)

    with pytest.raises(WrongState):
        services.contribute(bounty_id=bounty.id, contributor=bob, amount=200)
    with pytest.raises(NotFound):
        services.contribute(bounty_id="bty_none", contributor=bob, amount=200)

    assert ledger.available(user_id=bob.pk) == 500


def test_nobody_is_on_both_sides() -> None:
    bounty, maker = make.bounty(), accounts.user("maker")
    sparks.earned(maker.pk, 500)
    make.entry(bounty, maker)

    with pytest.raises(OwnBounty):
        services.contribute(bounty_id=bounty.id, contributor=maker, amount=200)

    assert ledger.available(user_id=maker.pk) == 500


def test_a_contributor_gives_their_own_stake_to_an_entry_at_once_and_for_good() -> None:
    bounty, bob = make.bounty(), accounts.user("bob")
    stake = make.contribution(bounty, bob, judge="self")
    entry, other = make.entry(bounty, seed=1), make.entry(bounty, seed=2)

    given = services.give(
        bounty_id=bounty.id, contribution_id=stake.id, entry_id=entry.id, actor=bob
    )

    assert (given.status, given.given_to) == ("paid", entry)
    assert ledger.available(user_id=entry.maker_id) == 200
    bounty.refresh_from_db()
    assert (bounty.status, bounty.escrow_sparks, bounty.paid_sparks) == ("open", 1500, 200)
    assert entry.version is not None
    entry.version.refresh_from_db()
    catalog.require_available(version=entry.version, viewer=bob)
    with pytest.raises(Locked):
        catalog.require_available(version=entry.version, viewer=bounty.owner)
    with pytest.raises(WrongState, match="it was paid"):
        services.give(bounty_id=bounty.id, contribution_id=stake.id, entry_id=other.id, actor=bob)
    with pytest.raises(WrongState, match="has paid for this entry"):
        services.withdraw(bounty_id=bounty.id, entry_id=entry.id, actor=entry.maker)
    assert ledger.verify().ok


def test_only_the_contributor_gives_and_only_what_they_kept_to_judge() -> None:
    bounty, bob, eve = make.bounty(), accounts.user("bob"), accounts.user("eve")
    own = make.contribution(bounty, bob, judge="self")
    left = make.contribution(bounty, bob)
    entry = make.entry(bounty)

    with pytest.raises(NotOwner):
        services.give(bounty_id=bounty.id, contribution_id=own.id, entry_id=entry.id, actor=eve)
    with pytest.raises(WrongState, match="You left the judging"):
        services.give(bounty_id=bounty.id, contribution_id=left.id, entry_id=entry.id, actor=bob)
    with pytest.raises(NotFound):
        services.give(bounty_id=bounty.id, contribution_id=own.id, entry_id="ent_no", actor=bob)
    services.withdraw(bounty_id=bounty.id, entry_id=entry.id, actor=entry.maker)
    with pytest.raises(WrongState, match="This entry is withdrawn"):
        services.give(bounty_id=bounty.id, contribution_id=own.id, entry_id=entry.id, actor=bob)

    assert Bounty.objects.get().escrow_sparks == 1900
    assert ledger.available(user_id=entry.maker_id) == 0
