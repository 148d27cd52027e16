"""Requests for pictures, and the pictures they led to."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from atelier.catalog.models import ModelVersion
from atelier.core import clock
from atelier.core.ids import OpaqueIdField
from atelier.jobs.models import Job
from atelier.media.models import Media


class Generation(models.Model):
    """Somebody asked for pictures: all that determines them, and the job that draws them."""

    id = OpaqueIdField(prefix="gen")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="generations"
    )
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="generation")
    checkpoint = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    base_model = models.CharField(max_length=40)
    prompt = models.TextField()
    negative_prompt = models.TextField(blank=True)
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    steps = models.PositiveSmallIntegerField()
    cfg_scale = models.FloatField()
    sampler = models.CharField(max_length=40)
    clip_skip = models.PositiveSmallIntegerField(default=1)
    seed = models.BigIntegerField()
    quantity = models.PositiveSmallIntegerField()
    decision_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["owner", "-id"], name="generation_of_owner")]


class GenerationResource(models.Model):
    """A LoRA at a strength; ``sha256`` is of the bytes that were decided about."""

    generation = models.ForeignKey(Generation, on_delete=models.CASCADE, related_name="resources")
    position = models.PositiveSmallIntegerField()
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    strength = models.FloatField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["generation", "position"], name="generation_resource_place"
            ),
            models.UniqueConstraint(
                fields=["generation", "version"], name="generation_resource_once"
            ),
        ]


class GeneratedPicture(models.Model):
    """One picture of a generation: released with its media, or refused with the reason."""

    id = OpaqueIdField(prefix="gpc")
    generation = models.ForeignKey(Generation, on_delete=models.CASCADE, related_name="pictures")
    index = models.PositiveSmallIntegerField()
    seed = models.BigIntegerField()
    mark = models.BigIntegerField(db_index=True)  # the number in its pixels
    media = models.OneToOneField(
        Media, on_delete=models.PROTECT, null=True, related_name="generated_picture"
    )
    refusal_code = models.CharField(max_length=60, blank=True)
    refusal_detail = models.TextField(blank=True)
    decision_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["index"]
        constraints = [
            models.UniqueConstraint(fields=["generation", "index"], name="picture_place_once"),
            models.CheckConstraint(
                condition=Q(media__isnull=False, refusal_code="")
                | Q(media__isnull=True) & ~Q(refusal_code=""),
                name="picture_released_or_refused",
            ),
        ]

    @property
    def is_released(self) -> bool:
        """Whether it passed all checks and can be seen."""
        return self.media_id is not None
