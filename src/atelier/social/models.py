"""Who follows whom, and what people say to what others made."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from atelier.core import clock
from atelier.core.ids import OpaqueIdField

MAX_COMMENT = 2000


class Follow(models.Model):
    """That somebody wants to see what somebody else shares.

    The row stays when it ends, so that following again is not thanked for again.
    """

    id = OpaqueIdField(prefix="fol")
    follower = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="following"
    )
    followee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="followers"
    )
    created_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)
    rewarded_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["follower", "followee"], name="follow_once"),
            models.CheckConstraint(
                condition=~Q(follower=F("followee")), name="follow_somebody_else"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                "follower", F("id").desc(), name="follow_by", condition=Q(ended_at__isnull=True)
            ),
            models.Index(
                "followee", F("id").desc(), name="follow_of", condition=Q(ended_at__isnull=True)
            ),
        ]


class ReactionKind(models.TextChoices):
    """The reactions of the wire contract."""

    LIKE = "Like"
    HEART = "Heart"
    LAUGH = "Laugh"
    CRY = "Cry"
    DISLIKE = "Dislike"


class Reaction(models.Model):
    """One reaction of one person to one thing; each kind at most once."""

    id = OpaqueIdField(prefix="rea")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reactions"
    )
    target_kind = models.CharField(max_length=20)
    target_id = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=ReactionKind)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["target_kind", "target_id", "user", "kind"], name="reaction_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ReactionKind.values), name="reaction_kind_known"
            ),
        ]
        indexes: ClassVar = [models.Index("user", F("id").desc(), name="reaction_of_user")]


class CommentStatus(models.TextChoices):
    """Whether people can read it; ``deleted`` is its author's wish, the others staff's."""

    SHOWN = "shown"
    HIDDEN = "hidden"
    REMOVED = "removed"
    DELETED = "deleted"


class Comment(models.Model):
    """What somebody said about a thing. ``parent`` is the comment it answers, one level deep."""

    id = OpaqueIdField(prefix="cmt")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="comments"
    )
    target_kind = models.CharField(max_length=20)
    target_id = models.CharField(max_length=40)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="answers")
    body = models.TextField(max_length=MAX_COMMENT)
    body_html = models.TextField()
    status = models.CharField(max_length=10, choices=CommentStatus, default=CommentStatus.SHOWN)
    decision_id = models.CharField(max_length=40)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                "target_kind", "target_id", "id", name="comment_target", condition=Q(status="shown")
            ),
            models.Index("author", F("id").desc(), name="comment_author"),
        ]


class Tip(models.Model):
    """Sparks that somebody gave somebody for nothing but being glad. ``key`` happens once."""

    id = OpaqueIdField(prefix="tip")
    payer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="tips_given"
    )
    payee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="tips_got"
    )
    amount = models.BigIntegerField()
    target_kind = models.CharField(max_length=20, blank=True)
    target_id = models.CharField(max_length=40, blank=True)
    transfer_id = models.CharField(max_length=40)
    key = models.CharField(max_length=80)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["payer", "key"], name="tip_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="tip_positive"),
            models.CheckConstraint(condition=~Q(payer=F("payee")), name="tip_somebody_else"),
        ]
        indexes: ClassVar = [models.Index("payer", F("id").desc(), name="tip_of_payer")]
