"""What bytes there are, and what is known about a picture.

Everything that is decided about a picture binds to ``canonical_sha256``: the one oriented,
flattened, first-frame RGB picture that detection, training and display all read.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from atelier.core import clock
from atelier.core.ids import OpaqueIdField

MAX_FILENAME = 200
SHA256_LENGTH = 64


class Status(models.TextChoices):
    """Only ready pictures may be used for anything."""

    PENDING = "pending", "Being checked"
    READY = "ready", "Ready"
    REFUSED = "refused", "Refused"


class Visibility(models.TextChoices):
    """Who may open the bytes: the owner, everybody, or nobody (staff aside)."""

    PRIVATE = "private", "Private"
    PUBLIC = "public", "Public"
    HIDDEN = "hidden", "Hidden"


class Rating(models.IntegerChoices):
    """How guarded a picture is shown; bits, so that a viewer's choice is one mask."""

    PG = 1, "PG"
    PG13 = 2, "PG-13"
    R = 4, "R"
    X = 8, "X"
    XXX = 16, "XXX"
    BLOCKED = 32, "Blocked"


class SexualLevel(models.TextChoices):
    """What the stricter of two independent classifiers saw."""

    NONE = "none", "None"
    SUGGESTIVE = "suggestive", "Suggestive"
    EXPLICIT = "explicit", "Explicit"


class Blob(models.Model):
    """Bytes that were once received. Their hash outlives them.

    ``barred_code`` says why these bytes are refused at sight, after a picture made of them was
    refused for what it shows; ``destroyed_at`` says that the store holds them no more.
    """

    sha256 = models.CharField(max_length=SHA256_LENGTH, primary_key=True)
    size_bytes = models.BigIntegerField()
    content_type = models.CharField(max_length=60)
    barred_code = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    destroyed_at = models.DateTimeField(null=True)


class Origin(models.Model):
    """What made a picture: prompt, settings and resources, as its metadata or its maker says.

    ``generation_id`` is set by our own generator alone; an uploader cannot claim one.
    """

    id = OpaqueIdField(prefix="org")
    prompt = models.TextField(blank=True)
    negative_prompt = models.TextField(blank=True)
    settings = models.JSONField(default=dict)
    resources = models.JSONField(default=list)
    generator = models.CharField(max_length=40)
    generation_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(
                fields=["generation_id"], name="origin_generation", condition=~Q(generation_id="")
            )
        ]


class Media(models.Model):
    """A picture that somebody brought or that our generator made.

    ``sha256`` is of the bytes as received, which are kept only for our own outputs (they carry the
    marks); ``derivatives`` maps width to format to blob: ``{"320": {"avif": …, "webp": …}}``.
    """

    id = OpaqueIdField(prefix="med")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="media"
    )
    kind = models.CharField(max_length=10, default="image")
    filename = models.CharField(max_length=MAX_FILENAME, blank=True)
    sha256 = models.CharField(max_length=SHA256_LENGTH)
    canonical_sha256 = models.CharField(max_length=SHA256_LENGTH, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    refusal_code = models.CharField(max_length=40, blank=True)
    refusal_detail = models.TextField(blank=True)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    thumbhash = models.CharField(max_length=60, blank=True)
    dominant_color = models.CharField(max_length=7, blank=True)
    derivatives = models.JSONField(default=dict)
    rating = models.PositiveSmallIntegerField(choices=Rating.choices, default=Rating.PG)
    visibility = models.CharField(
        max_length=10, choices=Visibility.choices, default=Visibility.PRIVATE
    )
    origin = models.ForeignKey(Origin, on_delete=models.PROTECT, null=True, related_name="media")
    generated = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)
    processed_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Media]] = models.Manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="ready") | (~Q(canonical_sha256="") & Q(width__gt=0)),
                name="media_ready_is_canonical",
            ),
            models.CheckConstraint(
                condition=~Q(status="refused") | (~Q(refusal_code="") & ~Q(visibility="public")),
                name="media_refused_says_why",
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "-created_at", "-id"], name="media_of_owner"),
            models.Index(fields=["canonical_sha256"], name="media_canonical"),
            models.Index(fields=["sha256"], name="media_bytes"),
            models.Index(
                fields=["created_at"], name="media_waiting", condition=Q(status="pending")
            ),
        ]


class Scan(models.Model):
    """What the detectors saw in one canonical picture; no face vector is ever kept."""

    media = models.OneToOneField(
        Media, on_delete=models.CASCADE, primary_key=True, related_name="scan"
    )
    canonical_sha256 = models.CharField(max_length=SHA256_LENGTH)
    real_faces = models.PositiveSmallIntegerField()
    drawn_faces = models.PositiveSmallIntegerField()
    photoreal = models.FloatField()
    sexual = models.CharField(max_length=12, choices=SexualLevel.choices)
    minor_signal = models.BooleanField()
    rating = models.PositiveSmallIntegerField(choices=Rating.choices)
    detectors = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=clock.now)
