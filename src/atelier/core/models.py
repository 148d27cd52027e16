"""Tables without a domain."""

from __future__ import annotations

from django.db import models

from atelier.core import clock
from atelier.core.ids import OpaqueIdField


class OutboxEvent(models.Model):
    """News for higher layers, written in the transaction that made it true."""

    id = models.BigAutoField(primary_key=True)
    topic = models.CharField(max_length=80)
    payload = models.JSONField()
    created_at = models.DateTimeField(default=clock.now)
    delivered_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["id"], name="outbox_waiting", condition=models.Q(delivered_at__isnull=True)
            )
        ]


class IdempotencyRecord(models.Model):
    """What a request with an ``Idempotency-Key`` answered, so that a replay answers the same."""

    caller = models.CharField(max_length=80)
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    body_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    content_type = models.CharField(max_length=100, blank=True)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["caller", "route", "key"], name="idempotency_once")
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_age")]


class EventTicket(models.Model):
    """A single-use right to listen to one channel of live events."""

    id = OpaqueIdField(prefix="tkt")
    channel = models.CharField(max_length=120)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="ticket_age")]


class OutgoingMail(models.Model):
    """Mail of a site without a mail server, readable on the development outbox page."""

    id = OpaqueIdField(prefix="eml")
    to = models.TextField()
    subject = models.TextField()
    body = models.TextField()
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["-created_at"], name="mail_newest")]


class RateBucket(models.Model):
    """How many requests a caller has left; refilled by the time that passed."""

    caller = models.CharField(max_length=120, primary_key=True)
    tokens = models.FloatField()
    refilled_at = models.DateTimeField()
