"""Posts, the pictures in them, and the models that made those."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from typing_extensions import override

from atelier.catalog.vocabulary import Rating
from atelier.core import clock


class Status(models.TextChoices):
    """Whether people can see it."""

    PUBLISHED = "published"
    HIDDEN = "hidden"
    REMOVED = "removed"


class Post(models.Model):
    """Pictures that somebody shared together."""

    id = models.AutoField(primary_key=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="posts"
    )
    title = models.CharField(max_length=100, blank=True)
    description = models.TextField(blank=True)
    description_html = models.TextField(blank=True)
    # The version that its maker shows with this post, beside what the pictures themselves name.
    version = models.ForeignKey(
        "catalog.ModelVersion", on_delete=models.PROTECT, null=True, related_name="posts"
    )
    # Says which event made the post, where an event did: the same event makes it once.
    key = models.CharField(max_length=80, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PUBLISHED)
    nsfw_level = models.PositiveSmallIntegerField(default=Rating.PG)
    comment_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    published_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes: ClassVar = [
            models.Index("owner", F("id").desc(), name="post_owner"),
            models.Index(F("id").desc(), name="post_newest", condition=Q(status="published")),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner", "key"], condition=~Q(key=""), name="post_once_a_key"
            )
        ]

    @override
    def __str__(self) -> str:
        return self.title or f"Post {self.pk}"

    def get_absolute_url(self) -> str:
        return f"/posts/{self.pk}"


class Image(models.Model):
    """A picture in a post. Counters are rolled up from what people do."""

    id = models.AutoField(primary_key=True)
    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="images")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="images"
    )
    media = models.ForeignKey("media.Media", on_delete=models.PROTECT, related_name="images")
    position = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PUBLISHED)
    nsfw_level = models.PositiveSmallIntegerField(default=Rating.PG)
    base_model = models.CharField(max_length=40, blank=True)
    # A placeholder of one colour, in the form that other programs know (BlurHash).
    blurhash = models.CharField(max_length=6, default="000000")
    remix_of = models.ForeignKey(
        "gallery.Image", on_delete=models.SET_NULL, null=True, related_name="remixes"
    )
    like_count = models.PositiveIntegerField(default=0)
    heart_count = models.PositiveIntegerField(default=0)
    laugh_count = models.PositiveIntegerField(default=0)
    cry_count = models.PositiveIntegerField(default=0)
    dislike_count = models.PositiveIntegerField(default=0)
    comment_count = models.PositiveIntegerField(default=0)
    collected_count = models.PositiveIntegerField(default=0)
    reaction_count = models.GeneratedField(
        expression=F("like_count") + F("heart_count") + F("laugh_count") + F("cry_count"),
        output_field=models.PositiveIntegerField(),
        db_persist=True,
    )
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(F("id").desc(), name="image_newest", condition=Q(status="published")),
            models.Index(
                F("reaction_count").desc(),
                F("id").desc(),
                name="image_reactions",
                condition=Q(status="published"),
            ),
            models.Index(
                F("comment_count").desc(),
                F("id").desc(),
                name="image_comments",
                condition=Q(status="published"),
            ),
            models.Index(
                F("collected_count").desc(),
                F("id").desc(),
                name="image_collected",
                condition=Q(status="published"),
            ),
            models.Index(
                "base_model",
                F("id").desc(),
                name="image_base_newest",
                condition=Q(status="published"),
            ),
            models.Index("owner", F("id").desc(), name="image_owner"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["post", "media"], name="image_once_a_post"),
            models.UniqueConstraint(fields=["post", "position"], name="image_place_once"),
        ]

    def get_absolute_url(self) -> str:
        return f"/images/{self.pk}"


class ImageResource(models.Model):
    """A version that a picture was made with, or that its maker shows with it."""

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="resources")
    version = models.ForeignKey(
        "catalog.ModelVersion", on_delete=models.CASCADE, related_name="image_resources"
    )
    model = models.ForeignKey("catalog.AiModel", on_delete=models.CASCADE, related_name="+")
    strength = models.FloatField(default=1.0)
    # Whether the site's own generator says so, rather than the picture's owner.
    proven = models.BooleanField(default=False)

    class Meta:
        indexes: ClassVar = [
            models.Index("version", F("image").desc(), name="image_resource_version"),
            models.Index("model", F("image").desc(), name="image_resource_model"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["image", "version"], name="image_resource_once")
        ]
