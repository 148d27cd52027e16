"""Writes the trained model in the diffusers layout, and proves that its single file is the same."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import save_file

from atelier_engine.base_model import data, single_file
from atelier_engine.base_model.denoiser import SCHEDULE, Trainer
from atelier_engine.base_model.libraries import Codec, Pipeline, diffusers

if TYPE_CHECKING:
    from atelier_engine.base_model.vocabulary import Word

GENERATION_DEFAULTS: dict[str, Any] = {
    "steps": 20,
    "guidance_scale": 4.0,
    "guidance_rescale": 0.7,
    "native_size": data.SIZE,
    "display_scale": 4,
}
LIMIT_BYTES = 40_000_000


def assemble(*, trainer: Trainer, vae: Codec) -> Pipeline:
    """The averaged weights as a pipeline."""
    pipeline = diffusers.StableDiffusionPipeline(
        vae=vae,
        text_encoder=trainer.average_text,
        tokenizer=trainer.tokenizer,
        unet=trainer.average_unet,
        scheduler=diffusers.DDIMScheduler(**SCHEDULE),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def load(folder: Path) -> Pipeline:
    """The shipped folder as a float32 pipeline."""
    pipeline = diffusers.StableDiffusionPipeline.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True, requires_safety_checker=False
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def write(*, pipeline: Pipeline, target: Path, words: list[Word]) -> int:
    """Replace ``target``'s model folders by this pipeline in half precision; returns its bytes.

    Files beside the model (the card, the sample sheet) stay. The folder is written elsewhere
    first, so that a reader never sees half of it.
    """
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        fresh = Path(scratch) / "model"
        pipeline.to(torch.float16).save_pretrained(fresh, safe_serialization=True)
        pipeline.to(torch.float32)
        _forget_paths(fresh)
        (fresh / "generation_defaults.json").write_text(
            json.dumps(GENERATION_DEFAULTS, indent=2) + "\n", encoding="utf-8"
        )
        listed = [{"word": word.name, "caption": f"a 3d emoji of a {word.name}"} for word in words]
        (fresh / "words.json").write_text(
            json.dumps(listed, indent=0, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        size = sum(path.stat().st_size for path in fresh.rglob("*") if path.is_file())
        if size > LIMIT_BYTES:
            raise ValueError(f"the model has {size} bytes, the limit is {LIMIT_BYTES}")
        for part in sorted(fresh.iterdir()):
            _swap(part, target / part.name)
    return size


def _forget_paths(folder: Path) -> None:
    # diffusers notes where a part was loaded from, which is nobody's business.
    for config in folder.rglob("config.json"):
        kept = json.loads(config.read_text(encoding="utf-8"))
        if kept.pop("_name_or_path", None) is not None:
            config.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def _swap(part: Path, place: Path) -> None:
    if place.is_dir():
        aside = part.parent.parent / f"old-{place.name}"
        place.rename(aside)
        part.rename(place)
        shutil.rmtree(aside)
    else:
        part.replace(place)


def write_single_file(*, folder: Path, path: Path) -> None:
    """The folder's model as one file with standard keys."""
    pipeline = load(folder)
    half = {key: t.half().contiguous().clone() for key, t in single_file.tensors(pipeline).items()}
    save_file(
        half, path, metadata={"modelspec.architecture": "stable-diffusion-v1", "format": "pt"}
    )


def check_single_file(*, folder: Path) -> float:
    """The largest difference between a picture of the folder and of its single file."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.safetensors"
        write_single_file(folder=folder, path=path)
        other = diffusers.StableDiffusionPipeline.from_single_file(
            path,
            config=str(folder),
            local_files_only=True,
            dtype=torch.float32,
            safety_checker=None,
        )
        other.set_progress_bar_config(disable=True)
        ours, theirs = (_picture(pipeline) for pipeline in (load(folder), other))
    return float(np.abs(ours - theirs).max())


def _picture(pipeline: Pipeline) -> Any:
    generator = torch.Generator().manual_seed(5)
    return pipeline(
        "a red apple",
        num_inference_steps=6,
        guidance_scale=4.0,
        generator=generator,
        output_type="np",
    ).images
