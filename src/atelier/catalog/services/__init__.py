"""What people and other domains do with models: make, upload, clear, lock, publish, download."""

from __future__ import annotations

from atelier.catalog.services.base import ensure_base_model
from atelier.catalog.services.clearance import clear_version, refuse_version
from atelier.catalog.services.counting import (
    add_comments,
    add_images,
    add_ratings,
    add_tips,
    add_votes,
    record_download,
    roll_up_downloads,
)
from atelier.catalog.services.files import add_file_from_upload, share
from atelier.catalog.services.locks import lock, open_lock, unlock_for
from atelier.catalog.services.making import (
    Permissions,
    create_model,
    create_version,
    update_model,
    update_version,
)
from atelier.catalog.services.publishing import (
    hide_model,
    publish,
    remove_model,
    unhide_model,
    unpublish,
)
from atelier.catalog.services.trained import register_trained_version

__all__ = [
    "Permissions",
    "add_comments",
    "add_file_from_upload",
    "add_images",
    "add_ratings",
    "add_tips",
    "add_votes",
    "clear_version",
    "create_model",
    "create_version",
    "ensure_base_model",
    "hide_model",
    "lock",
    "open_lock",
    "publish",
    "record_download",
    "refuse_version",
    "register_trained_version",
    "remove_model",
    "roll_up_downloads",
    "share",
    "unhide_model",
    "unlock_for",
    "unpublish",
    "update_model",
    "update_version",
]
