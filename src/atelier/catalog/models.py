"""Models, their versions and files, who may have them, and files on their way in."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.utils.text import slugify
from typing_extensions import override

from atelier.catalog.vocabulary import (
    AIR_TYPES,
    CommercialUse,
    FileType,
    License,
    ModelType,
    Rating,
    ecosystem_of,
)
from atelier.core import clock
from atelier.core.ids import OpaqueIdField


class Status(models.TextChoices):
    """Where a model or version stands in its life."""

    DRAFT = "draft"
    PUBLISHED = "published"
    HIDDEN = "hidden"
    REMOVED = "removed"


class Clearance(models.TextChoices):
    """Whether anybody may have the weights at all."""

    QUARANTINED = "quarantined"
    CLEARED = "cleared"
    REFUSED = "refused"


class Source(models.TextChoices):
    """How the weights came here."""

    UPLOADED = "uploaded"
    TRAINED = "trained"
    BASE = "base"


class Access(models.TextChoices):
    """Whether the file is for everybody, or locked while it is a bounty's entry."""

    PUBLIC = "public"
    LOCKED = "locked"


def default_commercial_use() -> list[str]:
    """Pictures made with a model may be sold unless its maker says otherwise."""
    return [CommercialUse.IMAGE.value]


class Tag(models.Model):
    """A word that models are found by; lower case."""

    id = models.AutoField(primary_key=True)
    name = models.CharField(max_length=40, unique=True)

    @override
    def __str__(self) -> str:
        return self.name


class AiModel(models.Model):
    """A model as people know it: a name, a maker, permissions, and versions."""

    id = models.AutoField(primary_key=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="ai_models"
    )
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    description_html = models.TextField(blank=True)
    type = models.CharField(max_length=20)
    base_model = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    nsfw_level = models.PositiveSmallIntegerField(default=Rating.PG)
    license = models.CharField(max_length=40, default=License.OPENRAIL_M)
    allow_no_credit = models.BooleanField(default=True)
    allow_commercial_use = ArrayField(
        models.CharField(max_length=10),
        default=default_commercial_use,
    )
    allow_derivatives = models.BooleanField(default=True)
    allow_different_license = models.BooleanField(default=True)
    tags = models.ManyToManyField(Tag, through="ModelTag", related_name="models")
    # Rolled up every few seconds from events, so that no download waits for another.
    download_count = models.PositiveIntegerField(default=0)
    thumbs_up_count = models.PositiveIntegerField(default=0)
    thumbs_down_count = models.PositiveIntegerField(default=0)
    comment_count = models.PositiveIntegerField(default=0)
    image_count = models.PositiveIntegerField(default=0)
    collected_count = models.PositiveIntegerField(default=0)
    tipped_sparks = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)
    published_at = models.DateTimeField(null=True)
    last_version_at = models.DateTimeField(null=True)
    words = models.GeneratedField(
        expression=SearchVector("name", weight="A", config="simple")
        + SearchVector("description", weight="C", config="simple"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        indexes: ClassVar = [
            models.Index(
                F("last_version_at").desc(),
                F("id").desc(),
                name="model_newest",
                condition=Q(status="published"),
            ),
            models.Index(
                F("thumbs_up_count").desc(),
                F("id").desc(),
                name="model_liked",
                condition=Q(status="published"),
            ),
            models.Index(
                F("download_count").desc(),
                F("id").desc(),
                name="model_downloaded",
                condition=Q(status="published"),
            ),
            models.Index(
                F("comment_count").desc(),
                F("id").desc(),
                name="model_discussed",
                condition=Q(status="published"),
            ),
            models.Index(
                F("collected_count").desc(),
                F("id").desc(),
                name="model_collected",
                condition=Q(status="published"),
            ),
            models.Index(
                F("image_count").desc(),
                F("id").desc(),
                name="model_pictured",
                condition=Q(status="published"),
            ),
            models.Index(
                "type",
                F("thumbs_up_count").desc(),
                F("id").desc(),
                name="model_type_liked",
                condition=Q(status="published"),
            ),
            models.Index("owner", F("id").desc(), name="model_owner"),
            GinIndex(fields=["words"], name="model_words"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(status="published") | Q(published_at__isnull=False),
                name="model_published_has_date",
            ),
        ]

    @override
    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/models/{self.pk}/{self.slug}"

    @property
    def type_word(self) -> str:
        """What people call its type."""
        return ModelType(self.type).label

    @property
    def license_word(self) -> str:
        """What people call its licence."""
        return License(self.license).label

    @property
    def slug(self) -> str:
        """The name as a piece of an address."""
        return slugify(self.name) or "model"


class ModelTag(models.Model):
    """A tag on a model."""

    model = models.ForeignKey(AiModel, on_delete=models.CASCADE)
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tag", "model"], name="model_tag_once")
        ]


class ModelVersion(models.Model):
    """One trained state of a model, with its files."""

    id = models.AutoField(primary_key=True)
    model = models.ForeignKey(AiModel, on_delete=models.PROTECT, related_name="versions")
    index = models.PositiveSmallIntegerField(default=0)
    name = models.CharField(max_length=60)
    description = models.TextField(blank=True)
    description_html = models.TextField(blank=True)
    base_model = models.CharField(max_length=40)
    base_model_type = models.CharField(max_length=12, default="Standard")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    clearance = models.CharField(
        max_length=12, choices=Clearance.choices, default=Clearance.QUARANTINED
    )
    clearance_reason = models.TextField(blank=True)
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.UPLOADED)
    access = models.CharField(max_length=10, choices=Access.choices, default=Access.PUBLIC)
    trained_words = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    # What made it, when it was trained here: settings as people read them, and their origin.
    training_id = models.CharField(max_length=40, blank=True)
    training_epoch = models.PositiveSmallIntegerField(default=0)
    training_settings = models.JSONField(default=dict, blank=True)
    dataset_ref = models.CharField(max_length=80, blank=True)
    sample_media_ids = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    nsfw_level = models.PositiveSmallIntegerField(default=Rating.PG)
    download_count = models.PositiveIntegerField(default=0)
    thumbs_up_count = models.PositiveIntegerField(default=0)
    thumbs_down_count = models.PositiveIntegerField(default=0)
    generation_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)
    published_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["model", "index"], name="version_order"),
            models.Index(
                fields=["base_model", "model"],
                name="version_base",
                condition=Q(status="published"),
            ),
            models.Index(
                fields=["created_at"],
                name="version_waiting",
                condition=Q(clearance="quarantined"),
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(status="published")
                | Q(published_at__isnull=False, clearance="cleared", access="public"),
                name="version_published_is_cleared",
            ),
            models.UniqueConstraint(
                fields=["training_id", "training_epoch"],
                condition=~Q(training_id=""),
                name="version_epoch_once",
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.model.name} · {self.name}"

    @property
    def air(self) -> str:
        """The name that other programs know this version by."""
        kind = AIR_TYPES.get(ModelType(self.model.type), "unknown")
        return f"urn:air:{ecosystem_of(self.base_model)}:{kind}:civitai:{self.model_id}@{self.pk}"


class ModelFile(models.Model):
    """One file of a version; its bytes are a blob."""

    id = models.AutoField(primary_key=True)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="files")
    sha256 = models.CharField(max_length=64)
    name = models.CharField(max_length=160)
    uploaded_name = models.CharField(max_length=255)
    type = models.CharField(max_length=20, default=FileType.MODEL)
    size_bytes = models.BigIntegerField()
    format = models.CharField(max_length=20, default="SafeTensor")
    precision = models.CharField(max_length=12, blank=True)
    extent = models.CharField(max_length=8, blank=True)
    is_primary = models.BooleanField(default=False)
    # Upper-case hex by name of the hash, as the contract shows them.
    hashes = models.JSONField()
    detected_type = models.CharField(max_length=20, blank=True)
    detected_base = models.CharField(max_length=40, blank=True)
    header_facts = models.JSONField(default=dict)
    scanned_at = models.DateTimeField(default=clock.now)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["sha256"], name="file_blob")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "sha256"], name="file_once_a_version"),
            models.UniqueConstraint(
                fields=["version"], condition=Q(is_primary=True), name="file_one_primary"
            ),
        ]


class FileHash(models.Model):
    """One hash of one file, for look-ups by any of the six."""

    file = models.ForeignKey(ModelFile, on_delete=models.CASCADE, related_name="hash_rows")
    kind = models.CharField(max_length=8)
    value = models.CharField(max_length=64)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["value"], name="hash_value")]


class FileUnlock(models.Model):
    """Somebody who may have the files of a locked version."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="unlocks")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    reason = models.CharField(max_length=120)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "user"], name="unlock_once")
        ]


class Upload(models.Model):
    """A file on its way in. How much has arrived is the length of the partial file itself."""

    class State(models.TextChoices):
        RECEIVING = "receiving"
        FINISHED = "finished"
        USED = "used"

    id = OpaqueIdField(prefix="upl")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads"
    )
    filename = models.CharField(max_length=255)
    length = models.BigIntegerField()
    metadata = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVING)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], name="upload_expiry"),
            models.Index(fields=["owner", "state"], name="upload_owner"),
        ]


class DownloadEvent(models.Model):
    """A download, once per person, version and day; rolled up into counters, then forgotten."""

    id = models.BigAutoField(primary_key=True)
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    person = models.CharField(max_length=64)
    day = models.DateField()
    counted = models.BooleanField(default=False)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["id"], name="download_uncounted", condition=Q(counted=False)),
            models.Index(fields=["day"], name="download_age"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "person", "day"], name="download_once_a_day")
        ]
