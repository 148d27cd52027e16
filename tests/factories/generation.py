"""Generations for tests, and an engine that draws without a model."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PIL import Image
from tests.factories import photographs
from tests.factories.jobs import rich_user
from tests.factories.weights import safetensors

from atelier.catalog import services as catalog
from atelier.core import storage
from atelier.generation import services
from atelier.generation.engine import CannotDrawError, StoppedError
from atelier.generation.spec import Request
from atelier.jobs import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from atelier.accounts.models import User
    from atelier.catalog.models import ModelVersion
    from atelier.generation.models import Generation


def base() -> ModelVersion:
    """The site's base model, as a catalog entry."""
    path = files.work_folder("tests") / "atelier_base.safetensors"
    path.write_bytes(
        safetensors(
            {
                "model.diffusion_model.input_blocks.0.0.weight": (4, 4),
                "first_stage_model.encoder.conv_in.weight": (4, 4),
                "cond_stage_model.transformer.text_model.embeddings.position_ids": (4, 4),
            },
            fill=b"base",
        )
    )
    return catalog.ensure_base_model(path=path)


def generation(owner: User | None = None, **fields: Any) -> Generation:
    """A queued generation of two pictures with three steps."""
    base()
    request = Request(**{"prompt": "a drawn fox", "steps": 3, "quantity": 2, "seed": 100, **fields})
    return services.request(owner=owner or rich_user(100), request=request)


@dataclass(frozen=True, slots=True)
class DrawnPicture:
    """What the test engine hands out."""

    index: int
    seed: int
    image: Image.Image


@dataclass(slots=True)
class TestEngine:
    """Draws a small fox for each seed; ``photographs_at`` numbers show a real woman."""

    photographs_at: frozenset[int] = frozenset()
    before_step: Callable[[int, int], None] = lambda _index, _step: None
    cannot: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    __test__ = False

    def draw(
        self,
        generation: Generation,
        *,
        first: int,
        checkpoint: Path | None,
        loras: Sequence[tuple[Path, float, str]],
        on_step: Callable[[int, int, int], None],
        should_stop: Callable[[], bool],
    ) -> Iterator[DrawnPicture]:
        self.calls.append({"first": first, "checkpoint": checkpoint, "loras": list(loras)})
        if self.cannot:
            raise CannotDrawError(self.cannot)
        for index in range(first, generation.quantity):
            for step in range(1, generation.steps + 1):
                self.before_step(index, step)
                on_step(index, step, generation.steps)
                if should_stop():
                    raise StoppedError
            seed = generation.seed + index
            data = (
                photographs.real_woman(index)
                if index in self.photographs_at
                else photographs.drawing(seed)
            )
            image = Image.open(io.BytesIO(data)).convert("RGB").resize((256, 256))
            yield DrawnPicture(index, seed, image)


def stored_png(media: Any) -> bytes:
    """The bytes that the site gives out for a generated picture."""
    return storage.blobs().read(media.sha256)
