"""Pictures for tests, taken in through the services."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from tests.factories import photographs

from atelier.media import services as media
from atelier.media.origins import OriginFacts

if TYPE_CHECKING:
    from atelier.accounts.models import User
    from atelier.media.models import Media

PROMPT = "a small fox, drawn, flat colours"


def upload(owner: User, data: bytes, *, filename: str = "picture.png") -> Media:
    """Bytes as an upload, checked at once: ready, or refused."""
    return media.receive_now(owner=owner, stream=io.BytesIO(data), filename=filename)


def drawing(owner: User, seed: int = 0) -> Media:
    """A ready drawing of a fox."""
    made = upload(owner, photographs.drawing(seed), filename=f"fox-{seed}.png")
    assert made.status == "ready", made.refusal_detail
    return made


def drawings(owner: User, count: int) -> list[Media]:
    """Several different ready drawings."""
    return [drawing(owner, seed) for seed in range(count)]


def photograph(owner: User, number: int = 0) -> Media:
    """A ready, private photograph of a real woman."""
    made = upload(owner, photographs.real_woman(number), filename=f"photo-{number}.png")
    assert made.status == "ready", made.refusal_detail
    return made


def output(owner: User, seed: int = 0, *, generation_id: str = "gen_test") -> Media:
    """A ready picture of this site's own generator, with prompt and settings."""
    made = media.register_output(
        owner=owner,
        png_bytes=photographs.drawing(seed),
        origin=OriginFacts(
            prompt=PROMPT,
            settings={"steps": 20, "sampler": "DDIM", "cfg_scale": 4.0, "seed": seed},
            resources=[{"name": "Atelier Base", "type": "Checkpoint"}],
            generator="atelier",
        ),
        generation_id=generation_id,
    )
    assert made.status == "ready", made.refusal_detail
    return made
