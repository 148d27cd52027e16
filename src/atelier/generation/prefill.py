"""Starting from something that exists: a model, a picture of anybody's, or one's own generation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from atelier.catalog import queries as catalog
from atelier.catalog.models import Access, Clearance, ModelVersion, Status
from atelier.catalog.vocabulary import ModelType
from atelier.core.errors import DomainError, NotFound
from atelier.generation import queries
from atelier.generation.services import LORA_TYPES
from atelier.likeness import queries as likeness
from atelier.likeness.refs import Ref
from atelier.media import queries as media
from atelier_engine import families

if TYPE_CHECKING:
    from atelier.accounts.models import User
    from atelier.media.models import Origin

LISTED_MODELS = 100
_TEXTS = ("prompt", "negative_prompt")
_SETTINGS = ("steps", "cfg_scale", "sampler", "seed", "width", "height", "clip_skip")


@dataclass(slots=True)
class Prefill:
    """What the form starts with. ``missing`` names resources that this site does not have."""

    values: dict[str, Any] = field(default_factory=dict)
    checkpoint: ModelVersion | None = None
    loras: list[tuple[ModelVersion, float]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def from_version(*, reference: str, viewer: User | None) -> Prefill:
    """A model to draw with; raises :class:`NotFound` and the catalog's refusals."""
    version = catalog.resolve(reference)
    catalog.generatable(version=version, viewer=viewer)
    prefill = Prefill()
    _take(prefill, version, strength=1.0 if version.model.type == ModelType.CHECKPOINT else 0.8)
    if version.trained_words:
        prefill.values["prompt"] = ", ".join(version.trained_words)
    return prefill


def from_media(*, media_id: str, viewer: User | None) -> Prefill:
    """A picture that the viewer may see, to be made again with changes: a remix."""
    picture = media.get(media_id)
    if (
        not media.may_open(viewer=viewer, media=picture)
        or likeness.is_blocked(Ref("media", picture.pk))
        or picture.origin is None
    ):
        raise NotFound("There is no such picture, or nothing says how it was made.")
    return _from_origin(picture.origin, viewer)


def from_generation(*, generation_id: str, owner: User) -> Prefill:
    """One's own generation once more."""
    generation = queries.get_owned(owner=owner, generation_id=generation_id)
    return Prefill(
        values={name: getattr(generation, name) for name in (*_TEXTS, *_SETTINGS, "quantity")},
        checkpoint=generation.checkpoint,
        loras=[(item.version, item.strength) for item in generation.resources.all()],
    )


def choices(*, viewer: User | None) -> tuple[list[ModelVersion], list[ModelVersion]]:
    """Checkpoints and LoRAs that the viewer can draw with, the newest first."""
    drawable = (
        ModelVersion.objects.select_related("model")
        .filter(clearance=Clearance.CLEARED, base_model__in=families.names())
        .exclude(pk__in=likeness.blocked_ids("version"))
        .exclude(model_id__in=likeness.blocked_ids("model"))
        .exclude(model__status__in=[Status.HIDDEN, Status.REMOVED])
    )
    seen = Q(status=Status.PUBLISHED, model__status=Status.PUBLISHED, access=Access.PUBLIC)
    if viewer is not None:
        seen |= Q(status=Status.DRAFT, model__owner=viewer) | Q(unlocks__user=viewer)
    rows = drawable.filter(seen).distinct().order_by("-id")
    checkpoints = list(rows.filter(model__type=ModelType.CHECKPOINT)[:LISTED_MODELS])
    return checkpoints, list(rows.filter(model__type__in=LORA_TYPES)[:LISTED_MODELS])


def _from_origin(origin: Origin, viewer: User | None) -> Prefill:
    prefill = Prefill(values={name: getattr(origin, name) for name in _TEXTS})
    prefill.values |= {
        name: origin.settings[name] for name in _SETTINGS if origin.settings.get(name) is not None
    }
    for resource in origin.resources:
        version = _drawable(resource, viewer)
        if version is None:
            prefill.missing.append(str(resource.get("name") or "a model without a name"))
        else:
            _take(prefill, version, strength=_strength(resource))
    return prefill


def _drawable(resource: dict[str, Any], viewer: User | None) -> ModelVersion | None:
    try:
        version = catalog.resolve(str(resource.get("version_id") or ""))
        catalog.generatable(version=version, viewer=viewer)
    except DomainError:
        return None
    return version


def _strength(resource: dict[str, Any]) -> float:
    value = resource.get("strength")
    return float(value) if isinstance(value, int | float) else 1.0


def _take(prefill: Prefill, version: ModelVersion, *, strength: float) -> None:
    if version.model.type == ModelType.CHECKPOINT:
        prefill.checkpoint = version
    elif version.model.type in LORA_TYPES:
        prefill.loras.append((version, strength))
