"""Atelier Base: the small latent diffusion model that ships with the project."""

from dataclasses import dataclass
from pathlib import Path

from atelier_engine.families.base import Layout, Sampler, Size

_ZERO_SNR: dict[str, bool | int | float | str] = {
    "timestep_spacing": "trailing",
    "rescale_betas_zero_snr": True,
}

_LAYOUT = Layout(
    unet=(
        "to_q",
        "to_k",
        "to_v",
        "to_out.0",
        "ff.net.0.proj",
        "ff.net.2",
        "conv1",
        "conv2",
    ),
    text_encoder=("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"),
)


@dataclass(frozen=True, slots=True)
class AtelierFamily:
    """Draws 64 by 64 and enlarges fourfold, so that marks and hashes have pixels to live in."""

    name: str = "Atelier Base"
    weights: Path = Path(__file__).parent.parent / "weights" / "base"
    native_size: Size = (64, 64)
    display_scale: int = 4
    sizes: tuple[Size, ...] = ((256, 256), (256, 320), (320, 256))
    samplers: tuple[Sampler, ...] = (
        Sampler("DDIM", "DDIMScheduler", {**_ZERO_SNR, "set_alpha_to_one": True}),
        Sampler("Euler", "EulerDiscreteScheduler", dict(_ZERO_SNR)),
        Sampler("Euler a", "EulerAncestralDiscreteScheduler", dict(_ZERO_SNR)),
        Sampler("DPM++ 2M", "DPMSolverMultistepScheduler", dict(_ZERO_SNR)),
        Sampler(
            "DPM++ 2M Karras",
            "DPMSolverMultistepScheduler",
            {**_ZERO_SNR, "use_karras_sigmas": True},
        ),
    )
    steps: range = range(1, 51)
    default_steps: int = 20
    cfg_scale: tuple[float, float] = (1.0, 15.0)
    default_cfg_scale: float = 4.0
    guidance_rescale: float = 0.7
    clip_skip: range = range(1, 3)
    lora_layout: Layout = _LAYOUT
    architecture: str = "atelier-base-v1/lora"
    prior_prompts: tuple[str, ...] = (
        "red apple",
        "cat",
        "dog",
        "fox",
        "blue heart",
        "yellow heart",
        "green apple",
        "banana",
        "bear",
        "panda",
        "rabbit",
        "lion",
        "penguin",
        "mushroom",
        "sunflower",
        "rocket",
        "robot",
        "ghost",
        "pizza",
        "birthday cake",
        "star",
        "house",
        "tulip",
        "strawberry",
    )

    def sampler(self, name: str) -> Sampler:
        """The sampler of that name, or LookupError."""
        for sampler in self.samplers:
            if sampler.name == name:
                return sampler
        raise LookupError(name)


FAMILY = AtelierFamily()
