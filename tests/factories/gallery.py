"""Pictures and posts for tests. Pictures are rows as intake leaves them, without its detectors."""

from __future__ import annotations

import hashlib
import itertools
from typing import TYPE_CHECKING, Any

from tests.factories import accounts

from atelier.core import storage
from atelier.gallery import services
from atelier.gallery.services import ImageSpec
from atelier.media.models import Blob, Media, Origin, Scan, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atelier.accounts.models import User
    from atelier.gallery.models import Image, Post

_numbers = itertools.count(1)


def picture(owner: User, **fields: Any) -> Media:
    """A ready drawing that shows nobody; ``scan`` overrides what the detectors saw."""
    number = next(_numbers)
    canonical = hashlib.sha256(f"picture {number}".encode()).hexdigest()
    scan = fields.pop("scan", {})
    sizes: dict[str, dict[str, str]] = {}
    for width in (320, 640):
        stored = storage.blobs().put_bytes(f"webp {number} {width}".encode())
        Blob.objects.create(sha256=stored.sha256, size_bytes=stored.size, content_type="image/webp")
        sizes[str(width)] = {"webp": stored.sha256, "avif": stored.sha256}
    media = Media.objects.create(
        **{
            "owner": owner,
            "filename": f"picture{number}.png",
            "sha256": canonical,
            "canonical_sha256": canonical,
            "status": Status.READY,
            "width": 640,
            "height": 480,
            "dominant_color": "#336699",
            "derivatives": sizes,
            **fields,
        }
    )
    Scan.objects.create(
        media=media,
        canonical_sha256=canonical,
        **{
            "real_faces": 0,
            "drawn_faces": 0,
            "photoreal": 0.0,
            "sexual": "none",
            "minor_signal": False,
            "rating": media.rating,
            **scan,
        },
    )
    return media


def origin(**fields: Any) -> Origin:
    """What made a picture, as its metadata says."""
    return Origin.objects.create(
        **{
            "prompt": "a small fox, drawing",
            "negative_prompt": "blurry",
            "settings": {"seed": 7, "steps": 20, "sampler": "Euler a", "cfg_scale": 6.5},
            "resources": [],
            "generator": "a1111",
            **fields,
        }
    )


def post(owner: User | None = None, pictures: Sequence[Media] | None = None, **fields: Any) -> Post:
    """A public post of one picture, unless pictures are given."""
    person = owner or accounts.user()
    shown = [picture(person)] if pictures is None else pictures
    return services.create_post(
        **{
            "owner": person,
            "title": "A fox",
            "images": [ImageSpec(media_id=one.pk) for one in shown],
            **fields,
        }
    )


def image(owner: User | None = None, **fields: Any) -> Image:
    """A public picture in a post of its own."""
    person = owner or accounts.user()
    return post(person, [picture(person, **fields)]).images.get()
