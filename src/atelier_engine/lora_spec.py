"""What a training is asked for and what it gives back. No torch here: prices are quoted with it."""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

# Seconds on two cores with bfloat16, measured by bench/training.py.
_SECONDS_START = 12.0
_SECONDS_STEP = 0.07
_SECONDS_STEP_PICTURE = 0.022
_SECONDS_SAMPLE = 0.8
_SECONDS_PRIOR = 10.0


class RefusedTrainingError(ValueError):
    """Training that this engine does not do; the message names the reason."""


@dataclass(frozen=True, slots=True)
class TrainingSpec:
    """Everything that determines a training; equal specs give equal files."""

    name: str
    pictures: tuple[tuple[Path | bytes, str], ...] = field(repr=False)
    trigger_word: str
    epochs: int = 10
    repeats: int = 10
    steps_per_epoch: int | None = None
    rank: int = 16
    alpha: float = 16.0
    learning_rate: float = 1e-3
    batch: int = 4
    seed: int = 0
    text_encoder: bool = True
    prior_preservation: bool = True
    flip: bool = True
    sample_prompts: tuple[str, ...] = ()
    sample_steps: int = 20
    base: str = "Atelier Base"

    @property
    def steps_each_epoch(self) -> int:
        """Optimiser steps of one epoch."""
        if self.steps_per_epoch is not None:
            return self.steps_per_epoch
        return max(1, math.ceil(len(self.pictures) * self.repeats / self.batch))

    @property
    def total_steps(self) -> int:
        """Optimiser steps of the whole training."""
        return self.epochs * self.steps_each_epoch

    @property
    def prior_rows(self) -> int:
        """Pictures of ordinary subjects in each step."""
        return max(1, self.batch // 2) if self.prior_preservation else 0

    @property
    def captions(self) -> tuple[str, ...]:
        """Captions as learned: each names the trigger word."""
        trigger = self.trigger_word.strip()
        texts = []
        for _, caption in self.pictures:
            text = caption.strip()
            if trigger.lower() not in text.lower():
                text = f"{trigger}, {text}" if text else trigger
            texts.append(text)
        return tuple(texts)

    @property
    def prompts_to_sample(self) -> tuple[str, ...]:
        """Prompts drawn after each epoch."""
        return self.sample_prompts or (self.trigger_word, self.captions[0])


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture drawn by an epoch."""

    prompt: str
    seed: int
    path: Path

    @property
    def image(self) -> Image.Image:
        """The decoded picture."""
        with Image.open(self.path) as opened:
            return opened.convert("RGB")


@dataclass(frozen=True, slots=True)
class EpochResult:
    """A finished epoch: its file, mean loss and sample pictures."""

    number: int
    lora_path: Path
    loss: float
    samples: tuple[Sample, ...]


def validate(spec: TrainingSpec) -> None:
    """Refuse what cannot be trained, each with its own message."""
    refusals = {
        "A training needs at least one picture.": not spec.pictures,
        "A training needs a trigger word.": not spec.trigger_word.strip(),
        "Epochs must be 1 to 100.": not 1 <= spec.epochs <= 100,  # noqa: PLR2004
        "Steps must be 1 to 20,000.": not 1 <= spec.total_steps <= 20_000,  # noqa: PLR2004
        "Rank must be 1 to 128.": not 1 <= spec.rank <= 128,  # noqa: PLR2004
        "Alpha must be above 0 and at most 256.": not 0 < spec.alpha <= 256,  # noqa: PLR2004
        "The learning rate must be above 0 and at most 0.1.": not 0 < spec.learning_rate <= 0.1,  # noqa: PLR2004
        "The batch must be 1 to 32.": not 1 <= spec.batch <= 32,  # noqa: PLR2004
    }
    for message, refused in refusals.items():
        if refused:
            raise RefusedTrainingError(message)


def estimate_seconds(spec: TrainingSpec) -> float:
    """How long a training takes on two cores that have nothing else to do."""
    rows = spec.batch + spec.prior_rows
    steps = spec.total_steps * (_SECONDS_STEP + _SECONDS_STEP_PICTURE * rows)
    samples = spec.epochs * len(spec.prompts_to_sample) * _SECONDS_SAMPLE * spec.sample_steps / 20
    prior = _SECONDS_PRIOR if spec.prior_preservation else 0.0
    return _SECONDS_START + steps + samples + prior


def read_epoch(path: Path) -> EpochResult:
    """A finished epoch from the facts kept beside its file."""
    facts = json.loads(path.read_bytes())
    return EpochResult(
        number=int(facts["number"]),
        lora_path=path.with_name(facts["lora"]),
        loss=float(facts["loss"]),
        samples=tuple(
            Sample(sample["prompt"], int(sample["seed"]), path.with_name(sample["file"]))
            for sample in facts["samples"]
        ),
    )


def completed(workdir: Path) -> tuple[EpochResult, ...]:
    """Epochs that a training has finished in this folder, in order."""
    return tuple(read_epoch(path) for path in sorted(workdir.glob("epoch-*.json")))
