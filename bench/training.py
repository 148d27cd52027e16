"""A LoRA on twelve drawings: how long to a usable result, and how soon it yields.

Limits: 5 minutes on two cores; a generation asked for meanwhile starts within 5 s, so no two of
the training's checkpoints may lie further apart than that.
"""

from __future__ import annotations

import io
import itertools
import json
import sys
import tempfile
import time
from pathlib import Path

from bench.mascot import TRIGGER, captioned
from bench.tiny_base import build

from atelier_engine import families, lora

SECONDS_LIMIT = 300.0
YIELD_LIMIT = 5.0


def main() -> None:
    """Train with the defaults and print one JSON line."""
    family = families.find("Atelier Base")
    pictures = []
    for image, caption in captioned(12):
        out = io.BytesIO()
        image.save(out, "PNG")
        pictures.append((out.getvalue(), caption))
    spec = lora.TrainingSpec(name="bench", pictures=tuple(pictures), trigger_word=TRIGGER)
    with tempfile.TemporaryDirectory() as scratch:
        weights = family.weights
        trained = weights.is_dir()
        if not trained:
            weights = Path(scratch) / "base"
            build(weights)
        pauses: list[float] = []
        start = time.perf_counter()
        epochs = lora.train(
            spec,
            workdir=Path(scratch) / "work",
            weights=weights,
            checkpoint=lambda: pauses.append(time.perf_counter()),
        )
        seconds = time.perf_counter() - start
    gap = max(later - earlier for earlier, later in itertools.pairwise([start, *pauses]))
    facts = {
        "claim": "a LoRA on 12 pictures",
        "trained": trained,
        "steps": spec.total_steps,
        "epochs": len(epochs),
        "seconds": round(seconds, 1),
        "estimated": round(lora.estimate_seconds(spec), 1),
        "of_limit": round(seconds / SECONDS_LIMIT, 3),
        "longest_without_yield_s": round(gap, 2),
        "yield_of_limit": round(gap / YIELD_LIMIT, 3),
    }
    sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
