"""News for one person, until they read it and after."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from atelier.core import clock
from atelier.core.ids import OpaqueIdField


class Kind(models.TextChoices):
    """What the news is about; the page groups and draws by it."""

    BOUNTY = "bounty", "Bounties"
    JOB = "job", "Generations and trainings"
    MODEL = "model", "Models"
    SOCIAL = "social", "People"
    SPARKS = "sparks", "Sparks"
    DECISION = "decision", "Decisions about your content"


class Notification(models.Model):
    """One line of news. ``key`` makes telling it twice tell it once."""

    id = OpaqueIdField(prefix="ntf")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications"
    )
    kind = models.CharField(max_length=12, choices=Kind.choices)
    text = models.CharField(max_length=300)
    link = models.CharField(max_length=300, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    key = models.CharField(max_length=160)
    created_at = models.DateTimeField(default=clock.now)
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="notification_once")]
        indexes = [
            models.Index("user", F("id").desc(), name="notification_newest"),
            models.Index(
                fields=["user"], name="notification_unread", condition=Q(read_at__isnull=True)
            ),
        ]
