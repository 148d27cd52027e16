"""Trainings for tests, and an engine that learns nothing and draws foxes."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.factories import generation as generations
from tests.factories import photographs
from tests.factories.jobs import rich_user
from tests.factories.weights import safetensors

from atelier.media import services as media
from atelier.training import services
from atelier.training.engine import StoppedError
from atelier.training.spec import Request, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from atelier.accounts.models import User
    from atelier.media.models import Media
    from atelier.training.engine import Finished
    from atelier.training.models import Training


def picture(owner: User, data: bytes, name: str = "fox.png") -> Media:
    """A picture that was taken in and checked."""
    return media.receive_now(owner=owner, stream=io.BytesIO(data), filename=name)


def drawings(owner: User, count: int = 5) -> list[Media]:
    """Ready drawings of the fox, all different."""
    return [
        picture(owner, photographs.drawing(seed, size=128), f"fox_{seed}.png")
        for seed in range(count)
    ]


def request(owner: User, **fields: Any) -> Request:
    """Two short epochs on five drawings."""
    generations.base()
    if "media_ids" not in fields:
        fields["media_ids"] = tuple(row.pk for row in drawings(owner))
    return Request(
        **{
            "name": "Mofo the fox",
            "trigger_word": "mofo",
            "epochs": 2,
            "settings": Settings(steps_per_epoch=4),
            **fields,
        }
    )


def training(owner: User | None = None, **fields: Any) -> Training:
    """A queued training of two epochs."""
    user = owner or rich_user(1000)
    return services.start(owner=user, request=request(user, **fields))


@dataclass(frozen=True, slots=True)
class MadeSample:
    """A sample as the engine leaves it on disk."""

    prompt: str
    seed: int
    path: Path


@dataclass(frozen=True, slots=True)
class MadeEpoch:
    """An epoch as the engine leaves it on disk."""

    number: int
    lora_path: Path
    loss: float
    samples: Sequence[MadeSample]


@dataclass(slots=True)
class TestTrainer:
    """Writes an epoch's files after four steps; what stands in the folder is not done again."""

    person_in: frozenset[int] = frozenset()
    clean_samples: int = 0
    before_step: Callable[[int], None] = lambda _step: None
    learnt: list[int] = field(default_factory=list)
    pictures: Sequence[tuple[Path | bytes, str]] = ()
    __test__ = False

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
        self.pictures = pictures
        each = training.settings["steps_per_epoch"]
        total = each * training.epochs
        for number in range(1, training.epochs + 1):
            done = workdir / f"epoch-{number}.safetensors"
            if not done.exists():
                for step in range((number - 1) * each + 1, number * each + 1):
                    self.before_step(step)
                    if not checkpoint():
                        raise StoppedError
                    self.learnt.append(step)
                    on_step(step, total, 1.0 / step)
                done.write_bytes(safetensors(fill=f"{training.pk}{number}".encode()))
            on_epoch(self._epoch(training, number, done))

    def _epoch(self, training: Training, number: int, lora: Path) -> MadeEpoch:
        samples = []
        for place, prompt in enumerate(training.sample_prompts):
            path = lora.with_name(f"epoch-{number}-{place}.png")
            face = number in self.person_in and place >= self.clean_samples
            data = (
                photographs.real_woman()
                if face
                else photographs.drawing(10 * number + place, size=128)
            )
            path.write_bytes(data)
            samples.append(MadeSample(prompt, place, path))
        return MadeEpoch(number, lora, 0.5 / number, samples)
