from __future__ import annotations

import datetime as dt

import pytest
from tests.factories import accounts, catalog
from tests.factories import bounties as make

from atelier.bounties import services
from atelier.bounties.errors import DeadlinePassed, OwnBounty
from atelier.bounties.models import Bounty, Entry
from atelier.catalog import queries as catalog_queries
from atelier.catalog import services as catalog_services
from atelier.catalog.errors import Locked
from atelier.catalog.models import ModelVersion
from atelier.core import clock, outbox
from atelier.core.errors import (
    Duplicate,
    Forbidden,
    Invalid,
    NotFound,
    NotOwner,
    WrongState,
)
from atelier.core.models import OutboxEvent
from atelier.likeness.errors import LikenessConsentRequired
from atelier.media.models import Media

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


def test_an_entry_shows_its_samples_and_locks_its_file() -> None:
    bounty, maker = make.bounty(), accounts.user("maker")

    entry = make.entry(bounty, maker, description="Epoch 8 holds best.")

    assert (entry.status, entry.maker) == ("submitted", maker)
    assert entry.version is not None
    version = ModelVersion.objects.get(pk=entry.version.pk)
    assert (version.access, version.status) == ("locked", "draft")
    shown = list(entry.picture_rows.values_list("media_id", flat=True))
    assert shown == version.sample_media_ids
    assert Media.objects.get(pk=shown[0]).visibility == "public"
    for stranger in (bounty.owner, accounts.user("eve")):
        with pytest.raises(Locked):
            catalog_queries.require_available(version=version, viewer=stranger)
    assert [line.kind for line in bounty.events.order_by("id")] == ["opened", "entered"]
    told = OutboxEvent.objects.get(topic="bounties.entered").payload
    assert (told["entry_id"], told["recipients"]) == (entry.id, [bounty.owner_id])


def test_pictures_are_enough_where_pictures_are_asked_for() -> None:
    bounty = make.bounty(kind="images")

    entry = make.entry(bounty)

    assert (entry.version, entry.status) == (None, "submitted")


def test_a_bounty_for_a_lora_wants_one() -> None:
    bounty, maker = make.bounty(), accounts.user("maker")
    sample = make.picture(maker)

    with pytest.raises(Invalid, match="asks for a LoRA"):
        services.enter(bounty_id=bounty.id, maker=maker, image_ids=[sample.id])
    wrong = catalog.trained(maker, sample_media_ids=[sample.id])
    wrong.model.type = "Checkpoint"
    wrong.model.save()
    with pytest.raises(Invalid, match="is a Checkpoint, and this bounty asks for a LoRA"):
        services.enter(bounty_id=bounty.id, maker=maker, version=wrong.pk)

    assert not Entry.objects.exists()
    assert ModelVersion.objects.get(pk=wrong.pk).access == "public"


def test_an_entry_shows_at_least_one_picture() -> None:
    bounty, maker = make.bounty(), accounts.user("maker")
    bare = catalog.trained(maker)

    with pytest.raises(Invalid, match="at least one picture"):
        services.enter(bounty_id=bounty.id, maker=maker, version=bare.pk)

    assert not Entry.objects.exists()


def test_nobody_enters_their_own_bounty_or_one_they_pay_for() -> None:
    bounty, bob = make.bounty(), accounts.user("bob")
    make.contribution(bounty, bob)

    for person in (bounty.owner, bob):
        with pytest.raises(OwnBounty):
            make.entry(bounty, person)

    assert not Entry.objects.exists()


def test_after_the_deadline_no_entry_is_taken() -> None:
    with clock.frozen(NOW):
        bounty = make.bounty()
        make.entry(bounty, seed=1)
    maker = accounts.user("late")
    version = catalog.trained(maker, sample_media_ids=[make.picture(maker).id])

    for moment in (bounty.deadline, bounty.deadline + dt.timedelta(hours=1)):
        with clock.frozen(moment):
            with pytest.raises(DeadlinePassed) as refusal:
                services.enter(bounty_id=bounty.id, maker=maker, version=version.pk)
            services.sweep()
        assert (refusal.value.code, refusal.value.status) == ("deadline_passed", 409)

    assert Entry.objects.count() == 1
    version.refresh_from_db()
    assert version.access == "public"


def test_others_work_and_published_work_is_refused() -> None:
    bounty, maker, eve = make.bounty(), accounts.user("maker"), accounts.user("eve")
    version = catalog.trained(maker, sample_media_ids=[make.picture(maker).id])

    with pytest.raises(NotOwner):
        services.enter(bounty_id=bounty.id, maker=eve, version=version.pk)
    with pytest.raises(NotFound):
        services.enter(bounty_id=bounty.id, maker=maker, version=2_000_000)
    catalog_services.publish(version=version, actor=maker)
    with pytest.raises(WrongState, match="public already"):
        services.enter(bounty_id=bounty.id, maker=maker, version=version.pk)

    assert not Entry.objects.exists()


def test_a_version_is_on_offer_once() -> None:
    first, second = make.bounty(), make.bounty()
    entry = make.entry(first)
    assert entry.version is not None

    for bounty in (first, second):
        with pytest.raises(Duplicate, match="on offer in a bounty already"):
            services.enter(bounty_id=bounty.id, maker=entry.maker, version=entry.version.pk)

    assert Entry.objects.count() == 1
    services.withdraw(bounty_id=first.id, entry_id=entry.id, actor=entry.maker)
    again = services.enter(bounty_id=second.id, maker=entry.maker, version=entry.version.pk)
    assert again.status == "submitted"


def test_a_maker_has_at_most_five_entries() -> None:
    bounty, maker = make.bounty(kind="images"), accounts.user("maker")
    shown = make.picture(maker).id
    for _ in range(5):
        make.entry(bounty, maker, image_ids=[shown])

    with pytest.raises(WrongState, match="You have 5 entries"):
        make.entry(bounty, maker, image_ids=[shown])

    assert Entry.objects.count() == 5


def test_withdrawing_frees_the_version_and_hides_the_pictures() -> None:
    bounty = make.bounty()
    entry = make.entry(bounty)
    with pytest.raises(NotOwner):
        services.withdraw(bounty_id=bounty.id, entry_id=entry.id, actor=bounty.owner)

    services.withdraw(bounty_id=bounty.id, entry_id=entry.id, actor=entry.maker)

    entry = Entry.objects.get()
    assert entry.status == "withdrawn"
    assert entry.version is not None
    assert entry.version.access == "public"
    assert {picture.visibility for picture in entry.pictures.all()} == {"private"}
    with pytest.raises(WrongState, match="withdrawn already"):
        services.withdraw(bounty_id=bounty.id, entry_id=entry.id, actor=entry.maker)


def test_weights_from_elsewhere_wait_unseen_until_they_are_cleared() -> None:
    bounty, maker = make.bounty(), accounts.user("maker")
    version = catalog.quarantined(maker)
    sample = make.picture(maker)

    entry = services.enter(
        bounty_id=bounty.id, maker=maker, version=version.pk, image_ids=[sample.id]
    )

    assert (entry.status, entry.review_reason) == ("screening", "quarantined")
    assert not Entry.objects.visible_to(bounty.owner).exists()
    assert not Entry.objects.visible_to(None).exists()
    assert Media.objects.get(pk=sample.id).visibility == "private"
    with pytest.raises(WrongState, match="in review"):
        services.award(bounty_id=bounty.id, entry_id=entry.id, actor=bounty.owner)

    catalog_services.clear_version(version_id=version.pk, actor=accounts.staff())
    outbox.deliver()

    entry.refresh_from_db()
    assert (entry.status, entry.review_reason) == ("submitted", "")
    version.refresh_from_db()
    assert version.access == "locked"
    assert Entry.objects.visible_to(None).exists()


def test_files_become_a_draft_that_waits_for_review() -> None:
    bounty, maker = make.bounty(), accounts.user("maker")
    sample = make.picture(maker)
    upload = catalog.upload(maker)

    entry = services.enter(
        bounty_id=bounty.id, maker=maker, upload_ids=[upload.pk], image_ids=[sample.id]
    )

    assert entry.status == "screening"
    assert entry.version is not None
    assert (entry.version.clearance, entry.version.model.type) == ("quarantined", "LORA")


def test_refused_weights_turn_the_entry_away() -> None:
    bounty, maker = make.bounty(), accounts.user("maker")
    version = catalog.quarantined(maker)
    entry = services.enter(
        bounty_id=bounty.id, maker=maker, version=version.pk, image_ids=[make.picture(maker).id]
    )

    catalog_services.refuse_version(
        version_id=version.pk, actor=accounts.staff(), reason="It draws a person."
    )
    outbox.deliver()

    entry.refresh_from_db()
    assert entry.status == "rejected"
    line = bounty.events.order_by("id").last()
    assert (line.kind, line.note) == ("entry_refused", "It draws a person.")


def test_staff_remove_an_entry_with_its_pictures() -> None:
    bounty = make.bounty()
    entry = make.entry(bounty)
    with pytest.raises(Forbidden):
        services.remove_entry(entry_id=entry.id, actor=bounty.owner, reason="I dislike it.")

    services.remove_entry(entry_id=entry.id, actor=accounts.staff(), reason="Stolen pictures.")

    entry.refresh_from_db()
    assert entry.status == "rejected"
    assert {picture.visibility for picture in entry.pictures.all()} == {"hidden"}
    with pytest.raises(WrongState):
        services.award(bounty_id=bounty.id, entry_id=entry.id, actor=bounty.owner)


def test_a_refused_description_leaves_nothing_behind() -> None:
    bounty, maker = make.bounty(), accounts.user("maker")
    version = catalog.trained(maker, sample_media_ids=[make.picture(maker).id])

    with pytest.raises(LikenessConsentRequired):
        services.enter(
            bounty_id=bounty.id,
            maker=maker,
            version=version.pk,
            description="Also a LoRA of my ex wife, the same person in all pictures.",
        )

    assert not Entry.objects.exists()
    version.refresh_from_db()
    assert version.access == "public"
    assert Bounty.objects.get().status == "open"
