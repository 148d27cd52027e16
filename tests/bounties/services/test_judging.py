from __future__ import annotations

import datetime as dt

import pytest
from tests.factories import accounts
from tests.factories import bounties as make
from tests.factories import ledger as sparks

from atelier.bounties import services
from atelier.bounties.errors import AlreadyAwarded
from atelier.bounties.models import Bounty, Dispute, Entry, Shortlisting
from atelier.catalog import queries as catalog
from atelier.catalog.models import ModelVersion
from atelier.core import clock
from atelier.core.errors import Forbidden, Invalid, NotFound, NotOwner, WrongState
from atelier.core.models import OutboxEvent
from atelier.ledger import queries as ledger
from atelier.likeness import services as likeness
from atelier.likeness.errors import BlockedThing
from atelier.likeness.refs import Ref

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def test_an_award_pays_unlocks_and_publishes_at_once() -> None:
    ada, bob = accounts.user("ada"), accounts.user("bob")
    sparks.bought(ada.pk, 1500)
    with clock.frozen(NOW):
        bounty = make.bounty(ada, funded=False)
        make.contribution(bounty, bob, amount=200)
        entry, loser = make.entry(bounty, seed=1), make.entry(bounty, seed=2)
        answer = services.award(bounty_id=bounty.id, entry_id=entry.id, actor=ada)

    bounty.refresh_from_db()
    entry.refresh_from_db()
    assert entry.version is not None
    version = ModelVersion.objects.select_related("model").get(pk=entry.version.pk)
    assert answer.entry_id == entry.id
    assert (answer.model_id, answer.version_id) == (version.model_id, version.pk)
    assert (answer.amount_sparks, answer.status) == (1700, "awarded")
    assert answer.transfer_id == bounty.contributions.get(contributor=ada).resolving_transfer_id
    assert (bounty.status, bounty.escrow_sparks, bounty.paid_sparks) == ("awarded", 0, 1700)
    assert bounty.awarded_entry == entry
    assert (entry.status, entry.paid_sparks) == ("awarded", 1700)
    assert Entry.objects.get(pk=loser.id).status == "rejected"
    assert (version.status, version.access, version.model.status) == (
        "published",
        "public",
        "published",
    )
    catalog.require_available(version=version, viewer=None)
    maker = ledger.wallet(user_id=entry.maker_id)
    assert (maker.income, maker.earned, maker.bought) == (1500, 200, 0)
    assert ledger.escrow_balance(escrow=bounty.escrow_key) == 0
    assert [line.kind for line in bounty.events.order_by("id")] == [
        "opened",
        "contributed",
        "entered",
        "entered",
        "paid",
        "paid",
        "awarded",
        "published",
    ]
    told = OutboxEvent.objects.get(topic="bounties.awarded").payload
    assert (told["maker_id"], told["amount"]) == (entry.maker_id, 1700)
    assert told["recipients"] == sorted({bob.pk, entry.maker_id, loser.maker_id})
    assert ledger.verify().ok


def test_both_who_paid_keep_the_file_if_the_maker_takes_the_model_back() -> None:
    from atelier.catalog import services as catalog_services

    bounty = make.bounty()
    stake = make.contribution(bounty)
    entry = make.entry(bounty)
    services.award(bounty_id=bounty.id, entry_id=entry.id, actor=bounty.owner)
    assert entry.version is not None
    version = ModelVersion.objects.get(pk=entry.version.pk)

    catalog_services.unpublish(version=version, actor=entry.maker)

    version.refresh_from_db()
    for payer in (bounty.owner, stake.contributor):
        catalog.require_available(version=version, viewer=payer)
    with pytest.raises(NotFound):
        catalog.require_available(version=version, viewer=accounts.user("eve"))


def test_an_award_happens_once() -> None:
    bounty = make.bounty()
    first, second = make.entry(bounty, seed=1), make.entry(bounty, seed=2)
    services.award(bounty_id=bounty.id, entry_id=first.id, actor=bounty.owner)

    for entry in (first, second):
        with pytest.raises(AlreadyAwarded) as refusal:
            services.award(bounty_id=bounty.id, entry_id=entry.id, actor=bounty.owner)
        assert (refusal.value.code, refusal.value.status) == ("already_awarded", 409)

    assert ledger.available(user_id=first.maker_id) == 1500
    assert ledger.available(user_id=second.maker_id) == 0


def test_only_the_creator_awards() -> None:
    bounty = make.bounty()
    stake = make.contribution(bounty)
    entry = make.entry(bounty)

    for person in (entry.maker, stake.contributor, accounts.user("eve"), accounts.staff()):
        with pytest.raises(NotOwner) as refusal:
            services.award(bounty_id=bounty.id, entry_id=entry.id, actor=person)
        assert (refusal.value.code, refusal.value.status) == ("not_owner", 403)

    bounty.refresh_from_db()
    assert (bounty.status, bounty.escrow_sparks) == ("open", 1700)
    assert Entry.objects.get().status == "submitted"
    assert ModelVersion.objects.get().access == "locked"
    assert ledger.available(user_id=entry.maker_id) == 0


def test_an_entry_of_another_bounty_or_a_withdrawn_one_wins_nothing() -> None:
    bounty, other = make.bounty(), make.bounty()
    elsewhere, withdrawn = make.entry(other, seed=1), make.entry(bounty, seed=2)
    services.withdraw(bounty_id=bounty.id, entry_id=withdrawn.id, actor=withdrawn.maker)

    with pytest.raises(NotFound):
        services.award(bounty_id=bounty.id, entry_id=elsewhere.id, actor=bounty.owner)
    with pytest.raises(WrongState, match="withdrawn"):
        services.award(bounty_id=bounty.id, entry_id=withdrawn.id, actor=bounty.owner)

    assert Bounty.objects.get(pk=bounty.id).escrow_sparks == 1500


def test_judging_lasts_48_hours() -> None:
    with clock.frozen(NOW):
        bounty = make.bounty()
        entry = make.entry(bounty)
    last = bounty.deadline + 48 * HOUR

    with clock.frozen(last), pytest.raises(WrongState, match="Judging is over"):
        services.award(bounty_id=bounty.id, entry_id=entry.id, actor=bounty.owner)
    with clock.frozen(last - dt.timedelta(seconds=1)):
        services.sweep()
        assert Bounty.objects.get().status == "judging"
        services.award(bounty_id=bounty.id, entry_id=entry.id, actor=bounty.owner)

    assert Bounty.objects.get().status == "awarded"


def test_what_was_blocked_meanwhile_is_not_awarded() -> None:
    bounty = make.bounty()
    entry = make.entry(bounty)
    assert entry.version is not None
    likeness.block(ref=Ref("version", entry.version.pk), reason="A notice came in.")

    with pytest.raises(BlockedThing):
        services.award(bounty_id=bounty.id, entry_id=entry.id, actor=bounty.owner)

    bounty.refresh_from_db()
    assert (bounty.status, bounty.escrow_sparks) == ("open", 1500)
    assert ModelVersion.objects.get().status == "draft"
    assert ledger.available(user_id=entry.maker_id) == 0


def test_those_with_a_stake_shortlist() -> None:
    bounty = make.bounty()
    stake = make.contribution(bounty)
    entry = make.entry(bounty)

    for person in (entry.maker, accounts.user("eve")):
        with pytest.raises(Forbidden):
            services.shortlist(bounty_id=bounty.id, entry_id=entry.id, actor=person)
    for _ in range(2):
        services.shortlist(bounty_id=bounty.id, entry_id=entry.id, actor=stake.contributor)
    assert Shortlisting.objects.count() == 1
    services.shortlist(bounty_id=bounty.id, entry_id=entry.id, actor=stake.contributor, is_on=False)

    assert not Shortlisting.objects.exists()
    kinds = [line.kind for line in bounty.events.order_by("id")]
    assert kinds[-2:] == ["shortlisted", "unshortlisted"]


def disputed() -> tuple[Bounty, Entry]:
    """A bounty whose entrant asked staff to decide, one hour into judging."""
    with clock.frozen(NOW):
        bounty = make.bounty()
        entry = make.entry(bounty)
    with clock.frozen(bounty.deadline):
        services.sweep()
    with clock.frozen(bounty.deadline + HOUR):
        services.open_dispute(bounty_id=bounty.id, actor=entry.maker, reason="No answer.")
    bounty.refresh_from_db()
    return bounty, entry


def test_a_dispute_is_for_those_with_a_part_and_only_in_judging() -> None:
    with clock.frozen(NOW):
        bounty = make.bounty()
        entry = make.entry(bounty)
        with pytest.raises(WrongState):
            services.open_dispute(bounty_id=bounty.id, actor=entry.maker, reason="Too early.")
    with clock.frozen(bounty.deadline):
        services.sweep()
        for person in (bounty.owner, accounts.user("eve")):
            with pytest.raises(Forbidden):
                services.open_dispute(bounty_id=bounty.id, actor=person, reason="Because.")

    assert not Dispute.objects.exists()
    assert Bounty.objects.get().status == "judging"


def test_a_dispute_stops_the_clock_and_the_award() -> None:
    bounty, entry = disputed()

    assert bounty.status == "disputed"
    assert bounty.due_at == bounty.deadline + HOUR + dt.timedelta(days=14)
    with clock.frozen(bounty.deadline + 50 * HOUR):
        services.sweep()
        with pytest.raises(WrongState, match="disputed, and staff decide"):
            services.award(bounty_id=bounty.id, entry_id=entry.id, actor=bounty.owner)
    assert Bounty.objects.get().escrow_sparks == 1500


def test_staff_let_judging_go_on_with_the_time_that_was_left() -> None:
    bounty, _ = disputed()
    with clock.frozen(bounty.deadline + 73 * HOUR):
        services.resolve_dispute(
            bounty_id=bounty.id, actor=accounts.staff(), outcome="resume", answer="Choose."
        )

    bounty.refresh_from_db()
    assert bounty.status == "judging"
    assert bounty.judging_ends_at == bounty.due_at == bounty.deadline + 120 * HOUR
    dispute = Dispute.objects.get()
    assert (dispute.outcome, dispute.answer) == ("resume", "Choose.")


def test_staff_award_or_refund_a_disputed_bounty() -> None:
    bounty, entry = disputed()
    staff = accounts.staff()
    with pytest.raises(Forbidden):
        services.resolve_dispute(
            bounty_id=bounty.id, actor=bounty.owner, outcome="refund", answer="Mine."
        )
    with pytest.raises(Invalid):
        services.resolve_dispute(
            bounty_id=bounty.id, actor=staff, outcome="split", answer="Half each."
        )
    with clock.frozen(bounty.deadline + 2 * HOUR):
        services.resolve_dispute(
            bounty_id=bounty.id,
            actor=staff,
            outcome="award",
            entry_id=entry.id,
            answer="The entry does what was asked.",
        )
    assert ledger.available(user_id=entry.maker_id) == 1500

    other, _ = disputed()
    services.resolve_dispute(
        bounty_id=other.id, actor=staff, outcome="refund", answer="Not what was asked."
    )
    other.refresh_from_db()
    assert (other.status, other.refunded_sparks) == ("refunded", 1500)


def test_staff_with_a_part_do_not_decide() -> None:
    staff = accounts.staff()
    with clock.frozen(NOW):
        bounty = make.bounty(staff)
        entry = make.entry(bounty)
    with clock.frozen(bounty.deadline):
        services.sweep()
        services.open_dispute(bounty_id=bounty.id, actor=entry.maker, reason="No answer.")
        with pytest.raises(Forbidden, match="You have a part in this bounty"):
            services.resolve_dispute(
                bounty_id=bounty.id, actor=staff, outcome="refund", answer="To me."
            )

    assert Bounty.objects.get().escrow_sparks == 1500
