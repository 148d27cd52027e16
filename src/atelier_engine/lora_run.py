"""One training in progress: its state, its steps and the files it leaves."""

import hashlib
import io
import json
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import load_file, save

from atelier_engine import families, lora_data, lora_files
from atelier_engine.diffusion import Diffusion, Tensor
from atelier_engine.generate import enlarge
from atelier_engine.lora_spec import (
    EpochResult,
    RefusedTrainingError,
    Sample,
    TrainingSpec,
    read_epoch,
)

if TYPE_CHECKING:
    from PIL.Image import Image

_ADAPTER = "lora_in_training"
_STATE = "state.safetensors"
_SNR_CEILING = 5.0
_FLOOR = 0.2
_WARM_STEPS = 20
_PRIOR_STEPS = 12
_PRIOR_SEEDS = 2
_PRIOR_BATCH = 8


class Run:
    """One training in progress."""

    def __init__(
        self,
        spec: TrainingSpec,
        *,
        workdir: Path,
        cache: Path,
        weights: Path | None,
        checkpoint: Callable[[], None],
    ) -> None:
        self.spec = spec
        self.workdir = workdir
        self.checkpoint = checkpoint
        self.step = 0
        self.losses: list[float] = []
        self.family = families.find(spec.base)
        self.folder = weights or self.family.weights
        self.model = Diffusion(self.family, self.folder)
        self.digest = _digest(spec, self.folder)
        self.alphas = self.model.kept_signal()
        self.buckets = self._buckets()
        self.prior = self._prior(cache) if spec.prior_preservation else None
        self._add_layers()
        parameters = [p for part in self._parts() for p in part.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            parameters, lr=spec.learning_rate, betas=(0.9, 0.99), weight_decay=0.01
        )
        self.parameters = parameters
        self._resume()

    # Preparation

    def _buckets(self) -> list[tuple[Tensor, list[int]]]:
        """Cached latents by picture size, with the indices of their pictures."""
        sized: dict[tuple[int, int], list[tuple[int, list[Image]]]] = {}
        for index, (source, _) in enumerate(self.spec.pictures):
            picture = lora_data.open_picture(source)
            size = lora_data.nearest_size(picture.size, self.family)
            variants = lora_data.variants(
                picture, size, flip=self.spec.flip, seed=_mix(self.spec.seed, index)
            )
            sized.setdefault(size, []).append((index, variants))
        buckets = []
        for rows in sized.values():
            self.checkpoint()
            pixels = torch.stack([lora_data.pixels(v) for _, variants in rows for v in variants])
            latents = self.model.encode_pictures(pixels)
            buckets.append(
                (latents.reshape(len(rows), -1, *latents.shape[1:]), [index for index, _ in rows])
            )
        return buckets

    def _prior(self, cache: Path) -> tuple[Tensor, list[str]]:
        """What the untouched base draws for ordinary prompts, as latents; cached per base."""
        prompts = [p for p in self.family.prior_prompts for _ in range(_PRIOR_SEEDS)]
        key = hashlib.sha256(
            repr((lora_data.weights_digest(self.folder), prompts)).encode()
        ).hexdigest()
        path = cache / f"prior-{key[:16]}.safetensors"
        if not path.exists():
            cache.mkdir(parents=True, exist_ok=True)
            lora_files.write(path, save({"latents": self._draw_prior(prompts)}))
        return load_file(path)["latents"].to(self.model.device), prompts

    def _draw_prior(self, prompts: list[str]) -> Tensor:
        model, size = self.model, self.family.native_size
        model.use_sampler(self.family.samplers[0].name)
        drawn = []
        for start in range(0, len(prompts), _PRIOR_BATCH):
            part = prompts[start : start + _PRIOR_BATCH]
            with torch.inference_mode(), model.precision():
                positive, negative = model.encode(part).float(), model.encode([""]).float()
            latents = model.denoise(
                positive,
                negative.expand(len(part), -1, -1),
                seeds=list(range(start, start + len(part))),
                size=size,
                steps=_PRIOR_STEPS,
                cfg_scale=self.family.default_cfg_scale,
                on_step=lambda _step: self.checkpoint(),
            )
            drawn.append(latents)
        return torch.cat(drawn).cpu().contiguous()

    def _add_layers(self) -> None:
        layout = self.family.lora_layout
        for part in (self.model.unet, self.model.text_encoder):
            part.requires_grad_(False)
        with torch.random.fork_rng():
            torch.manual_seed(self.spec.seed)
            for part, targets in self._targets(layout.unet, layout.text_encoder):
                config = LoraConfig(
                    r=self.spec.rank,
                    lora_alpha=self.spec.alpha,  # type: ignore[arg-type]  # fractions work
                    target_modules=list(targets),
                )
                part.add_adapter(config, _ADAPTER)

    def _targets(
        self, unet: tuple[str, ...], text: tuple[str, ...]
    ) -> list[tuple[Any, tuple[str, ...]]]:
        wanted: list[tuple[Any, tuple[str, ...]]] = [(self.model.unet, unet)]
        if self.spec.text_encoder:
            wanted.append((self.model.text_encoder, text))
        return wanted

    def _parts(self) -> list[Any]:
        parts = [self.model.unet]
        if self.spec.text_encoder:
            parts.append(self.model.text_encoder)
        return parts

    # Learning

    def learn(self) -> float:
        """One optimiser step; everything random in it follows from the seed and the step number."""
        draw = torch.Generator().manual_seed(_mix(self.spec.seed, self.step))
        latents, texts = self._batch(draw)
        for group in self.optimizer.param_groups:
            group["lr"] = self.spec.learning_rate * self._rate()
        loss = self._batch_loss(latents, texts, draw)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        value = float(loss.detach())
        self.losses.append(value)
        return value

    def _batch(self, draw: torch.Generator) -> tuple[Tensor, list[str]]:
        sizes = torch.tensor([float(len(indices)) for _, indices in self.buckets])
        chosen = int(torch.multinomial(sizes, 1, generator=draw))
        latents, indices = self.buckets[chosen]
        rows = torch.randint(len(indices), (self.spec.batch,), generator=draw)
        variants = torch.randint(latents.shape[1], (self.spec.batch,), generator=draw)
        captions = self.spec.captions
        texts = [captions[indices[row]] for row in rows.tolist()]
        return latents[rows, variants], texts

    def _rate(self) -> float:
        warm = min(1.0, (self.step + 1) / _WARM_STEPS)
        progress = self.step / max(1, self.spec.total_steps)
        return warm * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * progress)))

    def _batch_loss(self, latents: Tensor, texts: list[str], draw: torch.Generator) -> Tensor:
        """Loss on the pictures, plus loss on ordinary subjects so that they are not unlearned."""
        if self.prior is None:
            return self._losses(latents, texts, draw).mean()
        stored, prompts = self.prior
        rows = torch.randint(len(prompts), (self.spec.prior_rows,), generator=draw)
        ordinary, named = stored[rows], [prompts[row] for row in rows.tolist()]
        if ordinary.shape[1:] != latents.shape[1:]:
            own = self._losses(latents, texts, draw).mean()
            return own + self._losses(ordinary, named, draw).mean()
        # One pass over both costs little more than one over either.
        both = self._losses(torch.cat([latents, ordinary]), texts + named, draw)
        return both[: len(latents)].mean() + both[len(latents) :].mean()

    def _losses(self, latents: Tensor, texts: list[str], draw: torch.Generator) -> Tensor:
        """Weighted loss of each picture at a random time of the schedule."""
        times = torch.randint(len(self.alphas), (len(latents),), generator=draw)
        noise = torch.randn(latents.shape, generator=draw).to(latents.device)
        alpha = self.alphas[times].view(-1, 1, 1, 1).to(latents.device)
        noisy = alpha.sqrt() * latents + (1 - alpha).sqrt() * noise
        velocity = self.model.predicts_velocity
        target = alpha.sqrt() * noise - (1 - alpha).sqrt() * latents if velocity else noise
        with self.model.learning_precision():
            hidden = self.model.encode(texts)
            predicted = self.model.unet(
                noisy.contiguous(memory_format=torch.channels_last),
                times.to(latents.device),
                hidden,
            ).sample
        ratio = alpha.flatten() / (1 - alpha.flatten()).clamp_min(1e-8)
        weight = ratio.clamp(max=_SNR_CEILING) / (ratio + 1 if velocity else ratio)
        errors: Tensor = (predicted.float() - target).square().mean((1, 2, 3))
        return errors * (weight + _FLOOR)

    # Keeping

    def save(self) -> None:
        """Put the state on disk, whole or not at all."""
        tensors: dict[str, Tensor] = {}
        for index, parameter in enumerate(self.parameters):
            tensors[f"{index}.value"] = parameter.detach().contiguous()
            for key, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f"{index}.{key}"] = torch.as_tensor(value).contiguous()
        facts = {
            "spec": self.digest,
            "step": str(self.step),
            "losses": json.dumps(self.losses[-self.spec.steps_each_epoch :]),
        }
        lora_files.write(self.workdir / _STATE, save(tensors, metadata=facts))

    def _resume(self) -> None:
        path = self.workdir / _STATE
        if not path.exists():
            if any(self.workdir.glob("epoch-*.json")):
                raise RefusedTrainingError("The folder holds epochs but no state to go on from.")
            return
        facts = lora_files.read_metadata(path.read_bytes())
        if facts.get("spec") != self.digest:
            raise RefusedTrainingError("The folder belongs to a training with other settings.")
        tensors = load_file(path)
        self.step = int(facts["step"])
        self.losses = [float(loss) for loss in json.loads(facts["losses"])]
        with torch.no_grad():
            for index, parameter in enumerate(self.parameters):
                parameter.copy_(tensors[f"{index}.value"])
                kept = {
                    key: tensors[f"{index}.{key}"]
                    for key in ("step", "exp_avg", "exp_avg_sq")
                    if f"{index}.{key}" in tensors
                }
                if kept:
                    self.optimizer.state[parameter] = kept

    @property
    def ends_epoch(self) -> bool:
        """Whether the step just learned was the last of its epoch."""
        return self.step > 0 and self.step % self.spec.steps_each_epoch == 0

    @property
    def owes_epoch(self) -> bool:
        """Whether an epoch was learned to its end, but killed before its files were written."""
        return self.ends_epoch and not self._epoch_path(".json").exists()

    def finish_epoch(self) -> EpochResult:
        """Write the file of the epoch just learned and draw its samples."""
        number = self.step // self.spec.steps_each_epoch
        recent = self.losses[-self.spec.steps_each_epoch :]
        loss = sum(recent) / len(recent)
        path = self._epoch_path(".safetensors")
        layers = self._layers()
        data = lora_files.pack(layers, metadata=self._metadata(number, loss))
        lora_files.write(path, data)
        samples = self._samples(number)
        facts = {
            "number": number,
            "loss": loss,
            "lora": path.name,
            "samples": [{"prompt": s.prompt, "seed": s.seed, "file": s.path.name} for s in samples],
        }
        lora_files.write(self._epoch_path(".json"), json.dumps(facts).encode())
        return read_epoch(self._epoch_path(".json"))

    def _epoch_path(self, suffix: str) -> Path:
        number = self.step // self.spec.steps_each_epoch
        return self.workdir / f"epoch-{number:04d}{suffix}"

    def _layers(self) -> tuple[lora_files.Layer, ...]:
        layers = []
        for part_name, part in zip(("unet", "text_encoder"), self._parts(), strict=False):
            state = get_peft_model_state_dict(part, adapter_name=_ADAPTER)
            for key, down in state.items():
                if not key.endswith(".lora_A.weight"):
                    continue
                path = key.removesuffix(".lora_A.weight")
                up = state[f"{path}.lora_B.weight"]
                layers.append(
                    lora_files.Layer(
                        part="unet" if part_name == "unet" else "text_encoder",
                        path=path,
                        down=down.detach().float().cpu().numpy(),
                        up=up.detach().float().cpu().numpy(),
                        alpha=float(self.spec.alpha),
                    )
                )
        return tuple(layers)

    def _samples(self, number: int) -> list[Sample]:
        model, family = self.model, self.family
        model.use_sampler(family.samplers[0].name)
        samples = []
        for index, prompt in enumerate(self.spec.prompts_to_sample):
            seed = self.spec.seed + index
            with torch.inference_mode(), model.precision():
                rows = len(model.token_chunks(prompt))
                positive = model.encode([prompt], rows=rows).float()
                negative = model.encode([""], rows=rows).float()
            latents = model.denoise(
                positive,
                negative,
                seeds=[seed],
                size=family.native_size,
                steps=self.spec.sample_steps,
                cfg_scale=family.default_cfg_scale,
                on_step=lambda _step: self.checkpoint(),
            )
            picture = enlarge(model.decode(latents)[0], family)
            out = io.BytesIO()
            picture.save(out, "PNG")
            path = self.workdir / f"epoch-{number:04d}-{index}.png"
            lora_files.write(path, out.getvalue())
            samples.append(Sample(prompt, seed, path))
        return samples

    def _metadata(self, number: int, loss: float) -> dict[str, str]:
        spec = self.spec
        tags: Counter[str] = Counter()
        for caption in self.spec.captions:
            tags.update(tag.strip() for tag in caption.split(",") if tag.strip())
        width, height = self.family.native_size
        module = {"conv_dim": str(spec.rank), "conv_alpha": f"{spec.alpha:g}"}
        return {
            "ss_network_module": "networks.lora",
            "ss_network_dim": str(spec.rank),
            "ss_network_alpha": f"{spec.alpha:g}",
            "ss_network_args": json.dumps(module),
            "ss_base_model_version": self.family.architecture.split("/")[0],
            "ss_sd_model_name": self.family.name,
            "ss_output_name": spec.name,
            "ss_learning_rate": f"{spec.learning_rate:g}",
            "ss_unet_lr": f"{spec.learning_rate:g}",
            "ss_text_encoder_lr": f"{spec.learning_rate:g}" if spec.text_encoder else "0",
            "ss_optimizer": "torch.optim.adamw.AdamW",
            "ss_lr_scheduler": "cosine",
            "ss_seed": str(spec.seed),
            "ss_num_train_images": str(len(spec.pictures)),
            "ss_num_reg_images": str(len(self.prior[1]) if self.prior else 0),
            "ss_num_batches_per_epoch": str(spec.steps_each_epoch),
            "ss_num_epochs": str(spec.epochs),
            "ss_epoch": str(number),
            "ss_steps": str(self.step),
            "ss_max_train_steps": str(spec.total_steps),
            "ss_total_batch_size": str(spec.batch),
            "ss_resolution": f"({width}, {height})",
            "ss_mixed_precision": "bf16",
            "ss_v2": "False",
            "ss_tag_frequency": json.dumps({spec.name: dict(tags)}),
            "ss_loss": f"{loss:.5f}",
            "modelspec.sai_model_spec": "1.0.0",
            "modelspec.architecture": self.family.architecture,
            "modelspec.implementation": "diffusers",
            "modelspec.title": spec.name,
            "modelspec.resolution": f"{width}x{height}",
            "modelspec.trigger_phrase": spec.trigger_word,
            "modelspec.prediction_type": ("v" if self.model.predicts_velocity else "eps"),
        }


def _digest(spec: TrainingSpec, folder: Path) -> str:
    """What must be equal for a state to be this training's."""
    facts = {f.name: repr(getattr(spec, f.name)) for f in fields(spec) if f.name != "pictures"}
    pictures = [(lora_data.picture_digest(source), text) for source, text in spec.pictures]
    text = json.dumps([facts, pictures, lora_data.weights_digest(folder)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _mix(seed: int, number: int) -> int:
    """A seed of its own for each step or picture."""
    digest = hashlib.sha256(f"{seed}:{number}".encode()).digest()
    return int.from_bytes(digest[:7], "big")
