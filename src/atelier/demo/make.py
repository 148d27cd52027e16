"""Draws the demo's pictures and trains its LoRAs with our own base model; run by hand.

``python -m atelier.demo.make`` writes ``assets/``: one LoRA a model, WebP pictures, and a manifest
with the prompt, seed and settings of each. Deterministic: equal base weights give equal files.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atelier.demo import drawing, plan

if TYPE_CHECKING:
    from PIL.Image import Image

    from atelier_engine.generate import Engine

log = logging.getLogger(__name__)
ASSETS = Path(__file__).with_name("assets")
DRAWINGS = 12
STEPS = 16
CFG = 4.0
STRENGTH = 0.9
PER_MODEL = 4
TRIES = 40
LORA_STEPS = 90


def main() -> None:
    """Make what is missing, or everything with ``--again``."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--again", action="store_true", help="draw and train everything anew")
    parser.add_argument(
        "--pictures", action="store_true", help="draw the pictures anew, keep LoRAs"
    )
    chosen = parser.parse_args()
    (ASSETS / "loras").mkdir(parents=True, exist_ok=True)
    (ASSETS / "pictures").mkdir(parents=True, exist_ok=True)
    from atelier_engine.generate import Engine

    engine = Engine()
    with tempfile.TemporaryDirectory() as scratch:
        for model in (*plan.STYLES, *plan.MASCOTS):
            target = ASSETS / "loras" / f"{model.slug}.safetensors"
            if chosen.again or not target.is_file():
                _train(model, target, scratch=Path(scratch), engine=engine)
    _draw(engine, again=chosen.again or chosen.pictures)


def _train(model: plan.Style | plan.Mascot, target: Path, *, scratch: Path, engine: Engine) -> None:
    from atelier_engine import lora

    pictures: list[tuple[bytes, str]] = []
    if isinstance(model, plan.Mascot):
        pictures.extend(
            (_png(drawing.character(model, seed=seed)), model.trigger) for seed in range(DRAWINGS)
        )
    else:
        for seed, subject in enumerate(plan.SUBJECTS[:DRAWINGS]):
            plain = _picture(engine, subject, seed=seed)
            pictures.append((_png(drawing.look(model.look, plain)), f"{model.trigger}, {subject}"))
    spec = lora.TrainingSpec(
        name=model.slug,
        pictures=tuple(pictures),
        trigger_word=model.trigger,
        epochs=1,
        steps_per_epoch=LORA_STEPS,
        rank=4,
        alpha=4,
        learning_rate=3e-3,
        prior_preservation=False,
        sample_prompts=(model.trigger,),
        sample_steps=4,
    )
    work = scratch / model.slug
    (done,) = lora.train(spec, workdir=work, cache=scratch / "cache")
    target.write_bytes(done.lora_path.read_bytes())
    log.info("trained %s, loss %.4f, %d KiB", model.slug, done.loss, target.stat().st_size // 1024)


def _prompts(model: plan.Style | plan.Mascot) -> list[str]:
    if isinstance(model, plan.Mascot):
        return [model.trigger] * PER_MODEL
    offset = plan.STYLES.index(model)
    subjects = [
        plan.SUBJECTS[(offset + step * 4) % len(plan.SUBJECTS)] for step in range(PER_MODEL)
    ]
    return [f"{model.trigger}, {subject}" for subject in subjects]


def _draw(engine: Engine, *, again: bool) -> None:
    rows: list[dict[str, Any]] = []
    for index, prompt in enumerate(plan.BASE_PROMPTS):
        rows.append(
            {"file": f"base-{index:02}.webp", "model": "", "prompt": prompt, "seed": 100 + index}
        )
    for model in (*plan.STYLES, *plan.MASCOTS):
        for index, prompt in enumerate(_prompts(model)):
            rows.append(
                {
                    "file": f"{model.slug}-{index}.webp",
                    "model": model.slug,
                    "prompt": prompt,
                    "seed": 7 + index,
                }
            )
    manifest = ASSETS / "manifest.json"
    kept = (
        json.loads(manifest.read_text(encoding="utf-8"))["pictures"] if manifest.is_file() else []
    )
    known = {row["file"]: row["seed"] for row in kept}
    for row in rows:
        target = ASSETS / "pictures" / row["file"]
        row.update(
            steps=STEPS, cfg_scale=CFG, sampler="DDIM", strength=STRENGTH if row["model"] else None
        )
        row["seed"] = known.get(row["file"], row["seed"])
        if again or not target.is_file():
            drawn, row["seed"] = _clean(engine, row)
            drawn.save(target, "WEBP", quality=92, method=6)
            log.info("drew %s", row["file"])
    facts = {
        "models": [asdict(model) for model in (*plan.STYLES, *plan.MASCOTS)],
        "pictures": rows,
    }
    manifest.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def _clean(engine: Engine, row: dict[str, Any]) -> tuple[Image, int]:
    """The first picture from the row's seed on that no detector takes for what it is not."""
    import numpy as np

    from atelier_engine import faces

    for seed in range(row["seed"], row["seed"] + TRIES):
        drawn = _picture(engine, row["prompt"], seed=seed, lora=row["model"])
        found = faces.assess(np.asarray(drawn.convert("RGB")))
        if not found.real_faces and not found.minor_signal and found.sexual.level == "none":
            return drawn, seed
    message = f"every picture of {row['prompt']!r} looks like something that it is not"
    raise ValueError(message)


def _picture(engine: Engine, prompt: str, *, seed: int, lora: str = "") -> Image:
    from atelier_engine.generate import LoraRef, Spec

    loras: tuple[LoraRef, ...] = ()
    if lora:
        path = ASSETS / "loras" / f"{lora}.safetensors"
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        loras = (LoraRef(path=path, strength=STRENGTH, sha256=digest),)
    spec = Spec(prompt=prompt, seed=seed, steps=STEPS, cfg_scale=CFG, loras=loras)
    (picture,) = tuple(engine.generate(spec, on_step=_ignore, should_stop=_never))
    return picture.image


def _ignore(index: int, step: int, total: int) -> None:
    del index, step, total


def _never() -> bool:
    return False


def _png(image: Image) -> bytes:
    import io

    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


if __name__ == "__main__":
    main()
