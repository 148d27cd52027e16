"""Which versions made a picture, told by its origin and by its owner."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from atelier.catalog import queries as catalog
from atelier.catalog.vocabulary import MAX_INT, ModelType
from atelier.core.errors import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atelier.accounts.models import User
    from atelier.catalog.models import ModelVersion
    from atelier.media.models import Media

MAX_RESOURCES = 20
STRENGTH_LIMIT = 10.0


@dataclass(frozen=True, slots=True)
class ResourceSpec:
    """A version that an owner says made their picture, by id or AIR."""

    version: int | str
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Maker:
    """A version that made a picture; ``proven`` when our own generator says so."""

    version: ModelVersion
    strength: float
    proven: bool


def makers_of(*, media: Media, declared: Sequence[ResourceSpec], owner: User) -> list[Maker]:
    """The versions of this site that made a picture, each once.

    What the picture's own metadata names and this site does not know is left out; what the owner
    names must exist for them.
    """
    if len(declared) > MAX_RESOURCES:
        raise Invalid.field("resources", f"at most {MAX_RESOURCES}")
    found: dict[int, Maker] = {}
    if media.origin is not None:
        proven = media.generated and bool(media.origin.generation_id)
        for entry in media.origin.resources[:MAX_RESOURCES]:
            version = _known(entry, owner)
            if version is not None:
                strength = _strength(entry.get("strength", 1.0))
                found.setdefault(version.pk, Maker(version, strength, proven))
    for spec in declared:
        if not math.isfinite(spec.strength) or abs(spec.strength) > STRENGTH_LIMIT:
            raise Invalid.field(
                "resources", f"strength is from -{STRENGTH_LIMIT} to {STRENGTH_LIMIT}"
            )
        version = catalog.version_for(version_id=catalog.resolve(spec.version).pk, viewer=owner)
        found.setdefault(version.pk, Maker(version, spec.strength, proven=False))
    return list(found.values())


def base_model_of(makers: Sequence[Maker]) -> str:
    """The base model that a picture was drawn with: its checkpoint's, else its adapters'."""
    ordered = sorted(makers, key=lambda maker: maker.version.model.type != ModelType.CHECKPOINT)
    return ordered[0].version.base_model if ordered else ""


def _known(entry: Any, owner: User) -> ModelVersion | None:
    if not isinstance(entry, dict):
        return None
    try:
        reference = entry.get("version_id")
        if isinstance(reference, int) and 1 <= reference <= MAX_INT:
            return catalog.version_for(version_id=reference, viewer=owner)
        if (name := entry.get("hash")) and isinstance(name, str):
            return catalog.by_hash(name)
    except NotFound:
        return None
    return None


def _strength(value: Any) -> float:
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) <= STRENGTH_LIMIT:
        return float(value)
    return 1.0
