"""The codec: a small KL autoencoder that turns 64 x 64 pictures into 16 x 16 x 4 latents."""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from atelier_engine.base_model import data
from atelier_engine.base_model.libraries import Codec, diffusers
from atelier_engine.base_model.optimiser import Muon

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FACTOR = 4
CHANNELS = 4
_CROP = 32
_WARM_UP = 50
_WHITE_SHARE, _MIRRORED_SHARE = 0.7, 0.5


def build(widths: tuple[int, ...] = (24, 48, 64)) -> Codec:
    """An untrained codec in the standard layout."""
    return diffusers.AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * len(widths),
        up_block_types=("UpDecoderBlock2D",) * len(widths),
        block_out_channels=widths,
        layers_per_block=1,
        latent_channels=CHANNELS,
        norm_num_groups=8,
        sample_size=data.SIZE,
    )


def to_tensor(pictures: list[data.Pixels]) -> torch.Tensor:
    """RGB pictures as a batch in [-1, 1]."""
    batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
    return batch.contiguous(memory_format=torch.channels_last)


def _batch(
    pixels: torch.Tensor, weights: torch.Tensor, *, size: int, crop: int, random: torch.Generator
) -> torch.Tensor:
    rows = torch.multinomial(weights, size, replacement=True, generator=random)
    corners = torch.randint(0, data.SIZE - crop + 1, (size, 2), generator=random).tolist()
    cut = torch.stack(
        [
            pixels[row, :, y : y + crop, x : x + crop]
            for row, (y, x) in zip(rows.tolist(), corners, strict=True)
        ]
    )
    cut = cut.float() / 255
    alpha = cut[:, 3:]
    plain = torch.rand(size, 1, 1, 1, generator=random) < _WHITE_SHARE
    background = torch.where(
        plain, torch.ones(size, 3, 1, 1), torch.rand(size, 3, 1, 1, generator=random)
    )
    picture = (cut[:, :3] * alpha + background * (1 - alpha)) * 2 - 1
    mirrored = torch.rand(size, 1, 1, 1, generator=random) < _MIRRORED_SHARE
    return torch.where(mirrored, picture.flip(3), picture).contiguous(
        memory_format=torch.channels_last
    )


def train(
    *,
    dataset: data.Dataset,
    folder: Path,
    steps: int,
    batch: int = 16,
    peak_rate: float = 1.5e-2,
    widths: tuple[int, ...] = (24, 48, 64),
    report: Callable[[str], None] = print,
) -> Codec:
    """Train the codec and save it to ``folder/vae``; an interrupted run goes on where it was."""
    torch.manual_seed(1)
    random = torch.Generator().manual_seed(1)
    model = build(widths).to(memory_format=torch.channels_last)
    optimiser = Muon(
        model.parameters(),
        lr=peak_rate,
        plain=[model.encoder.conv_in.weight, model.decoder.conv_out.weight],
    )
    resume = folder / "codec.pt"
    first = 0
    if resume.is_file():
        state = torch.load(resume, weights_only=True)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        random.set_state(state["random"])
        torch.set_rng_state(state["global_random"])
        first = state["step"]
    pixels = torch.from_numpy(dataset.pixels).permute(0, 3, 1, 2).contiguous()
    weights = torch.tensor([2.0 if row["style"] == "3d" else 0.5 for row in dataset.rows])
    model.train()
    started, losses = time.monotonic(), []
    for step in range(first, steps):
        # Crops first (cheap, many edges); whole pictures for the last fifth.
        crop, size = (_CROP, batch) if step < 0.8 * steps else (data.SIZE, max(1, batch // 4))
        rate = (
            peak_rate
            * min(1.0, (step + 1) / 50)
            * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        )
        for group in optimiser.param_groups:
            group["lr"] = rate
        picture = _batch(pixels, weights, size=size, crop=crop, random=random)
        with torch.autocast("cpu", torch.bfloat16):
            posterior = model.encode(picture).latent_dist
            restored = model.decode(posterior.sample()).sample
        error = restored.float() - picture
        edges = (error[:, :, 1:] - error[:, :, :-1]).abs().mean() + (
            error[..., 1:] - error[..., :-1]
        ).abs().mean()
        divergence = posterior.kl().float().mean() / (CHANNELS * (crop // FACTOR) ** 2)
        loss = error.abs().mean() + 2 * error.pow(2).mean() + edges + 3e-4 * divergence
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        losses.append(float(error.detach().pow(2).mean()))
        if (step + 1) % 100 == 0 or step + 1 == steps:
            mean = sum(losses[-100:]) / len(losses[-100:])
            report(
                f"codec {step + 1}/{steps} psnr {10 * math.log10(4 / mean):.2f} "
                f"kl {float(divergence.detach()):.2f} "
                f"{(time.monotonic() - started) / (step + 1 - first):.3f} s/step"
            )
            _checkpoint(resume, model=model, optimiser=optimiser, random=random, step=step + 1)
    return _finish(model=model, dataset=dataset, folder=folder, report=report)


def _checkpoint(
    path: Path,
    *,
    model: Codec,
    optimiser: torch.optim.Optimizer,
    random: torch.Generator,
    step: int,
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    torch.save(
        {
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "random": random.get_state(),
            "global_random": torch.get_rng_state(),
            "step": step,
        },
        fresh,
    )
    fresh.replace(path)


def _finish(
    *, model: Codec, dataset: data.Dataset, folder: Path, report: Callable[[str], None]
) -> Codec:
    model.eval()
    rows = dataset.indices(style="3d")[:256] or list(range(len(dataset.rows)))
    picture = to_tensor([data.compose(dataset.pixels[row]) for row in rows])
    with torch.no_grad():
        latents = torch.cat(
            [model.encode(part).latent_dist.mode() for part in torch.split(picture, 32)]
        )
        restored = torch.cat([model.decode(part).sample for part in torch.split(latents, 32)])
    psnr = 10 * math.log10(4 / float(functional.mse_loss(restored.clamp(-1, 1), picture)))
    model.register_to_config(scaling_factor=round(float(1 / latents.std()), 5))
    model.save_pretrained(folder / "vae")
    figures = {"psnr_db": round(psnr, 2), "latent_std": round(float(latents.std()), 4)}
    (folder / "codec.json").write_text(json.dumps(figures), encoding="utf-8")
    report(f"codec done: {figures}")
    return model


def encode(*, model: Codec, pictures: list[data.Pixels]) -> torch.Tensor:
    """The scaled latents the denoiser learns from."""
    with torch.no_grad():
        parts = [
            model.encode(part).latent_dist.mode() for part in torch.split(to_tensor(pictures), 64)
        ]
    return torch.cat(parts) * float(model.config.scaling_factor)
