"""One picture of the base model: how long, and how much of it is not denoising.

Limits: 20 steps in 3 s on two cores; the engine's own share at most 15 %; marks and scans of a
picture within 0.6 s. The denoising loop is timed from inside, so the share is of the same run.
"""

from __future__ import annotations

import io
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from bench.tiny_base import build
from PIL import Image

from atelier_engine import faces, families, metadata, provenance
from atelier_engine.generate import Engine, Spec

if TYPE_CHECKING:
    from atelier_engine.diffusion import Diffusion

BASE = "Atelier Base"
PICTURES = 8
STEPS = 20
SECONDS_LIMIT = 3.0
SHARE_LIMIT = 0.15
MARKS_LIMIT = 0.6


@dataclass
class Clock:
    """Seconds spent inside the denoising loop of one model."""

    seconds: float = 0.0

    def watch(self, model: Diffusion) -> None:
        """Time every call of the network and of the scheduler's step."""
        inner = model.denoise

        def timed(*args: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return inner(*args, **options)
            finally:
                self.seconds += time.perf_counter() - start

        model.denoise = timed  # type: ignore[method-assign]


def main() -> None:
    """Print one JSON line a claim."""
    family = families.find(BASE)
    with tempfile.TemporaryDirectory() as scratch:
        weights = family.weights
        trained = weights.is_dir()
        if not trained:
            weights = Path(scratch) / "base"
            build(weights)
        engine = Engine(weights={BASE: weights}, threads=2)
        start = time.perf_counter()
        engine.load()
        loaded = time.perf_counter() - start
        clock = Clock()
        (model,) = engine._models.values()  # noqa: SLF001 - a bench may look inside
        clock.watch(model)
        whole: list[float] = []
        images: list[Image.Image] = []
        for seed in range(PICTURES):
            start = time.perf_counter()
            images += [p.image for p in engine.generate(Spec("red apple", steps=STEPS, seed=seed))]
            whole.append(time.perf_counter() - start)
        share = 1 - clock.seconds / sum(whole)
        seconds = statistics.median(whole)
        tell(
            claim="one picture",
            trained=trained,
            load_s=loaded,
            median_s=seconds,
            worst_s=max(whole),
            of_limit=seconds / SECONDS_LIMIT,
        )
        tell(claim="outside the denoising loop", share=share, of_limit=share / SHARE_LIMIT)
        marks(images, provenance.SiteKey(Path(scratch) / "keys"))


def marks(images: list[Image.Image], key: provenance.SiteKey) -> None:
    """Watermark, settings, signature, all scans, and the file written to disk."""
    spent: dict[str, list[float]] = {name: [] for name in ("mark", "write", "sign", "scan")}
    settings = metadata.Settings(prompt="red apple", steps=STEPS, seed=1)
    for index, image in enumerate(images):
        times = [time.perf_counter()]
        marked = provenance.embed(np.asarray(image), index, key=key.watermark_key)
        times.append(time.perf_counter())
        out = io.BytesIO()
        Image.fromarray(marked).save(out, "PNG")
        described = metadata.write_png(out.getvalue(), settings)
        times.append(time.perf_counter())
        signed = key.sign(described, {"work": "bench", "picture": index})
        with tempfile.NamedTemporaryFile() as stored:
            stored.write(signed)
            stored.flush()
        times.append(time.perf_counter())
        faces.assess(marked)
        times.append(time.perf_counter())
        for name, start, end in zip(spent, times, times[1:], strict=False):
            spent[name].append(end - start)
    medians = {f"{name}_ms": statistics.median(values) * 1e3 for name, values in spent.items()}
    total = sum(medians.values()) / 1e3
    tell(claim="marks and scans", total_s=total, of_limit=total / MARKS_LIMIT, **medians)


def tell(**facts: Any) -> None:
    """One line, numbers short."""
    short = {k: round(v, 3) if isinstance(v, float) else v for k, v in facts.items()}
    sys.stdout.write(json.dumps(short) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
