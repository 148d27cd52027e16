"""Reading posts and pictures, as a viewer may see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from atelier.catalog.models import Status as ModelStatus
from atelier.catalog.vocabulary import ALL_LEVELS, SFW_LEVELS, ModelType, Rating
from atelier.core import pagination
from atelier.core.errors import Invalid, NotFound
from atelier.gallery.models import Image, ImageResource, Post, Status
from atelier.likeness import queries as likeness
from atelier.likeness.refs import Ref
from atelier.media import queries as media
from atelier.media.models import Media, Visibility
from atelier.media.models import Status as MediaStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from atelier.accounts.models import User
    from atelier.catalog.models import ModelVersion

SORTS = {
    "newest": ("-id",),
    "reactions": ("-reaction_count", "-id"),
    "comments": ("-comment_count", "-id"),
    "collected": ("-collected_count", "-id"),
}
SETTING_WORDS = (
    ("seed", "Seed"),
    ("steps", "Steps"),
    ("sampler", "Sampler"),
    ("scheduler", "Scheduler"),
    ("cfg_scale", "Guidance"),
    ("clip_skip", "Clip skip"),
    ("denoise", "Denoise"),
)


@dataclass(frozen=True, slots=True)
class UsedResource:
    """What made a picture, for showing: a version of this site, or only a name."""

    name: str
    type: str
    strength: float | None
    version_id: int | None = None
    model_url: str = ""
    version_name: str = ""
    trained_words: Sequence[str] = ()
    proven: bool = False

    @property
    def type_word(self) -> str:
        """What people call its type."""
        return ModelType(self.type).label if self.type in ModelType.values else self.type


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """How a picture was made."""

    prompt: str
    negative_prompt: str
    settings: dict[str, Any]
    generator: str
    resources: list[UsedResource]

    @property
    def settings_rows(self) -> list[tuple[str, Any]]:
        """The settings that people know, with their words, in a fixed order."""
        return [
            (word, self.settings[name])
            for name, word in SETTING_WORDS
            if self.settings.get(name) not in {None, ""}
        ]


def levels_of(viewer: User | None) -> int:
    """The ratings that a viewer wants to see."""
    return SFW_LEVELS if viewer is None else viewer.browsing_level & ALL_LEVELS


def _rated(levels: int) -> list[int]:
    return [rating for rating in Rating.values if rating & levels & ALL_LEVELS]


def public_images() -> QuerySet[Image]:
    """Pictures that nobody took away."""
    return (
        Image.objects.filter(status=Status.PUBLISHED)
        .exclude(pk__in=likeness.blocked_ids("image"))
        .exclude(post_id__in=likeness.blocked_ids("post"))
        .exclude(media_id__in=likeness.blocked_ids("media"))
    )


def public_posts() -> QuerySet[Post]:
    """Posts that nobody took away."""
    return Post.objects.filter(status=Status.PUBLISHED).exclude(pk__in=likeness.blocked_ids("post"))


def feed(
    *,
    levels: int,
    after: str | None = None,
    limit: int | None = None,
    sort: str = "newest",
    base_model: str = "",
    owner_id: int | None = None,
    model_id: int | None = None,
    version_id: int | None = None,
) -> pagination.Page[Image]:
    """A page of pictures for showing."""
    if sort not in SORTS:
        raise Invalid.field("sort", f"must be one of {', '.join(SORTS)}")
    rows = public_images().filter(nsfw_level__in=_rated(levels)).select_related("media", "owner")
    if base_model:
        rows = rows.filter(base_model=base_model)
    if owner_id is not None:
        rows = rows.filter(owner_id=owner_id)
    if model_id is not None or version_id is not None:
        used = ImageResource.objects.filter(image=OuterRef("pk"))
        used = used.filter(model_id=model_id) if model_id is not None else used
        used = used.filter(version_id=version_id) if version_id is not None else used
        rows = rows.filter(Exists(used))
    return pagination.paginate(rows, order=SORTS[sort], after=after, limit=limit)


def image_for(*, image_id: int, viewer: User | None) -> Image:
    """A picture as its viewer may see it; hidden ones are staff's alone."""
    row = (
        Image.objects.select_related("media", "media__origin", "owner", "post")
        .filter(pk=image_id)
        .first()
    )
    staff = viewer is not None and viewer.is_staff
    if (
        row is None
        or row.status == Status.REMOVED
        or (row.status != Status.PUBLISHED and not staff)
    ):
        raise NotFound("There is no such image.")
    refs = (Ref("image", row.pk), Ref("post", row.post_id), Ref("media", row.media_id))
    if not staff and any(likeness.is_blocked(ref) for ref in refs):
        raise NotFound("There is no such image.")
    return row


def post_for(*, post_id: int, viewer: User | None) -> tuple[Post, list[Image]]:
    """A post and its pictures as its viewer may see them."""
    row = (
        Post.objects.select_related("owner", "version", "version__model").filter(pk=post_id).first()
    )
    staff = viewer is not None and viewer.is_staff
    if (
        row is None
        or row.status == Status.REMOVED
        or (
            not staff
            and (row.status != Status.PUBLISHED or likeness.is_blocked(Ref("post", post_id)))
        )
    ):
        raise NotFound("There is no such post.")
    images = row.images.select_related("media", "media__origin", "owner").order_by("position")
    if staff:
        return row, list(images.exclude(status=Status.REMOVED))
    shown = images.filter(status=Status.PUBLISHED).exclude(
        Q(pk__in=likeness.blocked_ids("image")) | Q(media_id__in=likeness.blocked_ids("media"))
    )
    return row, list(shown)


_COVERS = """
SELECT m.id, coalesce(
  (SELECT i.id FROM gallery_post AS p JOIN gallery_image AS i ON i.post_id = p.id
   WHERE p.version_id IN (SELECT v.id FROM catalog_modelversion AS v WHERE v.model_id = m.id)
     AND {visible} ORDER BY i.id LIMIT 1),
  (SELECT i.id FROM gallery_imageresource AS r JOIN gallery_image AS i ON i.id = r.image_id
   WHERE r.model_id = m.id AND {visible} ORDER BY r.image_id DESC LIMIT 1))
FROM unnest(%(models)s::int[]) AS m (id)
""".replace(
    "{visible}",
    """i.status = 'published' AND i.nsfw_level = ANY(%(levels)s::int[])
     AND NOT EXISTS (SELECT 1 FROM likeness_blocked AS barred
                     WHERE (barred.kind = 'image' AND barred.number = i.id)
                        OR (barred.kind = 'post' AND barred.number = i.post_id)
                        OR (barred.kind = 'media' AND barred.ref = i.media_id))""",
)


def covers(*, model_ids: Sequence[int], levels: int) -> dict[int, Image]:
    """A picture for each model: its maker's first, else the newest that was made with it."""
    with connection.cursor() as cursor:
        cursor.execute(_COVERS, {"models": list(model_ids), "levels": _rated(levels)})
        found = {model_id: image_id for model_id, image_id in cursor.fetchall() if image_id}
    images = Image.objects.select_related("media").in_bulk(set(found.values()))
    return {model_id: images[image_id] for model_id, image_id in found.items()}


def shown_by_maker(*, version_id: int, levels: int, limit: int = 20) -> list[Image]:
    """Pictures that a version's maker shows with it, in their order."""
    rows = public_images().filter(post__version_id=version_id, nsfw_level__in=_rated(levels))
    return list(rows.select_related("media", "owner").order_by("id")[:limit])


def samples_of(version: ModelVersion, *, viewer: User | None) -> list[Media]:
    """The sample pictures of a version that was trained here, as its viewer may see them."""
    rows = Media.objects.exclude(pk__in=likeness.blocked_ids("media"))
    found = rows.in_bulk(version.sample_media_ids)
    return [
        found[media_id]
        for media_id in version.sample_media_ids
        if media_id in found and media.may_open(viewer=viewer, media=found[media_id])
    ]


def postable(*, owner: User, limit: int = 60) -> list[Media]:
    """One's own ready pictures that stand in no public post yet, newest first."""
    posted = Image.objects.filter(media=OuterRef("pk"), status=Status.PUBLISHED)
    rows = Media.objects.filter(owner=owner, status=MediaStatus.READY).exclude(
        visibility=Visibility.HIDDEN
    )
    return list(
        rows.exclude(Exists(posted))
        .exclude(pk__in=likeness.blocked_ids("media"))
        .select_related("origin")
        .order_by("-created_at", "-id")[:limit]
    )


def neighbours(image: Image, *, levels: int) -> tuple[int | None, int | None]:
    """The pictures before and after this one in the newest-first feed."""
    rows = public_images().filter(nsfw_level__in=_rated(levels))
    newer = rows.filter(pk__gt=image.pk).order_by("pk").values_list("pk", flat=True).first()
    older = rows.filter(pk__lt=image.pk).order_by("-pk").values_list("pk", flat=True).first()
    return newer, older


def facts_of(image: Image, *, viewer: User | None) -> ImageFacts:
    """How a picture was made. Versions that the viewer cannot see are named without a link."""
    linked = list(
        image.resources.select_related("version", "version__model").order_by("-proven", "id")
    )
    blocked = set(
        likeness.blocked_ids("version")
        .filter(number__in=[r.version_id for r in linked])
        .values_list("number", flat=True)
    )
    staff = viewer is not None and viewer.is_staff
    resources = []
    known_ids: set[int] = set()
    for link in linked:
        version, model = link.version, link.version.model
        known_ids.add(version.pk)
        if version.pk in blocked and not staff:
            continue
        public = version.status == model.status == ModelStatus.PUBLISHED
        own = viewer is not None and viewer.pk == model.owner_id
        if not (public or own or staff):
            resources.append(
                UsedResource(
                    "A model that is not public", model.type, link.strength, proven=link.proven
                )
            )
            continue
        resources.append(
            UsedResource(
                name=model.name,
                type=model.type,
                strength=link.strength,
                version_id=version.pk,
                model_url=f"{model.get_absolute_url()}?version={version.pk}",
                version_name=version.name,
                trained_words=version.trained_words,
                proven=link.proven,
            )
        )
    origin = image.media.origin
    if origin is None:
        return ImageFacts("", "", {}, "", resources)
    if not any(link.proven for link in linked):
        resources.extend(_named(origin.resources, known_ids))
    return ImageFacts(
        prompt=origin.prompt,
        negative_prompt=origin.negative_prompt,
        settings=dict(origin.settings),
        generator=origin.generator,
        resources=resources,
    )


def _named(entries: list[Any], known_ids: set[int]) -> list[UsedResource]:
    """What the picture's own metadata names and this site does not have."""
    found = []
    for entry in entries:
        if not isinstance(entry, dict) or entry.get("version_id") in known_ids:
            continue
        strength = entry.get("strength")
        found.append(
            UsedResource(
                name=str(entry.get("name") or entry.get("hash") or "unnamed")[:120],
                type=str(entry.get("type") or ""),
                strength=float(strength) if isinstance(strength, int | float) else None,
            )
        )
    return found
