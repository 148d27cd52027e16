"""Finding models and versions, and who may have them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, OuterRef, Q

from atelier.catalog.errors import Locked, Quarantined
from atelier.catalog.models import (
    Access,
    AiModel,
    Clearance,
    FileUnlock,
    ModelFile,
    ModelVersion,
    Source,
    Status,
)
from atelier.catalog.vocabulary import ALL_LEVELS, BASE_MODELS, MAX_INT, SFW_LEVELS, Rating
from atelier.core import pagination
from atelier.core.errors import Invalid, NotFound, Unauthenticated
from atelier.likeness import queries as likeness
from atelier.likeness.refs import Ref

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from atelier.accounts.models import User

_AIR = re.compile(
    r"(?:urn:)?(?:air:)?(?:[\w/-]+:)?(?:[\w/-]+:)?civitai:(?P<model>\d+)@(?P<version>\d+)"
    r"(?:\+\d+)?(?:\.\w+)?",
    re.IGNORECASE | re.ASCII,
)
# The best first: what a client gets that asks for nothing in particular.
_PREFERRED = {"format": "SafeTensor", "extent": "pruned", "precision": "fp16"}


def resolve(reference: int | str) -> ModelVersion:
    """The version that an id or an AIR names; raises :class:`NotFound`."""
    text = str(reference).strip()
    model_id = None
    if match := _AIR.fullmatch(text):
        model_id, text = int(match["model"]), match["version"]
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_INT:
        raise NotFound(f"{str(reference)[:80]!r} names no version: use its id or its AIR.")
    version = (
        ModelVersion.objects.select_related("model", "model__owner").filter(pk=int(text)).first()
    )
    if version is None or (model_id is not None and version.model_id != model_id):
        raise NotFound(f"There is no version {str(reference)[:80]}.")
    return version


def published_models() -> QuerySet[AiModel]:
    """Models that everybody may see."""
    return AiModel.objects.filter(status=Status.PUBLISHED).exclude(
        pk__in=likeness.blocked_ids("model")
    )


def published_versions() -> QuerySet[ModelVersion]:
    """Versions that everybody may see and have."""
    return (
        ModelVersion.objects.filter(
            status=Status.PUBLISHED,
            clearance=Clearance.CLEARED,
            access=Access.PUBLIC,
            model__status=Status.PUBLISHED,
        )
        .exclude(pk__in=likeness.blocked_ids("version"))
        .exclude(model_id__in=likeness.blocked_ids("model"))
    )


SORTS = {
    "newest": ("-last_version_at", "-id"),
    "downloads": ("-download_count", "-id"),
    "liked": ("-thumbs_up_count", "-id"),
    "images": ("-image_count", "-id"),
}


def search(
    *,
    words: str = "",
    type: str = "",  # noqa: A002 - the contract's word
    base_model: str = "",
    tag: str = "",
    owner_id: int | None = None,
    levels: int = SFW_LEVELS,
    sort: str = "newest",
    after: str | None = None,
    limit: int | None = None,
) -> pagination.Page[AiModel]:
    """A page of public models whose content stays within ``levels``."""
    if sort not in SORTS:
        raise Invalid.field("sort", f"must be one of {', '.join(SORTS)}")
    unwanted = ALL_LEVELS & ~levels & ~Rating.PG
    rows = (
        published_models()
        .select_related("owner")
        # Values rather than a mask, whose selectivity PostgreSQL could only guess.
        .filter(nsfw_level__in=[mask for mask in range(64) if not mask & unwanted])
        .filter(Exists(published_versions().filter(model=OuterRef("pk"))))
    )
    if parts := re.findall(r"\w+", words.lower())[:12]:
        rows = rows.filter(
            words=SearchQuery(
                " & ".join(f"{part}:*" for part in parts), config="simple", search_type="raw"
            )
        )
    if type:
        rows = rows.filter(type=type)
    if base_model:
        based = ModelVersion.objects.filter(
            model=OuterRef("pk"), status=Status.PUBLISHED, base_model=base_model
        )
        rows = rows.filter(Exists(based))
    if tag:
        rows = rows.filter(tags__name=tag.lower())
    if owner_id is not None:
        rows = rows.filter(owner_id=owner_id)
    return pagination.paginate(rows, order=SORTS[sort], after=after, limit=limit)


def model_for(*, model_id: int, viewer: User | None) -> AiModel:
    """A model as its viewer may see it: drafts are their owner's, hidden ones staff's."""
    model = AiModel.objects.select_related("owner").filter(pk=model_id).first()
    staff = viewer is not None and viewer.is_staff
    if model is None or (likeness.is_blocked(Ref("model", model.pk)) and not staff):
        raise NotFound(f"No model with id {model_id}")
    own = viewer is not None and viewer.pk == model.owner_id
    if model.status == Status.PUBLISHED or staff or (own and model.status == Status.DRAFT):
        return model
    raise NotFound(f"No model with id {model_id}")


def versions_for(*, model: AiModel, viewer: User | None) -> list[ModelVersion]:
    """A model's versions in order, as its viewer may see them."""
    rows = model.versions.order_by("index", "id").prefetch_related("files")
    if viewer is not None and viewer.is_staff:
        return list(rows)
    rows = rows.exclude(pk__in=likeness.blocked_ids("version"))
    shown = Q(status=Status.PUBLISHED, clearance=Clearance.CLEARED)
    if viewer is not None and viewer.pk == model.owner_id:
        shown |= Q(status=Status.DRAFT)
    return list(rows.filter(shown))


def models_of(owner: User) -> QuerySet[AiModel]:
    """One's own models that staff did not take down, drafts too."""
    return AiModel.objects.filter(owner=owner, status__in=[Status.DRAFT, Status.PUBLISHED])


def blocked_versions(model_ids: list[int]) -> frozenset[int]:
    """Which versions of these models likeness does not let be shown."""
    rows = ModelVersion.objects.filter(
        model_id__in=model_ids, pk__in=likeness.blocked_ids("version")
    )
    return frozenset(rows.values_list("pk", flat=True))


def visible_of(
    versions: list[ModelVersion], *, viewer: User | None, blocked: frozenset[int]
) -> list[ModelVersion]:
    """As :func:`versions_for`, of versions that are loaded already."""
    found = []
    for version in versions:
        if viewer is not None and viewer.is_staff:
            found.append(version)
        elif version.pk in blocked:
            continue
        elif (version.status == Status.PUBLISHED and version.clearance == Clearance.CLEARED) or (
            version.status == Status.DRAFT
            and viewer is not None
            and viewer.pk == version.model.owner_id
        ):
            found.append(version)
    return found


def version_for(*, version_id: int, viewer: User | None) -> ModelVersion:
    """A version as its viewer may see it. Seeing is not having: see :func:`downloadable`."""
    version = (
        ModelVersion.objects.select_related("model", "model__owner").filter(pk=version_id).first()
    )
    if version is None or not _may_know(version, viewer):
        raise NotFound("Model not found")
    return version


def _may_know(version: ModelVersion, viewer: User | None) -> bool:
    """Whether the viewer may know that a version exists."""
    if viewer is not None and viewer.is_staff:
        return True
    model = version.model
    states = {version.status, model.status}
    if states & {Status.HIDDEN, Status.REMOVED} or _is_blocked(version):
        return False
    # An entry's samples are shown to everybody, so that it exists is no secret.
    if states == {Status.PUBLISHED} or version.access == Access.LOCKED:
        return True
    return viewer is not None and (viewer.pk == model.owner_id or _unlocked(version, viewer))


def require_available(*, version: ModelVersion, viewer: User | None) -> None:
    """Raises unless ``viewer`` may have the weights now.

    :class:`NotFound` for what they may not know of, :class:`Quarantined` for what nobody may have
    yet, :class:`Locked` for an entry's files, :class:`Unauthenticated` where signing in may help.
    """
    if not _may_know(version, viewer) or _is_blocked(version):
        raise NotFound("File not found")
    if Status.REMOVED in {version.status, version.model.status}:
        raise NotFound("File not found")
    if version.clearance == Clearance.REFUSED:
        raise Quarantined(f"These weights were refused: {version.clearance_reason}")
    if version.clearance != Clearance.CLEARED:
        raise Quarantined(
            "Weights from elsewhere wait for a review; until then nobody can have them."
        )
    if version.access != Access.LOCKED:
        return
    if viewer is None:
        raise Unauthenticated("This file is locked; sign in if it was unlocked for you.")
    if viewer.is_staff or viewer.pk == version.model.owner_id or _unlocked(version, viewer):
        return
    raise Locked("This file belongs to a bounty entry and opens when the entry is awarded.")


def generatable(*, version: ModelVersion, viewer: User | None) -> ModelFile:
    """The file that the site draws with; raises as :func:`require_available` does."""
    require_available(version=version, viewer=viewer)
    entry = BASE_MODELS.get(version.base_model)
    if entry is None or not entry.family:
        raise NotFound(f"This site does not draw with {version.base_model} models.")
    return primary_file(version)


def is_generatable(version: ModelVersion) -> bool:
    """Whether the site can draw with a version that is available."""
    entry = BASE_MODELS.get(version.base_model)
    return bool(entry and entry.family) and version.clearance == Clearance.CLEARED


def base_version(base_model: str = "") -> ModelVersion:
    """The site's own checkpoint, newest first, of one base model or of any; :class:`NotFound`."""
    rows = published_versions().select_related("model").filter(source=Source.BASE)
    if base_model:
        rows = rows.filter(base_model=base_model)
    found = rows.order_by("-id").first()
    if found is None:
        raise NotFound("This site has no base model to draw with yet.")
    return found


def primary_file(version: ModelVersion) -> ModelFile:
    """The file that a version is about."""
    found = version.files.order_by("-is_primary", "id").first()
    if found is None:
        raise NotFound("File not found")
    return found


def pick_file(*, version: ModelVersion, wanted: dict[str, str], file_id: int | None) -> ModelFile:
    """The file of a version that fits what was asked for, by the contract's rules."""
    files = list(version.files.order_by("id"))
    if file_id is not None:
        found = next((file for file in files if file.pk == file_id), None)
        if found is None:
            raise NotFound("File not found")
        return found
    if "type" in wanted:
        files = [file for file in files if file.type == wanted["type"]]
    if not files:
        raise NotFound("File not found")
    preference = {**_PREFERRED, **{key: wanted[key] for key in _PREFERRED if key in wanted}}
    best = max(files, key=lambda file: _score(file, preference))
    for key in _PREFERRED:
        has = getattr(best, key)
        if key in wanted and has and has != wanted[key]:
            raise NotFound("File not found")
    return best


def _score(file: ModelFile, preference: dict[str, str]) -> int:
    score = 1000 if file.is_primary else 0
    for key, worth in (("format", 100), ("extent", 10), ("precision", 1)):
        has = getattr(file, key)
        if has:
            score += worth if has == preference[key] else -worth
    return score


def by_hash(value: str) -> ModelVersion | None:
    """The public version with a file of this hash, any of the six in any case; the earliest."""
    return (
        published_versions()
        .select_related("model", "model__owner")
        .filter(files__hash_rows__value=value.upper())
        .order_by("published_at", "id")
        .first()
    )


def by_sha256(sha256: str) -> QuerySet[ModelFile]:
    """Files whose bytes have this hash."""
    return ModelFile.objects.filter(sha256=sha256.lower())


def _is_blocked(version: ModelVersion) -> bool:
    return likeness.is_blocked(Ref("version", version.pk)) or likeness.is_blocked(
        Ref("model", version.model_id)
    )


def _unlocked(version: ModelVersion, viewer: User) -> bool:
    return FileUnlock.objects.filter(version=version, user=viewer).exists()
