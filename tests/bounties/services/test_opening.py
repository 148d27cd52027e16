from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING

import pytest
from tests.factories import accounts, photographs
from tests.factories import bounties as make
from tests.factories import ledger as sparks

from atelier.bounties import services
from atelier.bounties.errors import DeadlinePassed, TooManyOpen
from atelier.bounties.models import Bounty, BountyEvent
from atelier.bounties.rules import Status
from atelier.core import clock
from atelier.core.errors import DomainError, Invalid, NotFound, NotOwner, WrongState
from atelier.core.models import OutboxEvent
from atelier.ledger import queries as ledger
from atelier.ledger.errors import InsufficientSparks
from atelier.likeness.errors import LikenessConsentRequired
from atelier.media import services as media
from atelier.media.models import Media

if TYPE_CHECKING:
    from atelier.accounts.models import User

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


def nothing_happened(owner: User, *, sparks_left: int) -> None:
    assert not Bounty.objects.exists()
    assert not BountyEvent.objects.exists()
    assert ledger.available(user_id=owner.pk) == sparks_left
    assert not OutboxEvent.objects.filter(topic__startswith="bounties.").exists()


def test_opening_moves_the_stake_into_escrow() -> None:
    ada = accounts.user("ada")
    sparks.earned(ada.pk, 5000)
    sketch = make.picture(ada)

    with clock.frozen(NOW):
        bounty = make.bounty(
            ada,
            funded=False,
            title=" A  small fox ",
            tags=["Fox", "mascot"],
            image_ids=[sketch.id],
        )

    bounty.refresh_from_db()
    assert (bounty.status, bounty.title, bounty.tags) == (
        "open",
        "A small fox",
        ["fox", "mascot"],
    )
    assert (bounty.amount_sparks, bounty.escrow_sparks) == (1500, 1500)
    assert ledger.escrow_balance(escrow=bounty.escrow_key) == 1500
    assert ledger.available(user_id=ada.pk) == 3500
    assert bounty.due_at == bounty.deadline == NOW + make.WEEK
    assert [row.media_id for row in bounty.reference_rows.all()] == [sketch.id]
    assert Media.objects.get(pk=sketch.id).visibility == "public"
    stake = bounty.contributions.get()
    assert (stake.contributor, stake.amount_sparks, stake.status) == (ada, 1500, "held")
    line = bounty.events.get()
    assert (line.kind, line.actor, line.amount_sparks) == ("opened", ada, 1500)
    assert line.transfer_id == stake.funding_transfer_id
    told = OutboxEvent.objects.get(topic="bounties.opened").payload
    assert (told["bounty_id"], told["owner_id"], told["amount"]) == (bounty.id, ada.pk, 1500)
    assert ledger.verify().ok


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"amount": 499}, "amount"),
        ({"title": ""}, "title"),
        ({"description": ""}, "description"),
        ({"kind": "video"}, "kind"),
        ({"rule": "reactions"}, "rule"),
        ({"deadline": NOW}, "deadline"),
        ({"deadline": NOW + dt.timedelta(days=91)}, "deadline"),
        ({"image_ids": [f"med_{number}" for number in range(11)]}, "images"),
    ],
)
def test_bad_input_changes_nothing(fields: dict[str, object], field: str) -> None:
    ada = accounts.user("ada")
    sparks.earned(ada.pk, 5000)

    with clock.frozen(NOW), pytest.raises(Invalid) as refusal:
        make.bounty(ada, **{"funded": False, **fields})  # type: ignore[arg-type]

    assert [error.field for error in refusal.value.errors] == [field]
    nothing_happened(ada, sparks_left=5000)


def test_more_than_the_wallet_holds_is_refused() -> None:
    ada = accounts.user("ada")
    sparks.earned(ada.pk, 1499)

    with pytest.raises(InsufficientSparks, match="needs 1,500 Sparks and your wallet has 1,499"):
        make.bounty(ada, funded=False)

    nothing_happened(ada, sparks_left=1499)


def test_pictures_of_others_are_not_found_and_not_shown() -> None:
    ada, eve = accounts.user("ada"), accounts.user("eve")
    sparks.earned(eve.pk, 5000)
    private = make.picture(ada)

    with pytest.raises(NotOwner):
        make.bounty(eve, funded=False, image_ids=[private.id])

    nothing_happened(eve, sparks_left=5000)
    assert Media.objects.get(pk=private.id).visibility == "private"


def test_photographs_of_a_real_woman_are_refused_before_a_spark_moves() -> None:
    ada = accounts.user("ada")
    sparks.earned(ada.pk, 5000)
    photos = []
    for number in range(3):
        taken = media.receive_now(
            owner=ada, stream=_stream(photographs.real_woman(number)), filename="me.png"
        )
        assert taken.status == "ready"
        photos.append(taken.id)

    with pytest.raises(DomainError) as refusal:
        make.bounty(ada, funded=False, image_ids=photos)

    assert (refusal.value.code, refusal.value.status) == ("likeness_consent_required", 403)
    nothing_happened(ada, sparks_left=5000)
    assert {row.visibility for row in Media.objects.all()} == {"private"}


def _stream(data: bytes) -> io.BytesIO:
    return io.BytesIO(data)


@pytest.mark.parametrize(
    "words",
    [
        "A LoRA of my ex wife, all pictures show the same person.",
        "Look at https://www.instagram.com/some.body and make her.",
        "Find her on instagram: some.body",
    ],
)
def test_words_about_a_private_person_are_refused(words: str) -> None:
    ada = accounts.user("ada")
    sparks.earned(ada.pk, 5000)

    with pytest.raises(LikenessConsentRequired):
        make.bounty(ada, funded=False, description=words)

    nothing_happened(ada, sparks_left=5000)


def self_registered(name: str) -> User:
    user = accounts.user(name)
    user.created_by_operator = False
    user.save()
    return user


def test_a_new_account_has_one_bounty_running() -> None:
    new = self_registered("newcomer")
    first = make.bounty(new)

    with pytest.raises(TooManyOpen, match="first 7 days it can have one bounty"):
        make.bounty(new)

    assert Bounty.objects.count() == 1
    assert ledger.available(user_id=new.pk) == 1500
    services.cancel(bounty_id=first.id, actor=new)
    assert make.bounty(new, funded=False).status == "open"


def test_older_accounts_and_those_of_the_operator_may_have_more() -> None:
    made = accounts.user("made")
    make.bounty(made)
    make.bounty(made)
    old = self_registered("oldtimer")
    old.date_joined = clock.now() - dt.timedelta(days=7)
    old.save()
    make.bounty(old)
    make.bounty(old)

    assert Bounty.objects.filter(status="open").count() == 4


def test_editing_changes_the_words_and_tells_the_timeline() -> None:
    bounty = make.bounty()
    sketch = make.picture(bounty.owner)

    services.edit(
        bounty_id=bounty.id,
        actor=bounty.owner,
        title="A blue fox",
        description="Blue, **please**.",
        image_ids=[sketch.id],
    )

    bounty.refresh_from_db()
    assert (bounty.title, bounty.status) == ("A blue fox", "open")
    assert "<strong>please</strong>" in bounty.description_html
    assert Media.objects.get(pk=sketch.id).visibility == "public"
    assert [line.kind for line in bounty.events.order_by("id")] == ["opened", "edited"]


def test_strangers_cannot_edit_extend_or_cancel() -> None:
    bounty = make.bounty()
    eve = accounts.user("eve")
    later = bounty.deadline + dt.timedelta(days=1)

    for act in (
        lambda: services.edit(bounty_id=bounty.id, actor=eve, title="Mine"),
        lambda: services.extend(bounty_id=bounty.id, actor=eve, deadline=later),
        lambda: services.cancel(bounty_id=bounty.id, actor=eve),
    ):
        with pytest.raises(NotOwner):
            act()

    before = Bounty.objects.get()
    assert (before.title, before.status, before.deadline) == (
        bounty.title,
        "open",
        bounty.deadline,
    )
    assert ledger.escrow_balance(escrow=bounty.escrow_key) == 1500


def test_an_unknown_bounty_is_not_found() -> None:
    eve = accounts.user("eve")
    for act in (
        lambda: services.edit(bounty_id="bty_none", actor=eve, title="Mine"),
        lambda: services.cancel(bounty_id="bty_none", actor=eve),
    ):
        with pytest.raises(NotFound):
            act()


def test_words_stay_once_somebody_entered_or_paid() -> None:
    entered, backed = make.bounty(), make.bounty()
    make.entry(entered)
    make.contribution(backed)

    for bounty in (entered, backed):
        with pytest.raises(WrongState, match="the words stay as they are"):
            services.edit(bounty_id=bounty.id, actor=bounty.owner, title="Something else")

    assert set(Bounty.objects.values_list("title", flat=True)) == {make.TITLE}


def test_the_deadline_is_extended_once_and_only_forward() -> None:
    with clock.frozen(NOW):
        bounty = make.bounty()
        make.entry(bounty)
        ada, day = bounty.owner, dt.timedelta(days=1)
        with pytest.raises(Invalid, match="must be later than the present one"):
            services.extend(bounty_id=bounty.id, actor=ada, deadline=bounty.deadline)
        services.extend(bounty_id=bounty.id, actor=ada, deadline=bounty.deadline + day)
        with pytest.raises(WrongState, match="can be done once"):
            services.extend(bounty_id=bounty.id, actor=ada, deadline=bounty.deadline + 2 * day)

    found = Bounty.objects.get()
    assert found.deadline == found.due_at == bounty.deadline + day
    assert found.events.last().note == "2026-11-30 12:00 UTC → 2026-12-01 12:00 UTC"


def test_after_the_deadline_nothing_is_edited_or_extended() -> None:
    with clock.frozen(NOW):
        bounty = make.bounty()
    with clock.frozen(bounty.deadline):
        later = bounty.deadline + make.WEEK
        for act in (
            lambda: services.edit(bounty_id=bounty.id, actor=bounty.owner, title="Late"),
            lambda: services.extend(bounty_id=bounty.id, actor=bounty.owner, deadline=later),
        ):
            with pytest.raises(DeadlinePassed):
                act()

    assert Bounty.objects.get().title == bounty.title


def test_cancelling_gives_every_stake_back_in_its_kinds() -> None:
    ada, bob = accounts.user("ada"), accounts.user("bob")
    sparks.earned(ada.pk, 1000)
    sparks.bought(ada.pk, 1000)
    bounty = make.bounty(ada, funded=False)
    sparks.bought(bob.pk, 300)
    services.contribute(bounty_id=bounty.id, contributor=bob, amount=300)

    services.cancel(bounty_id=bounty.id, actor=ada)

    bounty.refresh_from_db()
    assert (bounty.status, bounty.escrow_sparks, bounty.refunded_sparks) == ("cancelled", 0, 1800)
    assert bounty.due_at is None
    wallet = ledger.wallet(user_id=ada.pk)
    assert (wallet.earned, wallet.bought, wallet.income) == (1000, 1000, 0)
    assert ledger.wallet(user_id=bob.pk).bought == 300
    assert ledger.escrow_balance(escrow=bounty.escrow_key) == 0
    assert [line.kind for line in bounty.events.order_by("id")] == [
        "opened",
        "contributed",
        "refunded",
        "refunded",
        "cancelled",
    ]
    told = OutboxEvent.objects.get(topic="bounties.cancelled").payload
    assert (told["amount"], told["recipients"]) == (1800, [bob.pk])
    assert ledger.verify().ok


def test_a_second_cancel_finds_it_over() -> None:
    bounty = make.bounty()
    services.cancel(bounty_id=bounty.id, actor=bounty.owner)

    with pytest.raises(WrongState, match="This bounty is cancelled"):
        services.cancel(bounty_id=bounty.id, actor=bounty.owner)

    assert ledger.available(user_id=bounty.owner_id) == 1500


def test_an_entered_bounty_is_not_cancelled() -> None:
    bounty = make.bounty()
    entry = make.entry(bounty)

    with pytest.raises(WrongState, match="so this bounty cannot be cancelled"):
        services.cancel(bounty_id=bounty.id, actor=bounty.owner)

    assert Bounty.objects.get().status == Status.OPEN
    services.withdraw(bounty_id=bounty.id, entry_id=entry.id, actor=entry.maker)
    services.cancel(bounty_id=bounty.id, actor=bounty.owner)
    assert Bounty.objects.get().status == Status.CANCELLED


def test_a_suspended_account_opens_nothing() -> None:
    ada = accounts.user("ada")
    sparks.earned(ada.pk, 5000)
    ada.suspended_at = clock.now()
    ada.save()

    with pytest.raises(DomainError) as refusal:
        make.bounty(ada, funded=False)

    assert refusal.value.code == "suspended"
    nothing_happened(ada, sparks_left=5000)
