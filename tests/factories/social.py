"""Pictures to react to, without the intake that they normally pass."""

from __future__ import annotations

import hashlib
import itertools
from typing import TYPE_CHECKING, Any

from tests.factories import accounts

from atelier.gallery.models import Image, Post
from atelier.media.models import Media
from atelier.social import services as social

if TYPE_CHECKING:
    from atelier.accounts.models import User
    from atelier.social.models import Comment

_numbers = itertools.count(1)


def post(owner: User | None = None, **fields: Any) -> Post:
    """A published post without pictures."""
    return Post.objects.create(owner=owner or accounts.user(), **fields)


def image(owner: User | None = None, **fields: Any) -> Image:
    """A published picture in a post of its own."""
    maker = owner or accounts.user()
    sha256 = hashlib.sha256(f"picture {next(_numbers)}".encode()).hexdigest()
    media = Media.objects.create(
        owner=maker,
        sha256=sha256,
        canonical_sha256=sha256,
        status="ready",
        visibility="public",
        width=64,
        height=64,
    )
    return Image.objects.create(post=post(maker), owner=maker, media=media, **fields)


def comment(author: User, target: Image, body: str = "A fine fox.", **fields: Any) -> Comment:
    """A comment under a picture."""
    return social.comment(
        author=author, target_kind="image", target_id=target.pk, body=body, **fields
    )
