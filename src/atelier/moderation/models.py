"""Reports, decisions of staff, and the statement of reasons that each restriction comes with."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from atelier.core import clock
from atelier.core.ids import OpaqueIdField

MAX_DETAILS = 4000
MAX_REASON = 2000


def _secret() -> str:
    return secrets.token_urlsafe(24)


class ReportReason(models.TextChoices):
    """What a reporter says is wrong."""

    LIKENESS = "likeness", "It shows or names a real person who did not agree"
    INTIMATE = "intimate", "It is an intimate picture of a real person"
    MINOR = "minor", "It sexualises a minor"
    RATING = "rating", "Its rating is wrong"
    STOLEN = "stolen", "It is somebody else's work"
    HARASSMENT = "harassment", "It attacks or harasses somebody"
    SPAM = "spam", "It is spam or a fraud"
    ILLEGAL = "illegal", "It is illegal for another reason"
    OTHER = "other", "Something else"


# Looked at before all others.
URGENT = (ReportReason.MINOR, ReportReason.INTIMATE, ReportReason.LIKENESS)


class ReportStatus(models.TextChoices):
    """A report is open until staff decide."""

    OPEN = "open", "Waiting for a person to look"
    ACTED = "acted", "Decided: action was taken"
    DISMISSED = "dismissed", "Decided: no rule was broken"


class ActionKind(models.TextChoices):
    """What staff can do."""

    HIDE = "hide", "Hide"
    UNHIDE = "unhide", "Give back"
    REMOVE = "remove", "Remove for good"
    SUSPEND = "suspend", "Suspend the account"
    UNSUSPEND = "unsuspend", "Lift the suspension"
    CLEAR = "clear", "Clear"
    REFUSE = "refuse", "Refuse"
    OPEN = "open", "Let it open"
    DISMISS = "dismiss", "Dismiss the reports"


RESTRICTIONS = (ActionKind.HIDE, ActionKind.REMOVE, ActionKind.SUSPEND, ActionKind.REFUSE)


class Rule(models.TextChoices):
    """Which rule of the site a decision rests on."""

    LIKENESS = "likeness", "A real person's likeness only with that person's consent"
    SEXUAL_LIKENESS = "sexual_likeness", "Nothing sexual of a real person, ever"
    MINOR = "minor", "Nothing sexual with a sign of a minor, ever"
    RATING = "rating", "Pictures carry the right rating"
    RIGHTS = "rights", "Only what one may share"
    CONDUCT = "conduct", "No harassment, spam or fraud"
    LAW = "law", "Nothing illegal"
    UNSAFE_FILE = "unsafe_file", "Only weights that were examined"
    NONE = "none", "No rule was broken"


class ModerationDecision(models.Model):
    """One act of staff, with the reason that the person concerned reads. Rows never change."""

    id = OpaqueIdField(prefix="mod")
    action = models.CharField(max_length=12, choices=ActionKind.choices)
    target_kind = models.CharField(max_length=20)
    target_id = models.CharField(max_length=40)
    target_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="moderation_decisions"
    )
    rule = models.CharField(max_length=20, choices=Rule.choices)
    reason = models.TextField(max_length=MAX_REASON)
    until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="moderation_says_why"),
            models.CheckConstraint(
                condition=Q(target_owner__isnull=True) | ~Q(actor=F("target_owner")),
                name="moderation_not_of_own",
            ),
        ]
        indexes = [
            models.Index("target_kind", "target_id", F("id").desc(), name="moderation_of_target"),
            models.Index(F("id").desc(), name="moderation_newest"),
        ]


class StatementOfReasons(models.Model):
    """What the person concerned is told: what, by which rule, on which facts, and what they can do.

    ``secret`` opens it without signing in, for somebody who can no longer.
    """

    id = OpaqueIdField(prefix="sor")
    decision = models.OneToOneField(
        ModerationDecision, on_delete=models.PROTECT, related_name="statement"
    )
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="statements"
    )
    secret = models.CharField(max_length=60, default=_secret)
    restriction = models.CharField(max_length=200)
    scope = models.CharField(max_length=200, default="Everywhere on this site, in all countries")
    duration = models.CharField(max_length=200)
    facts = models.TextField()
    source = models.CharField(max_length=200)
    rule = models.CharField(max_length=200)
    automated_detection = models.BooleanField(default=False)
    automated_decision = models.BooleanField(default=False)
    redress = models.TextField()
    created_at = models.DateTimeField(default=clock.now)
    read_at = models.DateTimeField(null=True)
    appeal_words = models.TextField(max_length=MAX_REASON, blank=True)
    appealed_at = models.DateTimeField(null=True)
    appeal_answered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index("recipient", F("id").desc(), name="statement_of_recipient"),
            models.Index(
                fields=["appealed_at"],
                name="statement_appealed",
                condition=Q(appealed_at__isnull=False, appeal_answered_at__isnull=True),
            ),
        ]


class Report(models.Model):
    """Somebody's word that something here breaks a rule; with or without an account.

    The reporter is never named to the person reported.
    """

    id = OpaqueIdField(prefix="rep")
    secret = models.CharField(max_length=60, default=_secret)
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="reports"
    )
    contact = models.CharField(max_length=254, blank=True)
    target_kind = models.CharField(max_length=20)
    target_id = models.CharField(max_length=40)
    reason = models.CharField(max_length=12, choices=ReportReason.choices)
    details = models.TextField(max_length=MAX_DETAILS, blank=True)
    status = models.CharField(
        max_length=10, choices=ReportStatus.choices, default=ReportStatus.OPEN
    )
    decision = models.ForeignKey(
        ModerationDecision, on_delete=models.PROTECT, null=True, related_name="reports"
    )
    created_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reporter", "target_kind", "target_id"],
                name="report_open_once",
                condition=Q(status="open"),
            ),
            models.CheckConstraint(
                condition=Q(status="open") ^ Q(decided_at__isnull=False), name="report_decided_when"
            ),
        ]
        indexes = [
            models.Index(
                fields=["target_kind", "target_id"],
                name="report_open_of_target",
                condition=Q(status="open"),
            ),
            models.Index("reporter", F("id").desc(), name="report_of_reporter"),
        ]
