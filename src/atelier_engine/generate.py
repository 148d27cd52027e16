"""Drawing pictures: one long-lived engine a worker, pictures handed out as they are finished."""

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from PIL import Image

from atelier_engine import families, lora_files
from atelier_engine.diffusion import Diffusion, Stopped, UnusableWeightsError
from atelier_engine.families import Family, Size

__all__ = [
    "Engine",
    "LoraRef",
    "Picture",
    "RefusedSpecError",
    "Spec",
    "Stopped",
    "UnusableWeightsError",
    "validate",
]

log = logging.getLogger(__name__)

MAX_QUANTITY = 16
MAX_LORAS = 8
MAX_STRENGTH = 4.0
MAX_PROMPT = 6_000
MAX_SEED = 2**63 - 1


class RefusedSpecError(ValueError):
    """A request that this engine does not draw; the message names the reason."""


@dataclass(frozen=True, slots=True)
class LoraRef:
    """A LoRA file at a strength; the digest binds the decision taken about it to its bytes."""

    path: Path
    strength: float
    sha256: str


@dataclass(frozen=True, slots=True)
class Spec:
    """Everything that determines the pictures of one request."""

    prompt: str
    negative_prompt: str = ""
    width: int = 256
    height: int = 256
    steps: int = 20
    cfg_scale: float = 4.0
    sampler: str = "DDIM"
    seed: int = 0
    quantity: int = 1
    loras: tuple[LoraRef, ...] = ()
    checkpoint: Path | None = None
    clip_skip: int = 1
    base: str = "Atelier Base"


@dataclass(frozen=True, slots=True)
class Picture:
    """One finished picture, enlarged to the size that was asked for, and the seed that drew it."""

    index: int
    seed: int
    image: Image.Image = field(repr=False)


def validate(spec: Spec, family: Family) -> None:
    """Refuse what the family cannot draw, each with its own message."""
    refusals = {
        f"Size {spec.width} by {spec.height} is not offered by {family.name}.": (
            (spec.width, spec.height) not in family.sizes
        ),
        f"Steps must be {family.steps.start} to {family.steps.stop - 1}.": (
            spec.steps not in family.steps
        ),
        f"CFG scale must be {family.cfg_scale[0]:g} to {family.cfg_scale[1]:g}.": (
            not family.cfg_scale[0] <= spec.cfg_scale <= family.cfg_scale[1]
        ),
        f"Sampler {spec.sampler!r} is not offered by {family.name}.": (
            spec.sampler not in {sampler.name for sampler in family.samplers}
        ),
        f"Clip skip must be {family.clip_skip.start} to {family.clip_skip.stop - 1}.": (
            spec.clip_skip not in family.clip_skip
        ),
        f"Quantity must be 1 to {MAX_QUANTITY}.": not 1 <= spec.quantity <= MAX_QUANTITY,
        f"Seed must be 0 to {MAX_SEED}.": not 0 <= spec.seed <= MAX_SEED - MAX_QUANTITY,
        f"At most {MAX_LORAS} LoRAs can be combined.": len(spec.loras) > MAX_LORAS,
        f"LoRA strength must be -{MAX_STRENGTH:g} to {MAX_STRENGTH:g}.": any(
            not abs(lora.strength) <= MAX_STRENGTH for lora in spec.loras
        ),
        f"A prompt has at most {MAX_PROMPT} characters.": (
            max(len(spec.prompt), len(spec.negative_prompt)) > MAX_PROMPT
        ),
    }
    for message, refused in refusals.items():
        if refused:
            raise RefusedSpecError(message)


class Engine:
    """Holds loaded models between requests. One engine serves one request at a time."""

    def __init__(
        self,
        *,
        weights: dict[str, Path] | None = None,
        threads: int | None = None,
        keep_loras: int = 8,
        keep_checkpoints: int = 1,
    ) -> None:
        """`weights` overrides the folder of a base model by its name."""
        if threads:
            torch.set_num_threads(threads)
        self._weights = weights or {}
        self._keep_loras = keep_loras
        self._keep_checkpoints = keep_checkpoints
        self._models: OrderedDict[tuple[str, Path], Diffusion] = OrderedDict()
        self._loras: dict[int, OrderedDict[str, None]] = {}

    def load(self, base: str = "Atelier Base") -> None:
        """Load a base model and draw once with it, so that no request is the slow one."""
        family = families.find(base)
        spec = Spec(prompt="", base=base, steps=2, width=family.sizes[0][0])
        for _ in self.generate(spec):
            pass

    def generate(
        self,
        spec: Spec,
        on_step: Callable[[int, int, int], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Iterator[Picture]:
        """Draw picture after picture; `on_step` gets picture index, step and steps.

        Raises RefusedSpecError before any work, UnusableWeightsError for a LoRA or checkpoint
        that does not fit or whose bytes changed, and Stopped soon after `should_stop` says so.
        """
        family = families.find(spec.base)
        validate(spec, family)
        return self._draw(spec, family, on_step, should_stop)

    def _draw(
        self,
        spec: Spec,
        family: Family,
        on_step: Callable[[int, int, int], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> Iterator[Picture]:
        model = self._model(family, spec.checkpoint)
        self._apply(model, spec.loras)
        model.use_sampler(spec.sampler)
        with torch.inference_mode(), model.precision():
            rows = max(len(model.token_chunks(t)) for t in (spec.prompt, spec.negative_prompt))
            positive, negative = (
                model.encode([text], clip_skip=spec.clip_skip, rows=rows).float()
                for text in (spec.prompt, spec.negative_prompt)
            )
        for index in range(spec.quantity):
            if should_stop is not None and should_stop():
                raise Stopped

            def after_step(step: int, index: int = index) -> None:
                if on_step is not None:
                    on_step(index, step, spec.steps)
                if should_stop is not None and should_stop():
                    raise Stopped

            seed = spec.seed + index
            latents = model.denoise(
                positive,
                negative,
                seeds=[seed],
                size=native((spec.width, spec.height), family),
                steps=spec.steps,
                cfg_scale=spec.cfg_scale,
                on_step=after_step,
            )
            image = enlarge(model.decode(latents)[0], family)
            yield Picture(index=index, seed=seed, image=image)

    def _model(self, family: Family, checkpoint: Path | None) -> Diffusion:
        base = self._weights.get(family.name, family.weights)
        key = (family.name, checkpoint or base)
        if key in self._models:
            self._models.move_to_end(key)
            return self._models[key]
        model = Diffusion(family, checkpoint or base, base=base)
        self._models[key] = model
        self._loras[id(model)] = OrderedDict()
        checkpoints = [k for k in self._models if k[1] != self._weights.get(k[0], family.weights)]
        for old in checkpoints[: -self._keep_checkpoints]:
            self._loras.pop(id(self._models.pop(old)))
        return model

    def _apply(self, model: Diffusion, loras: tuple[LoraRef, ...]) -> None:
        strengths: dict[str, float] = {}
        for lora in loras:
            name = f"lora_{lora.sha256}"
            strengths[name] = strengths.get(name, 0.0) + lora.strength
        recent = self._loras[id(model)]
        for lora in loras:
            name = f"lora_{lora.sha256}"
            if name not in recent:
                model.attach(name, read_checked(lora))
            recent[name] = None
            recent.move_to_end(name)
        model.choose(strengths)
        for old in [name for name in recent if name not in strengths]:
            if len(recent) <= self._keep_loras:
                break
            model.detach(old)
            del recent[old]


def read_checked(lora: LoraRef) -> dict[str, torch.Tensor]:
    """Tensors of a LoRA, only if the file still has the bytes that were decided about."""
    data = lora.path.read_bytes()
    if hashlib.sha256(data).hexdigest() != lora.sha256.lower():
        raise UnusableWeightsError(f"{lora.path.name} is not the file that was cleared.")
    try:
        layers = lora_files.read(data).layers
    except lora_files.BadLoraFileError as error:
        raise UnusableWeightsError(f"{lora.path.name} is no LoRA: {error}") from error
    arrays = lora_files.exact_tensors(layers)
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def native(size: Size, family: Family) -> Size:
    """The size that the network draws for a finished picture of `size`."""
    return (size[0] // family.display_scale, size[1] // family.display_scale)


def enlarge(image: Image.Image, family: Family) -> Image.Image:
    """A drawn picture at display size."""
    width, height = image.width * family.display_scale, image.height * family.display_scale
    return image.resize((width, height), Image.Resampling.LANCZOS)
