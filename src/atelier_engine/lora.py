"""Training a LoRA: epoch by epoch, able to make room for others and to survive being killed."""

from collections.abc import Callable
from pathlib import Path

from atelier_engine.diffusion import Stopped
from atelier_engine.lora_run import Run
from atelier_engine.lora_spec import (
    EpochResult,
    RefusedTrainingError,
    Sample,
    TrainingSpec,
    completed,
    estimate_seconds,
    validate,
)

__all__ = [
    "EpochResult",
    "RefusedTrainingError",
    "Sample",
    "Stopped",
    "TrainingSpec",
    "completed",
    "estimate_seconds",
    "train",
]

_SAVE_EVERY = 25


def train(
    spec: TrainingSpec,
    *,
    workdir: Path,
    on_step: Callable[[int, int, float], None] | None = None,
    on_epoch: Callable[[EpochResult], None] | None = None,
    checkpoint: Callable[[], None] | None = None,
    cache: Path | None = None,
    weights: Path | None = None,
    announce_again: bool = False,
) -> tuple[EpochResult, ...]:
    """Train, and return all finished epochs.

    `checkpoint` is called between steps, also while samples are drawn: it may block to leave the
    cores to others, or raise Stopped, which keeps what is finished. Called again with the same spec
    and folder, a training goes on where it was; epochs of an earlier call are announced again
    only if asked. `cache` keeps pictures of the base model that several trainings share.
    """
    validate(spec)
    workdir.mkdir(parents=True, exist_ok=True)
    earlier = completed(workdir)
    if announce_again and on_epoch is not None:
        for epoch in earlier:
            on_epoch(epoch)
    if len(earlier) == spec.epochs:
        return earlier

    def announce(epoch: EpochResult) -> None:
        if on_epoch is not None:
            on_epoch(epoch)

    run = Run(
        spec,
        workdir=workdir,
        cache=cache or workdir,
        weights=weights,
        checkpoint=checkpoint or (lambda: None),
    )
    try:
        if run.owes_epoch:
            announce(run.finish_epoch())
        while run.step < spec.total_steps:
            _step(run, on_step or (lambda _step, _total, _loss: None))
            if run.ends_epoch:
                announce(run.finish_epoch())
    except Stopped:
        run.save()
        raise
    return completed(workdir)


def _step(run: Run, on_step: Callable[[int, int, float], None]) -> None:
    run.checkpoint()
    loss = run.learn()
    on_step(run.step, run.spec.total_steps, loss)
    if run.ends_epoch or run.step % _SAVE_EVERY == 0:
        run.save()
