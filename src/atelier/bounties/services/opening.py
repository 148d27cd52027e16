"""The creator's own acts: to open a bounty, change its words, give it more time, call it off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atelier.accounts import services as accounts
from atelier.bounties import briefs, locks, money, screening, states, timeline
from atelier.bounties.errors import DeadlinePassed, TooManyOpen
from atelier.bounties.models import Bounty, Reference
from atelier.bounties.rules import (
    LIVE_ENTRY,
    NEWCOMER,
    NEWCOMER_OPEN_BOUNTIES,
    RUNNING,
    EventKind,
    Rule,
    Status,
)
from atelier.core import clock, markdown
from atelier.core.db import locking
from atelier.core.errors import Invalid, NotFound, WrongState
from atelier.core.ids import new_id
from atelier.ledger import queries as ledger_queries
from atelier.ledger.errors import InsufficientSparks
from atelier.media import services as media

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from atelier.accounts.models import User
    from atelier.media.models import Media


def create(
    *,
    owner: User,
    title: str,
    description: str,
    kind: str,
    amount: int,
    deadline: dt.datetime,
    image_ids: Sequence[str] = (),
    tags: Sequence[str] = (),
    rule: str = Rule.REFUND,
) -> Bounty:
    """Opens a commission; its stake moves into escrow in the same transaction.

    What the decision doubts is stored in review, invisible and unpaid, until staff open it. What it
    refuses leaves nothing behind.
    """
    accounts.require_active(owner)
    brief = briefs.brief(title=title, description=description, tags=tags)
    sparks = briefs.amount(amount)
    bounty = Bounty(
        id=new_id("bty"),
        owner=owner,
        title=brief.title,
        description=brief.description,
        description_html=markdown.render(brief.description),
        kind=briefs.kind(kind),
        rule=briefs.rule(rule),
        tags=brief.tags,
        amount_sparks=sparks,
        deadline=briefs.deadline(deadline),
        status=Status.SCREENING,
        created_at=clock.now(),
    )
    pictures = briefs.pictures(owner=owner, ids=image_ids)
    bounty.rating = briefs.rating_of(pictures)
    bounty.due_at = bounty.deadline
    decision = screening.opening(
        owner=owner, bounty_id=bounty.id, texts=brief.texts, pictures=pictures
    )
    bounty.decision_id = decision.id
    with locking():
        locks.openings_of(owner.pk)
        _refuse_too_many(owner)
        if ledger_queries.available(user_id=owner.pk) < sparks:
            raise InsufficientSparks(
                f"This bounty needs {sparks:,} Sparks and your wallet has "
                f"{ledger_queries.available(user_id=owner.pk):,}."
            )
        bounty.save(force_insert=True)
        _set_references(bounty, pictures)
        if screening.is_held(decision):
            states.arm(bounty)
            _send_to_review(bounty)
        else:
            open_now(bounty, actor=owner)
    return bounty


def _refuse_too_many(owner: User) -> None:
    is_newcomer = clock.now() - owner.date_joined < NEWCOMER
    if owner.created_by_operator or owner.is_staff or not is_newcomer:
        return
    running = Bounty.objects.filter(owner=owner, status__in=RUNNING).count()
    if running >= NEWCOMER_OPEN_BOUNTIES:
        raise TooManyOpen(
            f"In an account's first {NEWCOMER.days} days it can have one bounty running. Wait "
            "until your present one is over, or until your account is older."
        )


def open_now(bounty: Bounty, *, actor: User) -> None:
    """From review, or from nothing, to open. The caller holds the row."""
    stake = money.stake(bounty, contributor=bounty.owner, amount=bounty.amount_sparks)
    bounty.opened_at = clock.now()
    states.move(bounty, Status.OPEN, due_at=bounty.deadline)
    media.publish(media_ids=_reference_ids(bounty))
    timeline.record(
        bounty,
        EventKind.OPENED,
        actor=bounty.owner,
        contribution=stake,
        amount=stake.amount_sparks,
        transfer_id=stake.funding_transfer_id,
    )
    timeline.publish(
        timeline.OPENED,
        bounty,
        actor=actor,
        recipients={bounty.owner_id},
        amount=bounty.amount_sparks,
    )


def edit(
    *,
    bounty_id: str,
    actor: User,
    title: str | None = None,
    description: str | None = None,
    image_ids: Sequence[str] | None = None,
    tags: Sequence[str] | None = None,
) -> Bounty:
    """Changes what is asked for, as long as nobody has put work or Sparks on the words.

    The new words are decided like the first ones. Doubtful ones hide the bounty until staff looked.
    """
    accounts.require_active(actor)
    before = Bounty.objects.visible_to(actor).filter(pk=bounty_id).first()
    if before is None:
        raise NotFound(locks.GONE)
    states.require_owner(before, actor, what="change it")
    _require_editable(before)
    brief = briefs.brief(
        title=before.title if title is None else title,
        description=before.description if description is None else description,
        tags=before.tags if tags is None else tags,
    )
    ids = _reference_ids(before) if image_ids is None else list(image_ids)
    pictures = briefs.pictures(owner=actor, ids=ids)
    decision = screening.edit(bounty=before, texts=brief.texts, pictures=pictures)
    with locking():
        bounty = locks.visible_bounty(bounty_id, actor)
        states.require_owner(bounty, actor, what="change it")
        _require_editable(bounty)
        bounty.title = brief.title
        bounty.description = brief.description
        bounty.description_html = markdown.render(brief.description)
        bounty.tags = brief.tags
        bounty.rating = briefs.rating_of(pictures)
        bounty.decision_id = decision.id
        bounty.reviewed_at = None
        bounty.save()
        _set_references(bounty, pictures)
        timeline.record(bounty, EventKind.EDITED, actor=actor)
        if bounty.status == Status.OPEN:
            if screening.is_held(decision):
                bounty.previous_status = Status.OPEN
                states.move(bounty, Status.SCREENING, due_at=bounty.deadline)
                _send_to_review(bounty)
            else:
                media.publish(media_ids=_reference_ids(bounty))
    return bounty


def _require_editable(bounty: Bounty) -> None:
    states.require(bounty, Status.OPEN, Status.SCREENING, what="changed")
    _require_in_time(bounty)
    if bounty.entries.filter(status__in=LIVE_ENTRY).exists():
        raise WrongState(
            "Somebody has entered, so the words stay as they are. You can extend the deadline once."
        )
    if bounty.contributions.exclude(contributor_id=bounty.owner_id).exists():
        raise WrongState(
            "Others have put Sparks on these words, so the words stay as they are. You can extend "
            "the deadline once, or cancel, which gives everyone their Sparks back."
        )


def _require_in_time(bounty: Bounty) -> None:
    if not bounty.is_entered_in_time:
        raise DeadlinePassed("The deadline has passed, so nothing can be changed any more.")


def extend(*, bounty_id: str, actor: User, deadline: dt.datetime) -> Bounty:
    """Gives everybody more time, once."""
    accounts.require_active(actor)
    with locking():
        bounty = locks.visible_bounty(bounty_id, actor)
        states.require_owner(bounty, actor, what="extend it")
        states.require(bounty, Status.OPEN, what="extended")
        _require_in_time(bounty)
        if bounty.extended_at is not None:
            raise WrongState("The deadline was extended before; that can be done once.")
        later = briefs.deadline(deadline)
        if later <= bounty.deadline:
            raise Invalid.field("deadline", "must be later than the present one")
        before = bounty.deadline
        bounty.deadline = later
        bounty.extended_at = clock.now()
        states.move(bounty, Status.OPEN, due_at=later)
        note = f"{before:%Y-%m-%d %H:%M} UTC → {later:%Y-%m-%d %H:%M} UTC"
        timeline.record(bounty, EventKind.EXTENDED, actor=actor, note=note)
    return bounty


def cancel(*, bounty_id: str, actor: User) -> Bounty:
    """Calls a bounty off while nobody has entered; every stake goes back."""
    accounts.require_active(actor)
    with locking():
        bounty = locks.visible_bounty(bounty_id, actor)
        states.require_owner(bounty, actor, what="cancel it")
        states.require(bounty, Status.OPEN, Status.SCREENING, what="cancelled")
        if bounty.entries.filter(status__in=LIVE_ENTRY).exists():
            raise WrongState(
                "Somebody has entered, so this bounty cannot be cancelled. Award an entry, or let "
                "judging end: then the rule that you declared applies."
            )
        states.close(bounty, Status.CANCELLED, reason="by_creator", actor=actor)
    return bounty


def _send_to_review(bounty: Bounty) -> None:
    timeline.record(bounty, EventKind.SENT_TO_REVIEW, actor=bounty.owner)
    timeline.publish(timeline.HELD, bounty, actor=bounty.owner, recipients=set())


def _reference_ids(bounty: Bounty) -> list[str]:
    return list(bounty.reference_rows.order_by("position").values_list("media_id", flat=True))


def _set_references(bounty: Bounty, pictures: Sequence[Media]) -> None:
    bounty.reference_rows.all().delete()
    Reference.objects.bulk_create(
        Reference(bounty=bounty, media=picture, position=position)
        for position, picture in enumerate(pictures)
    )
