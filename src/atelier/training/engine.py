"""The one place of this domain that speaks to the engine that trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from atelier.training.models import Training


class Sampled(Protocol):
    """A picture that an epoch drew, as a PNG on disk."""

    @property
    def prompt(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def path(self) -> Path: ...


class Finished(Protocol):
    """A finished epoch: its LoRA file, mean loss and samples."""

    @property
    def number(self) -> int: ...
    @property
    def lora_path(self) -> Path: ...
    @property
    def loss(self) -> float: ...
    @property
    def samples(self) -> Sequence[Sampled]: ...


class StoppedError(Exception):
    """The engine stopped because it was asked to; what it finished is kept in its folder."""


class CannotTrainError(Exception):
    """These settings or pictures can never be trained with; trying again will not help."""


class Trains(Protocol):
    """What a worker needs of an engine."""

    def train(
        self,
        training: Training,
        *,
        pictures: Sequence[tuple[Path | bytes, str]],
        workdir: Path,
        cache: Path,
        on_step: Callable[[int, int, float], None],
        on_epoch: Callable[[Finished], None],
        checkpoint: Callable[[], bool],
    ) -> None:
        """Train on from what ``workdir`` holds, and announce every epoch, earlier ones too.

        ``on_step`` gets the step, all steps and the loss. ``checkpoint`` is asked between steps; it
        may block, and false means stop: :class:`StoppedError`.
        """
        ...


def estimate_seconds(
    *, pictures: int, epochs: int, prompts: Sequence[str], settings: dict[str, Any]
) -> int:
    """How long the engine takes for a training, by its own measured speeds; loads no torch."""
    from atelier_engine import lora_spec

    planned = lora_spec.TrainingSpec(
        name="",
        pictures=((b"", ""),) * pictures,
        trigger_word="subject",
        epochs=epochs,
        sample_prompts=tuple(prompts),
        **settings,
    )
    return round(lora_spec.estimate_seconds(planned))


class LocalEngine:
    """Trains in this process."""

    def train(
        self,
        training: Training,
        *,
        pictures: Sequence[tuple[Path | bytes, str]],
        workdir: Path,
        cache: Path,
        on_step: Callable[[int, int, float], None],
        on_epoch: Callable[[Finished], None],
        checkpoint: Callable[[], bool],
    ) -> None:
        from atelier_engine import lora

        def pause() -> None:
            if not checkpoint():
                raise lora.Stopped

        spec = lora.TrainingSpec(
            name=training.name,
            pictures=tuple(pictures),
            trigger_word=training.trigger_word,
            epochs=training.epochs,
            sample_prompts=tuple(training.sample_prompts),
            base=training.base_model,
            **training.settings,
        )
        try:
            lora.train(
                spec,
                workdir=workdir,
                cache=cache,
                on_step=on_step,
                on_epoch=on_epoch,
                checkpoint=pause,
                announce_again=True,
            )
        except lora.Stopped as stopped:
            raise StoppedError from stopped
        except lora.RefusedTrainingError as problem:
            raise CannotTrainError(str(problem)) from problem
