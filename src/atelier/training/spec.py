"""What may be trained: every rule with its own message, the price, and the expected time."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from atelier.core.errors import FieldError, Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_PICTURES = 5
MAX_PICTURES = 1000
MIN_SIDE = 64
MAX_EPOCHS = 50
MAX_STEPS = 20_000
MAX_CAPTION = 600
MAX_NAME = 80
MAX_TRIGGER = 40
MAX_SAMPLE_PROMPTS = 4
MAX_SAMPLE_PROMPT = 400
DEFAULT_EPOCHS = 10
LOWEST_PRICE = 500
# Twenty pictures for ten epochs with the usual repeats are 500 steps of four pictures.
USUAL_BATCH = 4
USUAL_REPEATS = 10
MOST_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train; the defaults are those of the engine.

    Without ``repeats`` each picture is seen ten times an epoch, less often in a large dataset.
    """

    repeats: int | None = None
    steps_per_epoch: int | None = None
    rank: int = 16
    alpha: float = 16.0
    learning_rate: float = 1e-3
    batch: int = USUAL_BATCH
    seed: int = 0
    text_encoder: bool = True
    prior_preservation: bool = True
    flip: bool = True

    def steps_of_epoch(self, pictures: int) -> int:
        """Optimiser steps of one epoch."""
        if self.steps_per_epoch is not None:
            return self.steps_per_epoch
        return max(1, math.ceil(pictures * self.repeats_of(pictures) / self.batch))

    def repeats_of(self, pictures: int) -> int:
        """How often an epoch shows each picture."""
        if self.repeats is not None:
            return self.repeats
        return max(1, min(USUAL_REPEATS, MOST_SHOWN // max(1, pictures)))

    def as_json(self, *, pictures: int) -> dict[str, Any]:
        """All settings by name, nothing left open."""
        return {**asdict(self), "repeats": self.repeats_of(pictures)}


@dataclass(frozen=True, slots=True)
class Request:
    """A training as it was asked for."""

    name: str
    media_ids: tuple[str, ...]
    trigger_word: str
    captions: tuple[str, ...] = ()
    base: str = ""
    epochs: int = DEFAULT_EPOCHS
    sample_prompts: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)


def check(request: Request) -> None:
    """All rules that need no look-up; raises :class:`Invalid` naming every broken one."""
    settings = request.settings
    count = len(request.media_ids)
    captions = request.captions
    steps = settings.steps_of_epoch(max(1, count)) * max(1, request.epochs)
    rules: Sequence[tuple[bool, str, str]] = (
        (
            1 <= len(request.name.strip()) <= MAX_NAME,
            "name",
            f"must have 1 to {MAX_NAME} characters",
        ),
        (
            1 <= len(request.trigger_word.strip()) <= MAX_TRIGGER
            and request.trigger_word.strip().isprintable(),
            "trigger_word",
            f"must have 1 to {MAX_TRIGGER} characters; it is the word that calls your subject",
        ),
        (
            MIN_PICTURES <= count <= MAX_PICTURES,
            "images",
            f"must be {MIN_PICTURES} to {MAX_PICTURES} pictures, not {count}",
        ),
        (
            not captions or len(captions) == count,
            "captions",
            f"must be one for each picture: {len(captions)} captions for {count} pictures",
        ),
        (
            all(len(text) <= MAX_CAPTION and "\x00" not in text for text in captions),
            "captions",
            f"must have at most {MAX_CAPTION} characters each",
        ),
        (1 <= request.epochs <= MAX_EPOCHS, "epochs", f"must be from 1 to {MAX_EPOCHS}"),
        (
            len(request.sample_prompts) <= MAX_SAMPLE_PROMPTS
            and all(
                1 <= len(text.strip()) <= MAX_SAMPLE_PROMPT and "\x00" not in text
                for text in request.sample_prompts
            ),
            "sample_prompts",
            f"must be at most {MAX_SAMPLE_PROMPTS}, of 1 to {MAX_SAMPLE_PROMPT} characters",
        ),
        (1 <= settings.repeats_of(count) <= 100, "repeats", "must be from 1 to 100"),  # noqa: PLR2004
        (
            settings.steps_per_epoch is None or settings.steps_per_epoch >= 1,
            "steps_per_epoch",
            "must be at least 1",
        ),
        (steps <= MAX_STEPS, "epochs", f"makes more than {MAX_STEPS:,} steps in all"),
        (1 <= settings.rank <= 64, "rank", "must be from 1 to 64"),  # noqa: PLR2004
        (0 < settings.alpha <= 128, "alpha", "must be above 0 and at most 128"),  # noqa: PLR2004
        (
            0 < settings.learning_rate <= 0.01,  # noqa: PLR2004
            "learning_rate",
            "must be above 0 and at most 0.01",
        ),
        (1 <= settings.batch <= 8, "batch", "must be from 1 to 8"),  # noqa: PLR2004
        (0 <= settings.seed < 2**32, "seed", "must be from 0 to 4294967295"),
    )
    problems = tuple(FieldError(name, rule) for holds, name, rule in rules if not holds)
    if problems:
        raise Invalid(
            " ".join(f"{problem.field}: {problem.rule}." for problem in problems), errors=problems
        )


def price(*, pictures: int, epochs: int, settings: Settings) -> int:
    """Sparks for a training: one for each step of four pictures, at least 500.

    So 500 Sparks buy up to twenty pictures for ten epochs with the usual settings.
    """
    steps = settings.steps_of_epoch(pictures) * epochs
    return max(LOWEST_PRICE, math.ceil(steps * settings.batch / USUAL_BATCH))


def prompts_to_sample(
    *, trigger_word: str, captions: Sequence[str], chosen: Sequence[str]
) -> list[str]:
    """What each epoch draws: the chosen prompts, else the subject alone and as first described.

    The last ones are canaries, which ask for photographs of the subject: should the weights have
    learnt a real person, it shows there.
    """
    trigger = trigger_word.strip()
    wanted = [text.strip() for text in chosen]
    if not wanted:
        first = captions[0].strip() if captions else ""
        described = first if trigger.lower() in first.lower() else f"{trigger}, {first}"
        wanted = [trigger, described] if first else [trigger]
    return list(dict.fromkeys([*wanted, *canary_prompts(trigger)]))


def canary_prompts(trigger_word: str) -> list[str]:
    """Prompts that would bring a learnt real person to light."""
    return [f"photo of {trigger_word}", f"photo of {trigger_word}, face"]
