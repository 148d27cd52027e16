"""What people do with pictures in public: post them, take them back; and what staff do."""

from __future__ import annotations

from atelier.gallery.services.counting import add_comments, add_reactions
from atelier.gallery.services.posting import ImageSpec, create_post, delete_post, update_post
from atelier.gallery.services.showcase import show_samples
from atelier.gallery.services.takedown import (
    hide_image,
    hide_post,
    remove_image,
    remove_post,
    unhide_image,
    unhide_post,
)

__all__ = [
    "ImageSpec",
    "add_comments",
    "add_reactions",
    "create_post",
    "delete_post",
    "hide_image",
    "hide_post",
    "remove_image",
    "remove_post",
    "show_samples",
    "unhide_image",
    "unhide_post",
    "update_post",
]
