"""Entries: submitting work, taking it back, and what review does to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from atelier.accounts import services as accounts
from atelier.bounties import briefs, locks, screening, staff, states, timeline, works
from atelier.bounties.errors import DeadlinePassed, OwnBounty
from atelier.bounties.models import Bounty, Entry, Picture
from atelier.bounties.rules import (
    LIVE_ENTRY,
    MAX_DESCRIPTION,
    MAX_LIVE_ENTRIES_PER_MAKER,
    MAX_REASON,
    MODEL_TYPES,
    EntryStatus,
    EventKind,
    Kind,
    Status,
)
from atelier.core import clock, markdown
from atelier.core.db import locking
from atelier.core.errors import (
    Busy,
    DomainError,
    Duplicate,
    Invalid,
    NotFound,
    NotOwner,
    WrongState,
)
from atelier.core.ids import new_id
from atelier.media import services as media

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atelier.accounts.models import User
    from atelier.catalog.models import ModelVersion
    from atelier.media.models import Media

HELD = "held"
QUARANTINED = "quarantined"


def enter(
    *,
    bounty_id: str,
    maker: User,
    description: str = "",
    version: int | str | None = None,
    upload_ids: Sequence[str] = (),
    image_ids: Sequence[str] = (),
) -> Entry:
    """Submits work: pictures that all may see, and a version whose files stay locked until paid.

    Without pictures of its own an entry shows the version's samples. Weights from elsewhere, and
    what the decision doubts, wait in review unseen.
    """
    accounts.require_active(maker)
    words = briefs.text("description", description, most=MAX_DESCRIPTION)
    bounty = Bounty.objects.visible_to(maker).filter(pk=bounty_id).first()
    if bounty is None:
        raise NotFound(locks.GONE)
    _require_enterable(bounty, maker)
    work = _work(
        bounty, maker, version=version, upload_ids=upload_ids, image_ids=image_ids, words=words
    )
    pictures = _pictures(maker, image_ids, work)
    entry = Entry(
        id=new_id("ent"),
        bounty=bounty,
        maker=maker,
        description=words,
        description_html=markdown.render(words),
        version=work,
        status=EntryStatus.SUBMITTED,
        created_at=clock.now(),
    )
    is_quarantined = work is not None and not works.is_cleared(work)
    decision = screening.entry(
        bounty=bounty,
        entry_id=entry.id,
        maker=maker,
        description=words,
        version=None if is_quarantined else work,
        pictures=pictures,
    )
    entry.decision_id = decision.id
    waits_for = [HELD] if screening.is_held(decision) else []
    if is_quarantined:
        waits_for.append(QUARANTINED)
    if waits_for:
        entry.status = EntryStatus.SCREENING
        entry.review_reason = ",".join(waits_for)
    with locking():
        locked = locks.visible_bounty(bounty_id, maker)
        _require_enterable(locked, maker)
        entry.bounty = locked
        _insert(entry)
        Picture.objects.bulk_create(
            Picture(entry=entry, media=picture, position=position)
            for position, picture in enumerate(pictures)
        )
        if work is not None and QUARANTINED not in waits_for:
            works.claim(work, maker=maker)
        if not waits_for:
            _announce(entry)
    return entry


def _require_enterable(bounty: Bounty, maker: User) -> None:
    if bounty.owner_id == maker.pk:
        raise OwnBounty("This bounty is yours. Nobody enters, or pays, themselves.")
    if not bounty.is_entered_in_time or bounty.status == Status.JUDGING:
        raise DeadlinePassed("The deadline has passed, so no more entries are taken.")
    states.require(bounty, Status.OPEN, what="entered")
    if bounty.contributions.filter(contributor=maker).exists():
        raise OwnBounty("You have put Sparks in this bounty, so you cannot enter it.")
    mine = bounty.entries.filter(maker=maker, status__in=LIVE_ENTRY).count()
    if mine >= MAX_LIVE_ENTRIES_PER_MAKER:
        raise WrongState(
            f"You have {MAX_LIVE_ENTRIES_PER_MAKER} entries in this bounty, which is the most. "
            "Withdraw one to enter another."
        )


def _work(
    bounty: Bounty,
    maker: User,
    *,
    version: int | str | None,
    upload_ids: Sequence[str],
    image_ids: Sequence[str],
    words: str,
) -> ModelVersion | None:
    if version is not None and upload_ids:
        raise Invalid.field("files", "come instead of a version, not beside one")
    if version is not None:
        found = works.find(version, bounty=bounty, maker=maker)
        _refuse_offered(found)
        return found
    if not upload_ids:
        if bounty.kind in MODEL_TYPES:
            raise Invalid.field(
                "version",
                f"is missing: this bounty asks for a {Kind(bounty.kind).label}, so name a version "
                "of yours, or send files",
            )
        return None
    # Everything that can be refused without the files is refused before a draft is made of them.
    pictures = _pictures(maker, image_ids, None)
    screening.entry(
        bounty=bounty,
        entry_id=new_id("ent"),
        maker=maker,
        description=words,
        version=None,
        pictures=pictures,
    )
    return works.from_uploads(upload_ids, bounty=bounty, maker=maker, description=words)


def _pictures(maker: User, image_ids: Sequence[str], work: ModelVersion | None) -> list[Media]:
    ids = list(image_ids)
    if not ids and work is not None:
        ids = list(work.sample_media_ids)
    if not ids:
        raise Invalid.field("images", "must show at least one picture of the work")
    return briefs.pictures(owner=maker, ids=ids)


_OFFERED = "This version is on offer in a bounty already. Withdraw it there, or enter another one."


def _refuse_offered(version: ModelVersion) -> None:
    offered = Entry.objects.filter(version=version, status__in=LIVE_ENTRY | {EntryStatus.AWARDED})
    if offered.exists():
        raise Duplicate(_OFFERED)


def _insert(entry: Entry) -> None:
    try:
        entry.save(force_insert=True)
    except IntegrityError as problem:
        # The only unique rule that two requests can race for: a version is on offer once.
        raise Duplicate(_OFFERED) from problem


def _announce(entry: Entry) -> None:
    """The entry is there for all to see."""
    media.publish(media_ids=list(entry.picture_rows.values_list("media_id", flat=True)))
    timeline.record(entry.bounty, EventKind.ENTERED, actor=entry.maker, entry=entry)
    timeline.publish(
        timeline.ENTERED,
        entry.bounty,
        actor=entry.maker,
        recipients={entry.bounty.owner_id},
        entry_id=entry.id,
    )


def withdraw(*, bounty_id: str, entry_id: str, actor: User) -> Entry:
    """A maker takes an entry back while nobody has paid for it; its files are theirs alone."""
    accounts.require_active(actor)
    with locking():
        bounty = locks.visible_bounty(bounty_id, actor)
        entry = locks.entry_of(bounty, entry_id)
        if entry.maker_id != actor.pk:
            raise NotOwner("Only its maker can withdraw an entry.")
        if entry.status not in LIVE_ENTRY:
            raise WrongState(f"This entry is {EntryStatus(entry.status).label.lower()} already.")
        states.require(bounty, Status.OPEN, Status.JUDGING, what="left now")
        if entry.paid_sparks:
            raise WrongState("Somebody has paid for this entry, so it stays.")
        was_shown = entry.status == EntryStatus.SUBMITTED
        entry.status = EntryStatus.WITHDRAWN
        entry.decided_at = clock.now()
        entry.save(update_fields=["status", "decided_at"])
        works.release(entry)
        if was_shown:
            media.unpublish(media_ids=list(entry.picture_rows.values_list("media_id", flat=True)))
            timeline.record(bounty, EventKind.ENTRY_WITHDRAWN, actor=actor, entry=entry)
    return entry


def open_screened_entry(*, entry_id: str, actor: User) -> Entry:
    """Staff looked at an entry in review and let it in; its file must be cleared as well."""
    staff.require(actor)
    with locking():
        entry = _locked_entry(entry_id)
        if entry.status != EntryStatus.SCREENING:
            raise WrongState("This entry is not in review.")
        if entry.version is not None and not works.is_cleared(entry.version):
            raise WrongState("Clear the weights of this entry first; it opens by itself then.")
        entry.reviewed_at = clock.now()
        _submit(entry)
    return entry


def refuse_screened_entry(*, entry_id: str, actor: User, reason: str) -> Entry:
    """Staff looked at an entry in review and keep it out; its maker reads why."""
    staff.require(actor)
    words = briefs.text("reason", reason, most=MAX_REASON, required=True)
    with locking():
        entry = _locked_entry(entry_id)
        if entry.status != EntryStatus.SCREENING:
            raise WrongState("This entry is not in review.")
        _turn_away(entry, EventKind.ENTRY_REFUSED, actor=actor, note=words)
    return entry


def remove_entry(*, entry_id: str, actor: User, reason: str) -> Entry:
    """Staff take an entry down, pictures and all. What was paid for it stays paid."""
    staff.require(actor)
    words = briefs.text("reason", reason, most=MAX_REASON, required=True)
    with locking():
        entry = _locked_entry(entry_id)
        if entry.status not in LIVE_ENTRY | {EntryStatus.REJECTED}:
            raise WrongState(f"This entry is {EntryStatus(entry.status).label.lower()}.")
        media.hide(media_ids=list(entry.picture_rows.values_list("media_id", flat=True)))
        _turn_away(entry, EventKind.ENTRY_REMOVED, actor=actor, note=words)
    return entry


def release_cleared(*, version_id: int, refused_because: str = "") -> None:
    """The catalog decided on weights from elsewhere: entries that waited for it go in, or out.

    One whose words wait for a person as well goes in when staff open it.
    """
    waiting = Entry.objects.filter(version_id=version_id, status=EntryStatus.SCREENING)
    for entry_id in waiting.values_list("pk", flat=True):
        with locking():
            entry = _locked_entry(entry_id)
            if entry.status != EntryStatus.SCREENING:
                continue
            if refused_because:
                _turn_away(entry, EventKind.ENTRY_REFUSED, actor=None, note=refused_because)
            elif HELD not in entry.review_reason:
                _submit(entry)


def _locked_entry(entry_id: str) -> Entry:
    bounty_id = Entry.objects.filter(pk=entry_id).values_list("bounty_id", flat=True).first()
    if bounty_id is None:
        raise NotFound("There is no such entry.")
    return locks.entry_of(locks.bounty(bounty_id), entry_id)


def _submit(entry: Entry) -> None:
    """From review to submitted, if the bounty still takes it and the version is still free."""
    bounty = entry.bounty
    if bounty.status not in {Status.OPEN, Status.JUDGING}:
        note = "The bounty ended while this entry was in review."
        _turn_away(entry, EventKind.ENTRY_REFUSED, actor=None, note=note)
        return
    try:
        with transaction.atomic():
            if entry.version is not None and QUARANTINED in entry.review_reason:
                works.claim(entry.version, maker=entry.maker)
            screening.award(bounty=bounty, entry=entry, actor=None)
    except Busy:
        raise
    except DomainError as refusal:
        _turn_away(entry, EventKind.ENTRY_REFUSED, actor=None, note=refusal.detail)
        return
    entry.status = EntryStatus.SUBMITTED
    entry.review_reason = ""
    entry.save(update_fields=["status", "review_reason", "reviewed_at"])
    _announce(entry)


def _turn_away(entry: Entry, kind: EventKind, *, actor: User | None, note: str) -> None:
    states.reject(entry)
    works.release(entry)
    timeline.record(entry.bounty, kind, actor=actor, entry=entry, note=note)
