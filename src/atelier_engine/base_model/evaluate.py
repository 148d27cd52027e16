"""What the model draws: a sheet for the eye, and a classifier that names the pictures."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import nn
from typing_extensions import override

from atelier_engine.base_model import codec, data
from atelier_engine.base_model.export import GENERATION_DEFAULTS

if TYPE_CHECKING:
    from pathlib import Path

    from atelier_engine.base_model.libraries import Pipeline
    from atelier_engine.base_model.vocabulary import Word


def pictures(
    *,
    pipeline: Pipeline,
    prompts: list[str],
    seed: int = 1,
    steps: int = int(GENERATION_DEFAULTS["steps"]),
    guidance: float = float(GENERATION_DEFAULTS["guidance_scale"]),
    rescale: float = float(GENERATION_DEFAULTS["guidance_rescale"]),
    batch: int = 32,
) -> list[data.Pixels]:
    """One picture for each prompt, each from its own seed."""
    drawn: list[data.Pixels] = []
    for first in range(0, len(prompts), batch):
        part = prompts[first : first + batch]
        generators = [
            torch.Generator().manual_seed(seed * 100_003 + first + i) for i in range(len(part))
        ]
        arrays = pipeline(
            part,
            num_inference_steps=steps,
            guidance_scale=guidance,
            guidance_rescale=rescale,
            generator=generators,
            output_type="np",
        ).images
        drawn.extend((array * 255).round().astype(np.uint8) for array in arrays)
    return drawn


def sheet(
    *, drawn: list[data.Pixels], titles: list[str], path: Path, columns: int = 16, scale: int = 2
) -> None:
    """A labelled contact sheet of the pictures."""
    side, line = data.SIZE * scale, 14
    rows = math.ceil(len(drawn) / columns)
    canvas = Image.new("RGB", (columns * side, rows * (side + line)), "white")
    pen = ImageDraw.Draw(canvas)
    for number, (array, title) in enumerate(zip(drawn, titles, strict=True)):
        x, y = (number % columns) * side, (number // columns) * (side + line)
        enlarged = Image.fromarray(array).resize((side, side), Image.Resampling.LANCZOS)
        canvas.paste(enlarged, (x, y))
        pen.text((x + 3, y + side), title[: side // 6], fill="black")
    canvas.save(path)


class Namer(nn.Module):
    """A small convolutional classifier over the claimed words."""

    def __init__(self, classes: int) -> None:
        """Three strided convolutions and a linear layer."""
        super().__init__()
        widths = (3, 32, 64, 128, 192)
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [
                nn.Conv2d(before, after, 3, stride=2, padding=1),
                nn.GroupNorm(8, after),
                nn.SiLU(),
            ]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(widths[-1] * 16, classes)

    @override
    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """Scores of every word."""
        scores: torch.Tensor = self.head(self.body(picture).flatten(1))
        return scores


@dataclass(frozen=True)
class Accuracy:
    """The share of pictures named right at the first guess and within five."""

    top1: float
    top5: float
    count: int


def train_namer(*, pictures_by_word: torch.Tensor, steps: int = 1200, seed: int = 3) -> Namer:
    """Train on the real RGBA pictures, one per word, under strong changes of place and light."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    count = len(pictures_by_word)
    model = Namer(count)
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=3e-3, total_steps=steps)
    array = pictures_by_word.numpy()
    for _ in range(steps):
        rows = random.integers(0, count, 64)
        batch = codec.to_tensor([_changed(array[row], random) for row in rows])
        batch = batch * float(random.uniform(0.8, 1.1)) + torch.randn_like(batch) * 0.08
        loss = nn.functional.cross_entropy(
            model(batch), torch.from_numpy(rows), label_smoothing=0.05
        )
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
    return model.eval()


def _changed(pixels: data.Pixels, random: Any) -> data.Pixels:
    shift = (int(random.integers(-5, 6)), int(random.integers(-5, 6)))
    return data.compose(
        pixels,
        shift=shift,
        scale=float(random.uniform(0.78, 1.08)),
        flip=bool(random.integers(0, 2)),
    )


def accuracy(*, namer: Namer, drawn: list[data.Pixels], answers: list[int]) -> Accuracy:
    """How often the classifier names the pictures as asked."""
    with torch.no_grad():
        scores = torch.cat([namer(part) for part in torch.split(codec.to_tensor(drawn), 64)])
    best = scores.topk(min(5, scores.shape[1]), dim=1).indices
    right = best == torch.tensor(answers)[:, None]
    return Accuracy(
        top1=round(float(right[:, 0].float().mean()), 4),
        top5=round(float(right.any(1).float().mean()), 4),
        count=len(answers),
    )


def word_pixels(*, dataset: data.Dataset, words: list[Word], style: str) -> torch.Tensor:
    """The real picture of each word, as RGBA rows in the words' order."""
    row_of = {dataset.rows[i]["label"]: i for i in dataset.indices(style=style)}
    return torch.from_numpy(np.stack([dataset.pixels[row_of[word.label]] for word in words]))
