"""What made a picture, read from the metadata that generators write into their files."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

log = logging.getLogger(__name__)
MAX_TEXT = 20_000
MAX_RESOURCES = 100


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
    if found is None:
        return None
    return OriginFacts(
        prompt=found.prompt[:MAX_TEXT],
        negative_prompt=found.negative_prompt[:MAX_TEXT],
        settings=dict(found.settings),
        resources=[dict(resource) for resource in found.resources[:MAX_RESOURCES]],
        generator=found.generator[:40],
    )
