"""The one place of this domain that speaks to the engine that draws."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from PIL.Image import Image

    from atelier.generation.models import Generation


class Drawn(Protocol):
    """One finished picture as the engine hands it out."""

    @property
    def index(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def image(self) -> Image: ...


class StoppedError(Exception):
    """The engine stopped because it was asked to."""


class CannotDrawError(Exception):
    """These settings or weights can never be drawn with; trying again will not help."""


class Draws(Protocol):
    """What a worker needs of an engine."""

    def draw(
        self,
        generation: Generation,
        *,
        first: int,
        checkpoint: Path | None,
        loras: Sequence[tuple[Path, float, str]],
        on_step: Callable[[int, int, int], None],
        should_stop: Callable[[], bool],
    ) -> Iterator[Drawn]:
        """Pictures from number ``first`` on, in order.

        ``on_step`` gets the picture's number, the step and the steps. Raises :class:`StoppedError`
        at the next step once ``should_stop`` says so, and :class:`CannotDrawError`.
        """
        ...


class LocalEngine:
    """Draws in this process, with models that stay in memory between jobs."""

    def __init__(self) -> None:
        from atelier_engine.generate import Engine

        self._engine = Engine()

    def draw(
        self,
        generation: Generation,
        *,
        first: int,
        checkpoint: Path | None,
        loras: Sequence[tuple[Path, float, str]],
        on_step: Callable[[int, int, int], None],
        should_stop: Callable[[], bool],
    ) -> Iterator[Drawn]:
        from atelier_engine import generate

        spec = generate.Spec(
            prompt=generation.prompt,
            negative_prompt=generation.negative_prompt,
            width=generation.width,
            height=generation.height,
            steps=generation.steps,
            cfg_scale=generation.cfg_scale,
            sampler=generation.sampler,
            clip_skip=generation.clip_skip,
            seed=generation.seed + first,
            quantity=generation.quantity - first,
            loras=tuple(
                generate.LoraRef(path=path, strength=strength, sha256=sha256)
                for path, strength, sha256 in loras
            ),
            checkpoint=checkpoint,
            base=generation.base_model,
        )

        def step_of_all(index: int, step: int, steps: int) -> None:
            on_step(first + index, step, steps)

        try:
            for picture in self._engine.generate(spec, step_of_all, should_stop):
                yield generate.Picture(first + picture.index, picture.seed, picture.image)
        except generate.Stopped as stopped:
            raise StoppedError from stopped
        except (generate.RefusedSpecError, generate.UnusableWeightsError) as problem:
            raise CannotDrawError(str(problem)) from problem


@cache
def local() -> LocalEngine:
    """The engine of this process; loading it takes seconds, so it is kept."""
    return LocalEngine()
