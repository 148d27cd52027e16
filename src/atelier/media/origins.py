"""What made a picture, read from the metadata that generators write into their files."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from atelier_engine.metadata import Resource, Settings

log = logging.getLogger(__name__)
MAX_TEXT = 20_000
MAX_RESOURCES = 100
SETTINGS = ("steps", "sampler", "cfg_scale", "seed", "width", "height", "clip_skip")


@dataclass(frozen=True, slots=True)
class OriginFacts:
    """A prompt, its settings and its resources.

    ``settings`` has any of ``steps, sampler, scheduler, cfg_scale, seed, width, height, clip_skip,
    denoise``; a resource has ``name, type, strength`` and where known ``version_id, hash``.
    """

    prompt: str = ""
    negative_prompt: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    resources: list[dict[str, Any]] = field(default_factory=list)
    generator: str = "declared"


def read(data: bytes) -> OriginFacts | None:
    """What a file says of its making, or ``None``. A strange file says nothing; it never fails."""
    try:
        from atelier_engine import metadata

        found = metadata.read(data)
    except Exception:
        # Metadata is a courtesy of the file: unreadable is the same as absent.
        log.exception("metadata could not be read")
        return None
    return None if found is None else _facts(found)


def _facts(found: Settings) -> OriginFacts | None:
    settings = {name: getattr(found, name) for name in SETTINGS}
    if found.seed is not None and not -(2**63) <= found.seed < 2**63:
        settings["seed"] = None  # no generator has such a seed
    resources = [] if not (found.model or found.model_hash) else [_checkpoint(found)]
    resources += [_resource(resource) for resource in found.resources[:MAX_RESOURCES]]
    facts = OriginFacts(
        prompt=_clean(found.prompt)[:MAX_TEXT],
        negative_prompt=_clean(found.negative_prompt)[:MAX_TEXT],
        settings={name: value for name, value in settings.items() if value is not None},
        resources=resources,
        # Our own name in a stranger's file is a claim; the generation's id alone is proof.
        generator=_clean(found.generator)[:40] or "unknown",
    )
    return facts if facts.prompt or facts.settings or facts.resources else None


def _clean(text: str | None) -> str:
    """PostgreSQL holds no NUL, and half a surrogate is no character."""
    return (text or "").replace("\x00", "").encode("utf-8", "ignore").decode()


def _checkpoint(found: Settings) -> dict[str, Any]:
    return _known({"name": found.model, "type": "Checkpoint", "hash": found.model_hash})


def _resource(resource: Resource) -> dict[str, Any]:
    return _known(
        {
            "name": resource.name,
            "type": resource.kind,
            "strength": resource.strength,
            "hash": resource.hash,
            "version_id": resource.version,
        }
    )


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _clean(value)[:200] if isinstance(value, str) else value
        for name, value in values.items()
        if value is not None
    }
