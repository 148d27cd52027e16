"""Trainings: the pictures that are learned from, the epochs that arrive, and their samples."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from atelier.catalog.models import ModelVersion
from atelier.core import clock
from atelier.core.ids import OpaqueIdField
from atelier.jobs.models import Job
from atelier.media.models import Media


class Intake(models.TextChoices):
    """What becomes of a training before it has a job."""

    CHECKING = "checking"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Training(models.Model):
    """Somebody has a LoRA trained: what from, how, and the job that does it.

    A large dataset is checked by a task first; only an accepted one has a job and a held price.
    ``settings`` are the engine's, complete, so that a run can be repeated exactly.
    """

    id = OpaqueIdField(prefix="trn")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="trainings"
    )
    job = models.OneToOneField(Job, on_delete=models.PROTECT, null=True, related_name="training")
    intake = models.CharField(max_length=10, choices=Intake, default=Intake.CHECKING)
    refusal_code = models.CharField(max_length=60, blank=True)
    refusal_detail = models.TextField(blank=True)
    name = models.CharField(max_length=80)
    base = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    base_model = models.CharField(max_length=40)
    trigger_word = models.CharField(max_length=40)
    epochs = models.PositiveSmallIntegerField()
    settings = models.JSONField(default=dict)
    sample_prompts = models.JSONField(default=list)
    cost_sparks = models.PositiveIntegerField()
    losses = models.JSONField(default=list)
    decision_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(intake=Intake.ACCEPTED, job__isnull=False)
                | ~Q(intake=Intake.ACCEPTED) & Q(job__isnull=True),
                name="training_accepted_has_job",
            ),
            models.CheckConstraint(
                condition=~Q(intake=Intake.REFUSED) | ~Q(refusal_code=""),
                name="training_refused_says_why",
            ),
        ]
        indexes = [models.Index(fields=["owner", "-id"], name="training_of_owner")]

    @property
    def status(self) -> str:
        """checking, queued, running, completed, failed, cancelled or refused."""
        return self.job.status if self.job is not None else self.intake

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        if self.job is not None:
            return self.job.is_final
        return self.intake != Intake.CHECKING


class DatasetPicture(models.Model):
    """A picture that a training learns from, with its caption."""

    training = models.ForeignKey(Training, on_delete=models.CASCADE, related_name="dataset")
    position = models.PositiveSmallIntegerField()
    media = models.ForeignKey(Media, on_delete=models.PROTECT, related_name="+")
    caption = models.TextField(blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["training", "position"], name="dataset_place_once"),
            models.UniqueConstraint(fields=["training", "media"], name="dataset_picture_once"),
        ]


class Epoch(models.Model):
    """A finished epoch: its file, and whether its samples allow it to be used."""

    training = models.ForeignKey(Training, on_delete=models.CASCADE, related_name="finished_epochs")
    number = models.PositiveSmallIntegerField()
    loss = models.FloatField()
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    is_cleared = models.BooleanField(default=False)
    refusal_code = models.CharField(max_length=60, blank=True)
    refusal_detail = models.TextField(blank=True)
    version = models.OneToOneField(
        ModelVersion, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["training", "number"], name="epoch_once"),
            models.CheckConstraint(
                condition=Q(is_cleared=True, refusal_code="")
                | Q(is_cleared=False) & ~Q(refusal_code=""),
                name="epoch_cleared_or_refused",
            ),
        ]


class EpochSample(models.Model):
    """A picture that an epoch drew, shown when its examination found nothing."""

    epoch = models.ForeignKey(Epoch, on_delete=models.CASCADE, related_name="samples")
    position = models.PositiveSmallIntegerField()
    prompt = models.TextField()
    seed = models.BigIntegerField()
    mark = models.BigIntegerField(db_index=True)  # the number in its pixels
    media = models.OneToOneField(Media, on_delete=models.PROTECT, null=True, related_name="+")
    shows_face = models.BooleanField(default=False)  # one like a real person's
    refusal_code = models.CharField(max_length=60, blank=True)
    refusal_detail = models.TextField(blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["epoch", "position"], name="sample_place_once")
        ]

    @property
    def is_clean(self) -> bool:
        """Whether it may stand for the model in front of others."""
        return self.media_id is not None and not self.shows_face

    @property
    def label(self) -> str:
        """What a screen reader calls it."""
        return f"Epoch {self.epoch.number}: {self.prompt}"


class TrainingDraft(models.Model):
    """A training that somebody is still putting together; every step of the wizard is kept.

    ``pictures`` is a list of ``{media, caption}`` in order, ``values`` what else was filled in.
    """

    id = OpaqueIdField(prefix="tdf")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="training_drafts"
    )
    pictures = models.JSONField(default=list)
    values = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["owner", "-updated_at"], name="training_draft_of_owner")]
