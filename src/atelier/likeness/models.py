"""Facts that decisions rest on, and the decisions themselves.

Things of other domains are named by kind and reference, never by foreign key, so that consent stays
below all that spends or shows.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from atelier.core import clock
from atelier.core.ids import OpaqueIdField

MAX_KIND = 20
MAX_REF = 64


class DetectedClass(models.TextChoices):
    """What a resource was found to show; what its maker says can only make it stricter."""

    UNSCANNED = "unscanned", "Not examined"
    NONE = "none", "No real person"
    LIKENESS = "likeness", "A real person"
    SYNTHETIC_PERSON = "synthetic_person", "A person that never lived"
    BLOCKED = "blocked", "Blocked"


class Outcome(models.TextChoices):
    """Allowed, kept for a person to look at, or refused."""

    ALLOW = "allow", "Allowed"
    HOLD = "hold", "Held for review"
    DENY = "deny", "Refused"


class Resource(models.Model):
    """Something that pictures are made with: a model version, a dataset."""

    id = OpaqueIdField(prefix="res")
    kind = models.CharField(max_length=MAX_KIND)
    ref = models.CharField(max_length=MAX_REF)
    owner_id = models.IntegerField(null=True)
    detected_class = models.CharField(
        max_length=20, choices=DetectedClass.choices, default=DetectedClass.UNSCANNED
    )
    created_at = models.DateTimeField(default=clock.now)
    classified_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "ref"], name="resource_once")]


class Artifact(models.Model):
    """Something that was made: a picture of a generation, a training's sample.

    ``ceiling`` is the highest content rating that its lineage allows it; it never rises.
    """

    id = OpaqueIdField(prefix="art")
    kind = models.CharField(max_length=MAX_KIND)
    ref = models.CharField(max_length=MAX_REF)
    owner_id = models.IntegerField(null=True)
    ceiling = models.PositiveSmallIntegerField()
    decision_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "ref"], name="artifact_once")]


class Lineage(models.Model):
    """Which thing came from which."""

    child_kind = models.CharField(max_length=MAX_KIND)
    child_ref = models.CharField(max_length=MAX_REF)
    parent_kind = models.CharField(max_length=MAX_KIND)
    parent_ref = models.CharField(max_length=MAX_REF)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["child_kind", "child_ref", "parent_kind", "parent_ref"],
                name="lineage_once",
            )
        ]
        indexes = [models.Index(fields=["parent_kind", "parent_ref"], name="lineage_children")]


class Blocked(models.Model):
    """Something nobody may see or use from the moment this row commits.

    The table is ``likeness_blocked``; lists in raw SQL anti-join it by ``kind`` and ``ref``.
    ``number`` repeats a numeric reference, so that integer keys join by index.
    """

    kind = models.CharField(max_length=MAX_KIND)
    ref = models.CharField(max_length=MAX_REF)
    number = models.IntegerField(null=True)
    reason = models.TextField()
    case_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "likeness_blocked"
        constraints = [models.UniqueConstraint(fields=["kind", "ref"], name="blocked_once")]
        indexes = [
            models.Index(
                fields=["kind", "number"], name="blocked_number", condition=Q(number__isnull=False)
            )
        ]


class Switch(models.Model):
    """A capability that the operator stopped for everybody."""

    capability = models.CharField(max_length=20, primary_key=True)
    stopped = models.BooleanField(default=False)
    actor_id = models.IntegerField(null=True)
    changed_at = models.DateTimeField(default=clock.now)


class Decision(models.Model):
    """One answer of the judge: by which rules, on which inputs, under which policy.

    ``inputs_digest`` is of subjects, facts and texts; the texts themselves are not kept, except the
    spans that a rule matched, which the person affected may see.
    """

    id = OpaqueIdField(prefix="dec")
    action = models.CharField(max_length=30)
    actor_id = models.IntegerField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    code = models.CharField(max_length=40, blank=True)
    rules = ArrayField(models.CharField(max_length=60), default=list)
    reasons = models.JSONField(default=list)
    spans = models.JSONField(default=list)
    obligations = ArrayField(models.CharField(max_length=40), default=list)
    subjects = ArrayField(models.CharField(max_length=90), default=list)
    inputs_digest = models.CharField(max_length=64)
    policy_version = models.CharField(max_length=20)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["actor_id", "-created_at"], name="decision_of_actor"),
            models.Index(fields=["-created_at"], name="decision_newest"),
        ]
