"""A trained version's samples are its first pictures in the gallery."""

from __future__ import annotations

import logging
from typing import Any

from atelier.catalog import queries as catalog
from atelier.core.errors import DomainError, NotFound
from atelier.gallery.services.posting import MAX_IMAGES, ImageSpec, create_post
from atelier.media import queries as media

log = logging.getLogger(__name__)


def show_samples(payload: dict[str, Any]) -> None:
    """Posts the samples of a version that was just published, once, in its maker's name."""
    try:
        version = catalog.resolve(payload["version_id"])
    except NotFound:
        return
    if not version.sample_media_ids:
        return
    owner = version.model.owner
    try:
        ready = media.get_ready(owner=owner, ids=version.sample_media_ids[:MAX_IMAGES])
        create_post(
            owner=owner,
            title=f"{version.model.name} {version.name}"[:100],
            images=[ImageSpec(media_id=picture.pk) for picture in ready],
            version=version,
            key=f"samples:{version.pk}",
        )
    except DomainError as refusal:
        # The model stays public without them; what is refused now would be refused again.
        log.warning("samples of version %s were not posted: %s", version.pk, refusal.detail)
