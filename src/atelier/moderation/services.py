"""Reporting, and deciding with a reason that the person concerned reads."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.db import IntegrityError, connection, transaction

from atelier.accounts import services as accounts
from atelier.accounts.models import User
from atelier.bounties import services as bounties
from atelier.catalog import services as catalog
from atelier.core import clock, outbox
from atelier.core.errors import Forbidden, Invalid, WrongState
from atelier.gallery import services as gallery
from atelier.moderation import queries, targets
from atelier.moderation.errors import AlreadyReported, OwnContent
from atelier.moderation.models import (
    MAX_DETAILS,
    MAX_REASON,
    RESTRICTIONS,
    ActionKind,
    ModerationDecision,
    Report,
    ReportReason,
    ReportStatus,
    Rule,
    StatementOfReasons,
)
from atelier.social import services as social

if TYPE_CHECKING:
    from collections.abc import Callable

    from atelier.moderation.targets import Target

MAX_CONTACT = 254
APPEAL_WITHIN = dt.timedelta(days=183)


def report(
    *,
    reporter: User | None,
    kind: str = "",
    target_id: str = "",
    link: str = "",
    reason: str,
    details: str = "",
    contact: str = "",
) -> Report:
    """Say that something here breaks a rule, with or without an account.

    Name the thing by kind and id, or by its link. Raises :class:`AlreadyReported` while one's own
    report of the same thing is open.
    """
    if reason not in ReportReason.values:
        raise Invalid.field("reason", f"must be one of {', '.join(ReportReason.values)}")
    if len(details) > MAX_DETAILS:
        raise Invalid.field("details", f"must be at most {MAX_DETAILS:,} characters")
    if len(contact) > MAX_CONTACT:
        raise Invalid.field("contact", f"must be at most {MAX_CONTACT} characters")
    if reason == ReportReason.OTHER and not details.strip():
        raise Invalid.field("details", "must say what is wrong")
    target = (
        targets.by_link(link) if link and not kind else targets.find(kind=kind, target_id=target_id)
    )
    targets.require_visible(target=target, viewer=reporter)
    if reporter is not None and target.owner == reporter:
        raise Invalid.field("target", "is your own; you can delete it yourself")
    try:
        with transaction.atomic():
            return Report.objects.create(
                reporter=reporter,
                contact=contact.strip(),
                target_kind=target.kind,
                target_id=target.id,
                reason=reason,
                details=details.strip(),
            )
    except IntegrityError as problem:
        raise AlreadyReported(
            "Your report of this is waiting for a person to look at it."
        ) from problem


def act(
    *,
    actor: User,
    action: str,
    kind: str,
    target_id: str,
    reason: str,
    rule: str,
    until: dt.datetime | None = None,
) -> ModerationDecision:
    """Staff decide: the act, the record, the statement of reasons and the news, all or nothing.

    Open reports of the thing are answered by it. Raises :class:`Forbidden` for who is not staff,
    :class:`OwnContent` for one's own, :class:`WrongState` where the act does not fit.
    """
    require_staff(actor)
    act_kind, rule_kind, words = _checked(action, rule, reason)
    with transaction.atomic():
        _one_at_a_time(kind, target_id)
        target = targets.find(kind=kind, target_id=target_id)
        if target.owner is not None and target.owner.pk == actor.pk:
            raise OwnContent("This is your own. Somebody else of the staff decides about it.")
        appeals = queries.open_appeals(target=target)
        _require_fresh_eyes(actor, target, appeals)
        if act_kind != ActionKind.DISMISS:
            if act_kind not in target.actions:
                raise WrongState(
                    f"This {target.word} is {target.status}, so “{act_kind.label}” does not apply."
                )
            _carry_out(target, act_kind, actor=actor, reason=words, until=until)
        decision = ModerationDecision.objects.create(
            action=act_kind,
            target_kind=target.kind,
            target_id=target.id,
            target_owner=target.owner,
            actor=actor,
            rule=rule_kind,
            reason=words,
            until=until,
        )
        answered = _answer_reports(decision)
        _answer_appeals(decision, appeals)
        if target.owner is not None and act_kind != ActionKind.DISMISS:
            _state(decision, target, reported=answered > 0)
        outbox.publish(
            "moderation.decided",
            {
                "decision_id": decision.id,
                "action": act_kind,
                "target_kind": target.kind,
                "target_id": target.id,
            },
        )
    return decision


def _one_at_a_time(kind: str, target_id: str) -> None:
    """Two of the staff who decide about one thing do it one after the other."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [f"{kind}:{target_id}"]
        )


def require_staff(actor: User) -> None:
    """Raises unless the actor is staff in good standing."""
    if not actor.is_staff or not actor.is_active or actor.is_suspended:
        raise Forbidden("Only staff may do this.")


def _checked(action: str, rule: str, reason: str) -> tuple[ActionKind, Rule, str]:
    if action not in ActionKind.values:
        raise Invalid.field("action", f"must be one of {', '.join(ActionKind.values)}")
    if rule not in Rule.values:
        raise Invalid.field("rule", f"must be one of {', '.join(Rule.values)}")
    words = reason.strip()
    if not words:
        raise Invalid.field("reason", "must say why; the person concerned reads it")
    if len(words) > MAX_REASON:
        raise Invalid.field("reason", f"must be at most {MAX_REASON:,} characters")
    if action not in RESTRICTIONS:
        return ActionKind(action), Rule.NONE, words
    if rule == Rule.NONE:
        raise Invalid.field("rule", "must name the rule that was broken")
    return ActionKind(action), Rule(rule), words


def _carry_out(
    target: Target,
    action: ActionKind,
    *,
    actor: User,
    reason: str,
    until: dt.datetime | None,
) -> None:
    steps: dict[tuple[str, ActionKind], Callable[[], object]] = {
        ("image", ActionKind.HIDE): lambda: gallery.hide_image(image_id=int(target.id)),
        ("image", ActionKind.UNHIDE): lambda: gallery.unhide_image(image_id=int(target.id)),
        ("image", ActionKind.REMOVE): lambda: gallery.remove_image(image_id=int(target.id)),
        ("post", ActionKind.HIDE): lambda: gallery.hide_post(post_id=int(target.id)),
        ("post", ActionKind.UNHIDE): lambda: gallery.unhide_post(post_id=int(target.id)),
        ("post", ActionKind.REMOVE): lambda: gallery.remove_post(post_id=int(target.id)),
        ("model", ActionKind.HIDE): lambda: catalog.hide_model(model_id=int(target.id)),
        ("model", ActionKind.UNHIDE): lambda: catalog.unhide_model(model_id=int(target.id)),
        ("model", ActionKind.REMOVE): lambda: catalog.remove_model(model_id=int(target.id)),
        ("version", ActionKind.CLEAR): lambda: catalog.clear_version(
            version_id=int(target.id), actor=actor
        ),
        ("version", ActionKind.REFUSE): lambda: catalog.refuse_version(
            version_id=int(target.id), actor=actor, reason=reason
        ),
        ("comment", ActionKind.HIDE): lambda: social.hide_comment(
            comment_id=target.id, actor=actor
        ),
        ("comment", ActionKind.UNHIDE): lambda: social.unhide_comment(
            comment_id=target.id, actor=actor
        ),
        ("comment", ActionKind.REMOVE): lambda: social.hide_comment(
            comment_id=target.id, actor=actor, remove=True
        ),
        ("bounty", ActionKind.HIDE): lambda: bounties.freeze(
            bounty_id=target.id, actor=actor, reason=reason
        ),
        ("bounty", ActionKind.UNHIDE): lambda: bounties.unfreeze(bounty_id=target.id, actor=actor),
        ("bounty", ActionKind.REMOVE): lambda: bounties.refund_frozen(
            bounty_id=target.id, actor=actor, reason=reason
        ),
        ("bounty", ActionKind.OPEN): lambda: bounties.open_screened(
            bounty_id=target.id, actor=actor
        ),
        ("bounty", ActionKind.REFUSE): lambda: bounties.refuse_screened(
            bounty_id=target.id, actor=actor, reason=reason
        ),
        ("entry", ActionKind.OPEN): lambda: bounties.open_screened_entry(
            entry_id=target.id, actor=actor
        ),
        ("entry", ActionKind.REFUSE): lambda: bounties.refuse_screened_entry(
            entry_id=target.id, actor=actor, reason=reason
        ),
        ("entry", ActionKind.REMOVE): lambda: bounties.remove_entry(
            entry_id=target.id, actor=actor, reason=reason
        ),
        ("user", ActionKind.SUSPEND): lambda: accounts.suspend(
            user=_owner(target), actor=actor, reason=reason, until=until
        ),
        ("user", ActionKind.UNSUSPEND): lambda: accounts.unsuspend(
            user=_owner(target), actor=actor
        ),
    }
    steps[target.kind, action]()


def _owner(target: Target) -> User:
    if target.owner is None:
        raise WrongState("Nobody owns this.")
    return target.owner


def _answer_reports(decision: ModerationDecision) -> int:
    """Every open report of the thing is answered by this decision."""
    rows = list(
        Report.objects.select_for_update(no_key=True).filter(
            target_kind=decision.target_kind,
            target_id=decision.target_id,
            status=ReportStatus.OPEN,
        )
    )
    acted = decision.action in RESTRICTIONS
    status = ReportStatus.ACTED if acted else ReportStatus.DISMISSED
    text = (
        "Your report was right: we acted on it. Thank you."
        if acted
        else "We looked at your report and found no rule broken."
    )
    for row in rows:
        row.status = status
        row.decision = decision
        row.decided_at = decision.created_at
        row.save(update_fields=["status", "decision", "decided_at"])
        if row.reporter_id is not None:
            outbox.publish(
                "moderation.answered",
                {"report_id": row.id, "user_id": row.reporter_id, "text": text},
            )
    return len(rows)


_EFFECTS = {
    ActionKind.HIDE: "Your {word} “{title}” is hidden: nobody but staff can see it.",
    ActionKind.UNHIDE: "Your {word} “{title}” is back as it was.",
    ActionKind.REMOVE: "Your {word} “{title}” was removed for good.",
    ActionKind.SUSPEND: "Your account is suspended: you can read, but not change anything.",
    ActionKind.UNSUSPEND: "Your account is no longer suspended.",
    ActionKind.CLEAR: "Your {word} “{title}” was examined and cleared.",
    ActionKind.REFUSE: "Your {word} “{title}” was refused.",
    ActionKind.OPEN: "Your {word} “{title}” was reviewed and is open.",
}
REDRESS = (
    "If you think this is wrong, you can ask for another look on this page, free of charge and for "
    "six months. Somebody who did not decide it answers. You can also turn to an out-of-court "
    "dispute body or a court."
)


def _state(decision: ModerationDecision, target: Target, *, reported: bool) -> None:
    """Tell the person concerned: with all reasons for a restriction, in a line for a relief."""
    action = ActionKind(decision.action)
    effect = _EFFECTS[action].format(word=target.word, title=target.title[:80])
    statement = StatementOfReasons.objects.create(
        decision=decision,
        recipient=_owner(target),
        restriction=effect[:200],
        duration=_duration(decision),
        facts=decision.reason,
        source="A report" if reported else "The staff's own look",
        rule=Rule(decision.rule).label,
        redress=REDRESS if action in RESTRICTIONS else "",
    )
    outbox.publish(
        "moderation.stated",
        {
            "statement_id": statement.id,
            "user_id": statement.recipient_id,
            "text": effect,
            "link": f"/cases/{statement.id}",
        },
    )


def _duration(decision: ModerationDecision) -> str:
    if decision.action not in RESTRICTIONS:
        return "None"
    if decision.until is not None:
        return f"Until {decision.until:%d %B %Y, %H:%M} UTC"
    if decision.action in {ActionKind.REMOVE, ActionKind.REFUSE}:
        return "For good, unless another look finds otherwise"
    return "Until staff decide otherwise"


def appeal(
    *, statement_id: str, actor: User | None, secret: str = "", words: str
) -> StatementOfReasons:
    """The person concerned asks for another look, once and within six months."""
    text = words.strip()
    if not 1 <= len(text) <= MAX_REASON:
        raise Invalid.field("words", f"must be 1 to {MAX_REASON:,} characters")
    with transaction.atomic():
        found = queries.statement_for(statement_id=statement_id, viewer=actor, secret=secret)
        concerned = actor is not None and actor.pk == found.recipient_id
        if not concerned and not secret:
            raise Forbidden("Only the person concerned can ask for another look.")
        row = StatementOfReasons.objects.select_for_update(no_key=True).get(pk=found.pk)
        now = clock.now()
        if not row.redress:
            raise WrongState("This decision takes nothing from you.")
        if row.appealed_at is not None:
            raise WrongState("You asked for another look already.")
        if row.created_at < now - APPEAL_WITHIN:
            raise WrongState("This decision is more than six months old.")
        row.appeal_words = text
        row.appealed_at = now
        row.save(update_fields=["appeal_words", "appealed_at"])
    return row


def _require_fresh_eyes(actor: User, target: Target, appeals: list[StatementOfReasons]) -> None:
    """Another look is somebody else's, wherever the site has somebody else."""
    if not any(row.decision.actor_id == actor.pk for row in appeals):
        return
    owner_id = target.owner.pk if target.owner else None
    others = User.objects.filter(is_staff=True, is_active=True, suspended_at=None).exclude(
        pk__in=[actor.pk, owner_id]
    )
    if others.exists():
        raise OwnContent("You made the decision that is looked at again. Somebody else answers.")


def _answer_appeals(decision: ModerationDecision, appeals: list[StatementOfReasons]) -> None:
    for row in appeals:
        StatementOfReasons.objects.filter(pk=row.pk).update(appeal_answered_at=decision.created_at)
        stands = decision.action == ActionKind.DISMISS
        outbox.publish(
            "moderation.appeal_answered",
            {
                "statement_id": row.id,
                "user_id": row.recipient_id,
                "text": "We looked again at our decision: "
                + ("it stands. " if stands else "it was changed. ")
                + decision.reason,
            },
        )


def mark_read(*, statement: StatementOfReasons) -> None:
    """The person concerned has seen it."""
    StatementOfReasons.objects.filter(pk=statement.pk, read_at=None).update(read_at=clock.now())
