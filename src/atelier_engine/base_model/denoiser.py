"""Training of the denoiser together with its text encoder, resumable bit for bit."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from atelier_engine.base_model import captions, codec, data
from atelier_engine.base_model.libraries import (
    TextEncoder,
    Tokenizer,
    Unet,
    diffusers,
    transformers,
)
from atelier_engine.base_model.optimiser import Muon

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STEPS = 1000
_LEANING_SHARE = 0.5
SCHEDULE: dict[str, Any] = {
    "num_train_timesteps": STEPS,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
    "clip_sample": False,
    "set_alpha_to_one": True,
    "steps_offset": 1,
}


@dataclass(frozen=True)
class Shape:
    """The sizes of the denoiser and of its text encoder."""

    widths: tuple[int, ...] = (64, 160, 224)
    text_width: int = 160
    text_layers: int = 3
    groups: int = 16


@dataclass(frozen=True)
class Plan:
    """How long and how fast to train.

    ``steps`` ends the run by count, so that it repeats bit for bit; without it the run takes
    ``seconds`` of training time, whatever the machine gets done in them.
    """

    seconds: float
    steps: int | None = None
    batch: int = 64
    peak_rate: float = 0.02
    adam_ratio: float = 0.1
    warm_up: int = 40
    decay_share: float = 0.35
    average: float = 0.997
    checkpoint_seconds: float = 240.0


class PlainAttention:
    """Attention by two matrix products: on a CPU faster to train than the fused kernel."""

    def __call__(
        self, attn: Any, hidden_states: torch.Tensor, encoder_hidden_states: Any = None, **_: Any
    ) -> torch.Tensor:
        """The attention of ``attn``'s projections over the context."""
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        batch, length, width = hidden_states.shape
        depth = width // attn.heads

        def split(rows: torch.Tensor) -> torch.Tensor:
            return rows.view(batch, -1, attn.heads, depth).transpose(1, 2)

        query, key = split(attn.to_q(hidden_states)), split(attn.to_k(context))
        value = split(attn.to_v(context))
        weight = (query @ (key.mT * depth**-0.5)).softmax(-1).to(value.dtype)
        mixed: torch.Tensor = attn.to_out[0](
            (weight @ value).transpose(1, 2).reshape(batch, length, width)
        )
        return mixed


def build_unet(shape: Shape) -> Unet:
    """An untrained denoiser in the standard layout."""
    return diffusers.UNet2DConditionModel(
        sample_size=data.SIZE // codec.FACTOR,
        in_channels=codec.CHANNELS,
        out_channels=codec.CHANNELS,
        layers_per_block=1,
        block_out_channels=shape.widths,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=shape.text_width,
        attention_head_dim=4,
        norm_num_groups=shape.groups,
    )


def build_text_encoder(shape: Shape, tokenizer: Tokenizer) -> TextEncoder:
    """An untrained text encoder for the tokenizer's vocabulary."""
    return transformers.CLIPTextModel(
        transformers.CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=shape.text_width,
            intermediate_size=shape.text_width * 4,
            num_hidden_layers=shape.text_layers,
            num_attention_heads=4,
            max_position_embeddings=tokenizer.model_max_length,
            projection_dim=shape.text_width,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            hidden_act="quick_gelu",
        )
    )


class Trainer:
    """One run: the models, their averages, the optimiser and the random state."""

    def __init__(
        self, *, bank: captions.Bank, tokenizer: Tokenizer, shape: Shape, plan: Plan
    ) -> None:
        """Start from fresh weights; call :meth:`restore` to go on with an earlier run."""
        torch.manual_seed(7)
        self.bank, self.tokenizer, self.plan = bank, tokenizer, plan
        self.unet = build_unet(shape).to(memory_format=torch.channels_last)
        self.text_encoder = build_text_encoder(shape, tokenizer)
        self.unet.set_attn_processor(PlainAttention())
        embeddings = [p for n, p in self.text_encoder.named_parameters() if "embedding" in n]
        self.parameters = [*self.unet.parameters(), *self.text_encoder.parameters()]
        self.optimiser = Muon(
            self.parameters,
            lr=plan.peak_rate,
            adam_ratio=plan.adam_ratio,
            plain=[self.unet.conv_in.weight, self.unet.conv_out.weight, *embeddings],
        )
        self.average_unet = copy.deepcopy(self.unet).eval().requires_grad_(False)
        self.average_text = copy.deepcopy(self.text_encoder).eval().requires_grad_(False)
        self.random = torch.Generator().manual_seed(7)
        self.alphas = diffusers.DDIMScheduler(**SCHEDULE).alphas_cumprod
        self.step, self.seconds = 0, 0.0
        self.mix = captions.Mix()

    def tokens(self, texts: list[str]) -> torch.Tensor:
        """Token ids, padded the way the pipeline pads prompts."""
        ids: torch.Tensor = self.tokenizer(
            texts,
            padding="max_length",
            truncation=True,
            max_length=self.tokenizer.model_max_length,
            return_tensors="pt",
        ).input_ids
        return ids

    def done(self) -> float:
        """The share of the plan that is behind us."""
        if self.plan.steps is not None:
            return min(1.0, self.step / self.plan.steps)
        return min(1.0, self.seconds / self.plan.seconds)

    def rate(self) -> float:
        """Warm-up, a long plateau, and a decay to zero over the last part of the time."""
        done, start = self.done(), 1.0 - self.plan.decay_share
        decay = 1.0 if done < start else max(0.01, (1.0 - done) / self.plan.decay_share)
        return self.plan.peak_rate * min(1.0, (self.step + 1) / self.plan.warm_up) * decay

    def advance(self) -> tuple[float, float]:
        """One optimiser step; returns the loss and the plain mean squared error of v."""
        began = time.monotonic()
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        latents, texts = captions.draw(
            self.bank, size=self.plan.batch, mix=self.mix, random=self.random
        )
        latents = latents.contiguous(memory_format=torch.channels_last)
        # Half uniform, half leaning to high noise, where layout and colour are decided.
        uniform = (
            torch.arange(self.plan.batch) + torch.rand(self.plan.batch, generator=self.random)
        ) / self.plan.batch
        lean = torch.rand(self.plan.batch, generator=self.random) < _LEANING_SHARE
        times = (torch.where(lean, uniform**0.7, uniform) * STEPS).long().clamp(0, STEPS - 1)
        noise = torch.randn(latents.shape, generator=self.random)
        kept = self.alphas[times].view(-1, 1, 1, 1)
        noisy = kept.sqrt() * latents + (1 - kept).sqrt() * noise
        target = kept.sqrt() * noise - (1 - kept).sqrt() * latents
        with torch.autocast("cpu", torch.bfloat16):
            context = self.text_encoder(self.tokens(texts))[0]
            guess = self.unet(noisy, times, context).sample
        each = (guess.float() - target).square().mean((1, 2, 3))
        ratio = self.alphas[times] / (1 - self.alphas[times])
        weight = ratio.clamp(max=5) / (ratio + 1) + 0.25
        loss = (each * weight).mean()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.step += 1
        self._follow()
        self.seconds += time.monotonic() - began
        return float(loss.detach()), float(each.detach().mean())

    @torch.no_grad()
    def _follow(self) -> None:
        share = 1 - min(self.plan.average, (1 + self.step) / (10 + self.step))
        for slow, fast in ((self.average_unet, self.unet), (self.average_text, self.text_encoder)):
            torch._foreach_lerp_(list(slow.parameters()), list(fast.parameters()), share)

    def save(self, path: Path) -> None:
        """Write everything that the next step depends on, in one replace."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        torch.save(
            {
                "unet": self.unet.state_dict(),
                "text": self.text_encoder.state_dict(),
                "average_unet": self.average_unet.state_dict(),
                "average_text": self.average_text.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "random": self.random.get_state(),
                "global_random": torch.get_rng_state(),
                "step": self.step,
                "seconds": self.seconds,
            },
            fresh,
        )
        fresh.replace(path)

    def restore(self, path: Path) -> None:
        """Go on with the run that :meth:`save` wrote."""
        state = torch.load(path, weights_only=True)
        self.unet.load_state_dict(state["unet"])
        self.text_encoder.load_state_dict(state["text"])
        self.average_unet.load_state_dict(state["average_unet"])
        self.average_text.load_state_dict(state["average_text"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.random.set_state(state["random"])
        torch.set_rng_state(state["global_random"])
        self.step, self.seconds = int(state["step"]), float(state["seconds"])

    def run(self, *, checkpoint: Path, report: Callable[[str], None] = print) -> None:
        """Train until the plan's seconds are used up, with checkpoints on the way."""
        if checkpoint.is_file():
            self.restore(checkpoint)
            report(f"denoiser goes on at step {self.step}")
        saved, losses = self.seconds, []
        while self.done() < 1.0:
            losses.append(self.advance())
            if self.step % 50 == 0 or self.done() >= 1.0:
                recent = losses[-50:]
                means = [sum(pair[i] for pair in recent) / len(recent) for i in (0, 1)]
                if not math.isfinite(means[0]):
                    raise FloatingPointError(f"the loss is {means[0]} at step {self.step}")
                report(
                    f"denoiser {self.step} {self.seconds:.0f}s "
                    f"loss {means[0]:.4f} v-mse {means[1]:.4f} "
                    f"rate {self.rate():.4f} {self.seconds / self.step:.3f} s/step"
                )
            if self.seconds - saved >= self.plan.checkpoint_seconds:
                self.save(checkpoint)
                saved = self.seconds
        self.save(checkpoint)
