"""Priced work in a queue: what waits, who works on it, and until when that is believed."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from atelier.core import clock
from atelier.core.ids import OpaqueIdField


class JobKind(models.TextChoices):
    """The work that exists; each kind has its own queue and workers."""

    GENERATION = "generation"
    TRAINING = "training"


class JobStatus(models.TextChoices):
    """Where a job stands. The last four are final."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"


LIVE = (JobStatus.QUEUED, JobStatus.RUNNING)
FINAL = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.REFUSED)


class Job(models.Model):
    """One priced piece of work, made of units (pictures, epochs) that are paid one by one.

    ``turn`` puts the queue in an order that is fair between people: see ``jobs.turns``.
    ``lease_token`` fences a worker that was given up: whatever it still reports is refused.
    ``attempts`` counts the starts since the last finished unit.
    """

    id = OpaqueIdField(prefix="job")
    kind = models.CharField(max_length=12, choices=JobKind)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="jobs", db_index=False
    )
    subject_id = models.CharField(max_length=40)
    title = models.CharField(max_length=200)  # what the wallet's history calls it
    status = models.CharField(max_length=10, choices=JobStatus, default=JobStatus.QUEUED)
    tier = models.PositiveSmallIntegerField(default=0)
    turn = models.PositiveBigIntegerField()
    affinity = models.CharField(max_length=200, blank=True)
    passed_over = models.PositiveSmallIntegerField(default=0)

    cost_sparks = models.PositiveIntegerField()
    captured_sparks = models.PositiveIntegerField(null=True)
    hold_id = models.CharField(max_length=40)
    units_total = models.PositiveIntegerField()
    units_done = models.PositiveIntegerField(default=0)
    progress = models.JSONField(default=dict)

    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.CharField(max_length=40, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    worker_name = models.CharField(max_length=100, blank=True)
    cancel_requested_at = models.DateTimeField(null=True)
    problem_code = models.CharField(max_length=60, blank=True)
    problem = models.TextField(blank=True)

    created_at = models.DateTimeField(default=clock.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject_id"], name="job_subject_once"),
            models.UniqueConstraint(
                fields=["lease_token"], condition=~Q(lease_token=""), name="job_lease_once"
            ),
            models.CheckConstraint(
                condition=Q(units_done__lte=F("units_total")), name="job_units_within"
            ),
            models.CheckConstraint(condition=Q(cost_sparks__gte=1), name="job_has_price"),
            models.CheckConstraint(
                condition=Q(captured_sparks__isnull=True)
                | Q(captured_sparks__lte=F("cost_sparks")),
                name="job_captures_within_cost",
            ),
            # Money is settled exactly when work ends.
            models.CheckConstraint(
                condition=Q(status__in=LIVE, captured_sparks__isnull=True, finished_at__isnull=True)
                | Q(status__in=FINAL, captured_sparks__isnull=False, finished_at__isnull=False),
                name="job_settled_when_final",
            ),
            models.CheckConstraint(
                condition=Q(status=JobStatus.RUNNING, lease_expires_at__isnull=False)
                & ~Q(lease_token="")
                | ~Q(status=JobStatus.RUNNING) & Q(lease_expires_at__isnull=True),
                name="job_running_has_lease",
            ),
        ]
        indexes = [
            models.Index(
                F("kind"),
                F("tier").desc(),
                F("turn"),
                F("id"),
                name="job_waiting",
                condition=Q(status=JobStatus.QUEUED),
            ),
            models.Index(
                fields=["owner", "kind"], name="job_live_of_owner", condition=Q(status__in=LIVE)
            ),
            models.Index(
                fields=["lease_expires_at"],
                name="job_leases",
                condition=Q(status=JobStatus.RUNNING),
            ),
            models.Index(
                fields=["kind", "-started_at"],
                name="job_last_started",
                condition=Q(started_at__isnull=False),
            ),
        ]

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status in FINAL

    @property
    def channel(self) -> str:
        """Where its live events are announced."""
        return f"{self.kind}:{self.subject_id}"

    @property
    def earned_sparks(self) -> int:
        """What the finished units cost; part of a Spark goes to the owner."""
        return self.cost_sparks * self.units_done // self.units_total


class Worker(models.Model):
    """A process that takes jobs, as it last reported."""

    name = models.CharField(max_length=100, primary_key=True)
    kind = models.CharField(max_length=12, choices=JobKind)
    loaded = ArrayField(models.CharField(max_length=200), default=list)
    started_at = models.DateTimeField(default=clock.now)
    seen_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["kind", "-seen_at"], name="worker_seen")]
