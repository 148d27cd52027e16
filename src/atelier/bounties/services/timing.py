"""What time does to a bounty: each state that is not final ends by itself."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import transaction

from atelier.bounties import locks, money, screening, states, timeline, works
from atelier.bounties.models import Bounty
from atelier.bounties.rules import (
    JUDGING,
    LATE,
    LIVE_ENTRY,
    EntryStatus,
    EventKind,
    Judge,
    Rule,
    Status,
)
from atelier.bounties.services.judging import answer_dispute
from atelier.core import clock
from atelier.core.db import locking
from atelier.core.errors import Busy, DomainError, NotFound

if TYPE_CHECKING:
    from atelier.bounties.models import Entry

log = logging.getLogger(__name__)
BATCH = 200


def sweep() -> int:
    """Acts on every bounty whose timer is up; answers how many changed.

    One that fails is left for the next sweep and does not stop those behind it.
    """
    due = Bounty.objects.due(clock.now()).order_by("due_at").values_list("pk", flat=True)
    changed = 0
    for bounty_id in list(due[:BATCH]):
        try:
            changed += tick(bounty_id=bounty_id)
        except Busy:
            continue
        except Exception:
            log.exception("the timer of %s failed", bounty_id)
    return changed


def tick(*, bounty_id: str) -> bool:
    """Does what a bounty's timer says, if it is up; answers whether anything changed."""
    with locking():
        try:
            bounty = locks.bounty(bounty_id)
        except NotFound:
            return False
        if bounty.due_at is None or clock.now() < bounty.due_at:
            return False
        match bounty.status:
            case Status.OPEN:
                _end_of_entering(bounty)
            case Status.JUDGING:
                _apply_rule(bounty)
            case Status.DISPUTED:
                # Staff let their time pass: the rule that everybody knew applies.
                answer_dispute(bounty, outcome="lapsed", answer="", actor=None)
                _apply_rule(bounty)
            case Status.AWARDED:
                states.close(bounty, Status.SETTLED, reason="awarded")
            case Status.FROZEN:
                answer_dispute(bounty, outcome="lapsed", answer="", actor=None)
                states.close_by_refund(bounty, reason="freeze_ended")
            case _:
                # Review took longer than the deadline: nothing was commissioned.
                states.close(bounty, Status.CANCELLED, reason="not_reviewed_in_time")
    return True


def _end_of_entering(bounty: Bounty) -> None:
    if not bounty.entries.filter(status__in=LIVE_ENTRY).exists():
        states.close_by_refund(bounty, reason="no_entries")
        return
    now = clock.now()
    started = bounty.deadline if now - bounty.deadline < LATE else now
    bounty.judging_ends_at = started + JUDGING
    states.move(bounty, Status.JUDGING, due_at=bounty.judging_ends_at)
    timeline.record(bounty, EventKind.JUDGING)
    timeline.publish(timeline.JUDGING, bounty, recipients=timeline.people_of(bounty))


def _apply_rule(bounty: Bounty) -> None:
    """Judging ended without an award: what was declared at the start happens."""
    if bounty.rule == Rule.SPLIT_SHORTLIST:
        chosen = _shortlisted(bounty)
        pool = [one for one in money.held(bounty) if one.judge == Judge.CREATOR]
        if chosen and pool:
            _split(bounty, chosen)
            states.close(bounty, Status.SETTLED, reason="split_shortlist")
            return
    states.close_by_refund(bounty, reason="rule_refund")


def _shortlisted(bounty: Bounty) -> list[Entry]:
    """Entries that somebody with a stake marked and that may still win, first submitted first."""
    marked = (
        bounty.entries.filter(status=EntryStatus.SUBMITTED, shortlistings__isnull=False)
        .distinct()
        .order_by("created_at", "id")
    )
    allowed = []
    for entry in marked:
        entry.bounty = bounty
        try:
            with transaction.atomic():
                screening.award(bounty=bounty, entry=entry, actor=None)
        except Busy:
            raise
        except DomainError:
            continue
        allowed.append(entry)
    return allowed


def shares(total: int, count: int) -> list[int]:
    """Equal whole shares; what does not divide goes, a Spark each, to the first."""
    each, left = divmod(total, count)
    return [each + (1 if place < left else 0) for place in range(count)]


def _split(bounty: Bounty, chosen: list[Entry]) -> None:
    """All stakes whose judge was the creator, shared equally; the files go to all who paid."""
    pool = [one for one in money.held(bounty) if one.judge == Judge.CREATOR]
    now = clock.now()
    for entry in chosen:
        entry.status = EntryStatus.AWARDED
        entry.decided_at = now
        entry.save(update_fields=["status", "decided_at"])
        _publish_if_allowed(bounty, entry)
        works.hand_over(entry, to=[one.contributor for one in pool])
    money.lock_for(pool, *(entry.maker_id for entry in chosen))
    owed = shares(sum(one.amount_sparks for one in pool), len(chosen))
    place = 0
    for one in pool:
        left = one.amount_sparks
        transfer_id = ""
        while left:
            part = min(left, owed[place])
            transfer_id = money.pay_part(one, entry=chosen[place], amount=part, actor=None)
            left -= part
            owed[place] -= part
            if not owed[place]:
                place += 1
        money.mark_paid(one, transfer_id)
    for entry in chosen:
        timeline.record(bounty, EventKind.AWARDED, entry=entry, amount=entry.paid_sparks)


def _publish_if_allowed(bounty: Bounty, entry: Entry) -> None:
    """A share is owed even where its model may not be shown to everybody."""
    try:
        with transaction.atomic():
            published = works.publish(entry)
    except Busy:
        raise
    except DomainError as refusal:
        log.warning("%s was paid and not published: %s", entry.id, refusal.detail)
        return
    if published is not None:
        note = str(published.pk)
        timeline.record(bounty, EventKind.PUBLISHED, actor=entry.maker, entry=entry, note=note)
