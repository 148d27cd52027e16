from __future__ import annotations

import datetime as dt

import pytest
from tests.factories import accounts
from tests.factories import bounties as make
from tests.factories import ledger as sparks

from atelier.bounties import services
from atelier.bounties.models import Bounty, Entry
from atelier.core import clock
from atelier.core.errors import DomainError, Forbidden, Invalid, NotFound, WrongState
from atelier.ledger import queries as ledger
from atelier.media.models import Media

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
# May be about somebody, may be about a character: a person looks first.
DOUBTFUL = "I love @silver_fox_arts. A fox in that spirit."


def held(**fields: object) -> Bounty:
    bounty = make.bounty(description=DOUBTFUL, **fields)  # type: ignore[arg-type]
    assert bounty.status == "screening"
    return bounty


def test_a_held_bounty_is_invisible_and_unpaid_until_staff_open_it() -> None:
    owner = accounts.user("ada")
    sparks.earned(owner.pk, 1500)
    sketch = make.picture(owner)
    bounty = held(owner=owner, funded=False, image_ids=[sketch.id])
    eve = accounts.user("eve")
    sparks.earned(eve.pk, 500)

    assert ledger.available(user_id=owner.pk) == 1500
    assert Media.objects.get(pk=sketch.id).visibility == "private"
    assert list(Bounty.objects.visible_to(None)) == []
    assert list(Bounty.objects.visible_to(eve)) == []
    assert list(Bounty.objects.visible_to(owner)) == [bounty]
    with pytest.raises(NotFound):
        services.contribute(bounty_id=bounty.id, contributor=eve, amount=100)

    services.open_screened(bounty_id=bounty.id, actor=accounts.staff())

    bounty.refresh_from_db()
    assert (bounty.status, bounty.escrow_sparks) == ("open", 1500)
    assert ledger.available(user_id=owner.pk) == 0
    assert Media.objects.get(pk=sketch.id).visibility == "public"
    # What staff cleared is not asked again at each later step.
    services.contribute(bounty_id=bounty.id, contributor=eve, amount=100)
    entry = make.entry(bounty)
    services.award(bounty_id=bounty.id, entry_id=entry.id, actor=owner)
    assert ledger.available(user_id=entry.maker_id) == 1600


def test_only_staff_without_a_part_open_or_refuse() -> None:
    staff = accounts.staff("judge")
    bounty = held(owner=staff)

    for person in (accounts.user("eve"), staff):
        with pytest.raises(Forbidden):
            services.open_screened(bounty_id=bounty.id, actor=person)
        with pytest.raises(Forbidden):
            services.refuse_screened(bounty_id=bounty.id, actor=person, reason="No.")

    assert Bounty.objects.get().status == "screening"


def test_refusing_says_why_and_moves_nothing() -> None:
    bounty = held()
    staff = accounts.staff()
    with pytest.raises(Invalid):
        services.refuse_screened(bounty_id=bounty.id, actor=staff, reason="  ")

    services.refuse_screened(bounty_id=bounty.id, actor=staff, reason="It names an artist.")

    bounty.refresh_from_db()
    assert (bounty.status, bounty.closed_reason) == ("cancelled", "review_refused")
    assert (bounty.staked_sparks, ledger.available(user_id=bounty.owner_id)) == (0, 1500)
    with pytest.raises(WrongState):
        services.open_screened(bounty_id=bounty.id, actor=staff)


def test_a_creator_who_spent_the_sparks_meanwhile_finds_it_cancelled() -> None:
    bounty = held()
    make.bounty(bounty.owner, funded=False)

    services.open_screened(bounty_id=bounty.id, actor=accounts.staff())

    bounty.refresh_from_db()
    assert (bounty.status, bounty.closed_reason) == ("cancelled", "insufficient_sparks")
    assert bounty.escrow_sparks == ledger.escrow_balance(escrow=bounty.escrow_key) == 0
    assert ledger.verify().ok


def test_review_that_outlasts_the_deadline_cancels() -> None:
    with clock.frozen(NOW):
        bounty = held()
    with clock.frozen(bounty.deadline):
        with pytest.raises(DomainError) as refusal:
            services.open_screened(bounty_id=bounty.id, actor=accounts.staff())
        assert refusal.value.code == "deadline_passed"
        services.sweep()

    bounty.refresh_from_db()
    assert (bounty.status, bounty.closed_reason) == ("cancelled", "not_reviewed_in_time")
    assert ledger.available(user_id=bounty.owner_id) == 1500


def test_a_doubtful_edit_hides_the_bounty_until_staff_looked() -> None:
    bounty = make.bounty()

    services.edit(bounty_id=bounty.id, actor=bounty.owner, description=DOUBTFUL)

    bounty.refresh_from_db()
    assert (bounty.status, bounty.escrow_sparks) == ("screening", 1500)
    assert not Bounty.objects.visible_to(None).exists()
    services.open_screened(bounty_id=bounty.id, actor=accounts.staff())
    bounty.refresh_from_db()
    assert (bounty.status, bounty.escrow_sparks, bounty.description) == ("open", 1500, DOUBTFUL)
    assert ledger.escrow_balance(escrow=bounty.escrow_key) == 1500


def test_an_edit_that_staff_refuse_gives_the_stake_back() -> None:
    bounty = make.bounty()
    services.edit(bounty_id=bounty.id, actor=bounty.owner, description=DOUBTFUL)

    services.refuse_screened(bounty_id=bounty.id, actor=accounts.staff(), reason="No.")

    bounty.refresh_from_db()
    assert (bounty.status, bounty.refunded_sparks) == ("cancelled", 1500)
    assert ledger.available(user_id=bounty.owner_id) == 1500


def test_a_refused_edit_leaves_the_old_words() -> None:
    bounty = make.bounty()

    with pytest.raises(DomainError) as refusal:
        services.edit(
            bounty_id=bounty.id,
            actor=bounty.owner,
            description="A LoRA of my ex wife, https://www.instagram.com/some.body",
        )

    assert refusal.value.code == "likeness_consent_required"
    bounty.refresh_from_db()
    assert (bounty.status, bounty.description) == ("open", make.BRIEF)


def test_freezing_stops_everything_and_the_clock() -> None:
    staff = accounts.staff()
    with clock.frozen(NOW):
        bounty = make.bounty()
        sketch = make.picture(bounty.owner)
        services.edit(bounty_id=bounty.id, actor=bounty.owner, image_ids=[sketch.id])
        entry = make.entry(bounty)
        services.freeze(bounty_id=bounty.id, actor=staff, reason="A report came in.")
        eve = accounts.user("eve")
        for act in (
            lambda: services.award(bounty_id=bounty.id, entry_id=entry.id, actor=bounty.owner),
            lambda: services.cancel(bounty_id=bounty.id, actor=bounty.owner),
            lambda: services.withdraw(bounty_id=bounty.id, entry_id=entry.id, actor=entry.maker),
        ):
            with pytest.raises(WrongState, match="frozen by staff"):
                act()
        assert not Bounty.objects.visible_to(eve).exists()
        assert Bounty.objects.visible_to(entry.maker).exists()
        assert Media.objects.get(pk=sketch.id).visibility == "hidden"
    with clock.frozen(NOW + 10 * DAY):
        services.sweep()
        services.unfreeze(bounty_id=bounty.id, actor=staff)

    found = Bounty.objects.get()
    assert (found.status, found.escrow_sparks) == ("open", 1500)
    assert found.deadline == found.due_at == bounty.deadline + 10 * DAY
    assert Media.objects.get(pk=sketch.id).visibility == "public"
    assert Entry.objects.get().status == "submitted"


def test_judging_and_disputes_go_on_where_they_were_frozen() -> None:
    staff = accounts.staff()
    with clock.frozen(NOW):
        bounty = make.bounty()
        entry = make.entry(bounty)
    with clock.frozen(bounty.deadline):
        services.sweep()
        services.freeze(bounty_id=bounty.id, actor=staff, reason="A report came in.")
    with clock.frozen(bounty.deadline + DAY):
        services.unfreeze(bounty_id=bounty.id, actor=staff)
        found = Bounty.objects.get()
        assert (found.status, found.due_at) == ("judging", bounty.deadline + 3 * DAY)
        services.open_dispute(bounty_id=bounty.id, actor=entry.maker, reason="No answer.")
        services.freeze(bounty_id=bounty.id, actor=staff, reason="Another report.")
    with clock.frozen(bounty.deadline + 2 * DAY):
        services.unfreeze(bounty_id=bounty.id, actor=staff)
        assert Bounty.objects.get().status == "disputed"
        services.resolve_dispute(
            bounty_id=bounty.id, actor=staff, outcome="resume", answer="Choose."
        )

    found = Bounty.objects.get()
    assert (found.status, found.judging_ends_at) == ("judging", bounty.deadline + 4 * DAY)


def test_a_frozen_bounty_is_refunded_by_staff_or_by_time() -> None:
    staff = accounts.staff()
    with clock.frozen(NOW):
        ended, left = make.bounty(), make.bounty()
        for bounty in (ended, left):
            services.freeze(bounty_id=bounty.id, actor=staff, reason="A report came in.")
        services.refund_frozen(bounty_id=ended.id, actor=staff, reason="It breaks the rule.")
    with clock.frozen(NOW + 30 * DAY):
        services.sweep()

    for bounty, reason in ((ended, "by_staff"), (left, "freeze_ended")):
        bounty.refresh_from_db()
        assert (bounty.status, bounty.closed_reason) == ("refunded", reason)
        assert ledger.available(user_id=bounty.owner_id) == 1500


def test_people_without_the_right_freeze_nothing() -> None:
    bounty = make.bounty()
    eve = accounts.user("eve")
    for act in (
        lambda: services.freeze(bounty_id=bounty.id, actor=eve, reason="Mine."),
        lambda: services.unfreeze(bounty_id=bounty.id, actor=eve),
        lambda: services.refund_frozen(bounty_id=bounty.id, actor=eve, reason="Mine."),
    ):
        with pytest.raises(Forbidden):
            act()

    assert Bounty.objects.get().status == "open"


def test_withdrawn_consent_gives_everything_back_from_any_running_state() -> None:
    with clock.frozen(NOW):
        bounty = make.bounty()
        stake = make.contribution(bounty)
        make.entry(bounty)
        services.void_consent(bounty_id=bounty.id, reason="The person withdrew.")

    bounty.refresh_from_db()
    assert (bounty.status, bounty.escrow_sparks, bounty.refunded_sparks) == (
        "void_consent",
        0,
        1700,
    )
    assert ledger.available(user_id=stake.contributor_id) == 200
    assert not Bounty.objects.visible_to(None).exists()
    with pytest.raises(WrongState):
        services.void_consent(bounty_id=bounty.id, reason="Twice.")
