"""The one place that speaks to torch, diffusers and transformers about a loaded model.

Importing this module costs seconds and some hundred megabytes: workers only, never the web.
"""

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from atelier_engine.families.base import Family

# Neither publishes types that hold.
diffusers: Any = import_module("diffusers")
transformers: Any = import_module("transformers")

Tensor = torch.Tensor


class Stopped(Exception):
    """The caller asked to stop before the work was done."""


class UnusableWeightsError(ValueError):
    """The weights do not fit the model family they were given for."""


def quiet() -> None:
    """Keep the libraries' remarks about optional parts out of the logs."""
    diffusers.logging.set_verbosity_error()
    diffusers.logging.disable_progress_bar()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    logging.getLogger("diffusers").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"(diffusers|transformers|peft|torch)\b.*")


def has_bf16() -> bool:
    """Whether this machine multiplies bfloat16 in hardware; emulation is slower than float32."""
    if torch.cuda.is_available():
        return True
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


class Diffusion:
    """A loaded base model or checkpoint of one family, with the LoRAs attached to it."""

    def __init__(self, family: Family, weights: Path, *, base: Path | None = None) -> None:
        quiet()
        self.family = family
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self._autocast = has_bf16()
        try:
            self.pipe = _load(weights, base or family.weights)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise UnusableWeightsError(f"{weights.name} does not load: {error}") from error
        self.pipe.set_progress_bar_config(disable=True)
        self.pipe.to(self.device)
        self.pipe.unet.to(memory_format=torch.channels_last).eval()
        self.pipe.vae.to(memory_format=torch.channels_last).eval()
        self.pipe.text_encoder.eval()
        self._scheduler_config: dict[str, Any] = dict(self.pipe.scheduler.config)

    # The parts below are Any on purpose: the libraries publish no types for them.
    @property
    def unet(self) -> Any:
        return self.pipe.unet

    @property
    def text_encoder(self) -> Any:
        return self.pipe.text_encoder

    @property
    def vae(self) -> Any:
        return self.pipe.vae

    @property
    def tokenizer(self) -> Any:
        return self.pipe.tokenizer

    @contextlib.contextmanager
    def precision(self) -> Iterator[None]:
        """Mixed precision where the hardware has it."""
        if not self._autocast:
            yield
            return
        with torch.autocast(self.device, torch.bfloat16):
            yield

    def learning_precision(self) -> contextlib.AbstractContextManager[None]:
        """On a processor the casts around small layers cost more than bfloat16 saves."""
        return self.precision() if self.device == "cuda" else contextlib.nullcontext()

    @property
    def predicts_velocity(self) -> bool:
        """Whether the network was trained to predict velocity, not noise."""
        return bool(self._scheduler_config["prediction_type"] == "v_prediction")

    def kept_signal(self) -> Tensor:
        """How much of a picture is left at each time of the schedule of the weights."""
        schedule = diffusers.DDPMScheduler.from_config(self._scheduler_config)
        kept: Tensor = schedule.alphas_cumprod.float()
        return kept

    def use_sampler(self, name: str) -> None:
        """Take another scheduler with the noise schedule that the weights were trained with."""
        sampler = self.family.sampler(name)
        scheduler = getattr(diffusers, sampler.scheduler)
        self.pipe.scheduler = scheduler.from_config(self._scheduler_config, **sampler.options)

    def token_chunks(self, text: str) -> list[list[int]]:
        """Token ids in rows the text encoder can read; long prompts get several rows."""
        tokenizer = self.tokenizer
        room = tokenizer.model_max_length - 2
        ids: list[int] = tokenizer(text, add_special_tokens=False).input_ids
        rows = [ids[start : start + room] for start in range(0, len(ids), room)] or [[]]
        return [
            [
                tokenizer.bos_token_id,
                *row,
                tokenizer.eos_token_id,
                *[tokenizer.pad_token_id] * (room - len(row)),
            ]
            for row in rows
        ]

    def encode(self, texts: list[str], *, clip_skip: int = 1, rows: int = 0) -> Tensor:
        """Text embeddings, all as long as the longest text (or `rows` rows)."""
        chunked = [self.token_chunks(text) for text in texts]
        rows = max([rows, *map(len, chunked)])
        blank = self.token_chunks("")[0]
        ids = torch.tensor(
            [row for chunks in chunked for row in (chunks + [blank] * rows)[:rows]],
            device=self.device,
        )
        encoder = self.text_encoder
        if clip_skip == 1:
            hidden = encoder(ids)[0]
        else:
            states = encoder(ids, output_hidden_states=True).hidden_states
            inner = getattr(encoder, "text_model", encoder)
            hidden = inner.final_layer_norm(states[-clip_skip])
        embeddings: Tensor = hidden.reshape(len(texts), -1, hidden.shape[-1])
        return embeddings

    def noise(self, seeds: list[int], size: tuple[int, int]) -> Tensor:
        """Starting noise, one generator a picture, so that a seed means the same in any batch."""
        factor = 2 ** (len(self.vae.config.block_out_channels) - 1)
        shape = (self.unet.config.in_channels, size[1] // factor, size[0] // factor)
        rows = [torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        return torch.stack(rows).to(self.device)

    @torch.inference_mode()
    def denoise(
        self,
        positive: Tensor,
        negative: Tensor,
        *,
        seeds: list[int],
        size: tuple[int, int],
        steps: int,
        cfg_scale: float,
        on_step: Callable[[int], None] | None = None,
    ) -> Tensor:
        """Latents of finished pictures, one a row of `positive`."""

        def after_step(_pipe: Any, step: int, _time: Any, values: dict[str, Any]) -> dict[str, Any]:
            if on_step is not None:
                on_step(step + 1)
            return values

        # Ancestral samplers draw noise on the way; its generator must not depend on the batch.
        generators = [torch.Generator().manual_seed(seed ^ 0x5EED) for seed in seeds]
        with self.precision():
            latents: Tensor = self.pipe(
                prompt_embeds=positive,
                negative_prompt_embeds=negative,
                latents=self.noise(seeds, size),
                width=size[0],
                height=size[1],
                num_inference_steps=steps,
                guidance_scale=cfg_scale,
                guidance_rescale=self.family.guidance_rescale,
                generator=generators,
                output_type="latent",
                callback_on_step_end=after_step,
                return_dict=False,
            )[0]
        return latents.float()

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> list[Image.Image]:
        """Pictures at the network's own size."""
        with self.precision():
            pixels = self.vae.decode(latents / self.vae.config.scaling_factor).sample
        array = (
            (pixels.float().clamp(-1, 1) + 1)
            .mul(127.5)
            .round()
            .byte()
            .permute(0, 2, 3, 1)
            .cpu()
            .numpy()
        )
        return [Image.fromarray(row) for row in array]

    @torch.inference_mode()
    def encode_pictures(self, pixels: Tensor) -> Tensor:
        """Scaled latents of pixels in -1 … 1, channels first."""
        with self.precision():
            latents = self.vae.encode(pixels.to(self.device)).latent_dist.mode()
        scaled: Tensor = latents.float() * self.vae.config.scaling_factor
        return scaled

    def attach(self, name: str, tensors: dict[str, Tensor]) -> None:
        """Attach a LoRA in diffusers layout under a name; it stays idle until chosen."""
        try:
            self.pipe.load_lora_weights(dict(tensors), adapter_name=name)
        except (ValueError, KeyError, RuntimeError, TypeError, AttributeError) as error:
            with contextlib.suppress(ValueError, KeyError, AttributeError):
                self.pipe.delete_adapters([name])
            raise UnusableWeightsError(
                f"The LoRA does not fit {self.family.name}: {error}"
            ) from error
        if not any(name in part for part in self.attached().values()):
            raise UnusableWeightsError(f"The LoRA changes no layer of {self.family.name}.")

    def attached(self) -> dict[str, list[str]]:
        """Names of attached LoRAs by part of the model."""
        found: dict[str, list[str]] = self.pipe.get_list_adapters()
        return found

    def detach(self, name: str) -> None:
        """Forget a LoRA."""
        self.pipe.delete_adapters([name])

    def choose(self, strengths: dict[str, float]) -> None:
        """Let exactly these attached LoRAs act, each at its strength; never fused."""
        if strengths:
            self.pipe.enable_lora()
            self.pipe.set_adapters(list(strengths), list(strengths.values()))
        elif self.attached():
            self.pipe.disable_lora()


def _load(weights: Path, base: Path) -> Any:
    options: dict[str, Any] = {
        "torch_dtype": torch.float32,
        "safety_checker": None,
        "local_files_only": True,
    }
    if weights.is_dir():
        return diffusers.StableDiffusionPipeline.from_pretrained(
            weights, requires_safety_checker=False, use_safetensors=True, **options
        )
    return diffusers.StableDiffusionPipeline.from_single_file(weights, config=str(base), **options)
