"""What the engine must know of a model family before it loads a single weight.

Descriptions only: no torch here, so that a web process can validate a request against them.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Size = tuple[int, int]
"""Width and height of a finished picture, in pixels."""


class UnknownFamilyError(LookupError):
    """No adapter exists for this base model."""


@dataclass(frozen=True, slots=True)
class Sampler:
    """A sampler under the name that people know, and the diffusers scheduler behind it."""

    name: str
    scheduler: str
    options: dict[str, bool | int | float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layout:
    """Which layers a LoRA of this family adapts."""

    unet: tuple[str, ...]
    text_encoder: tuple[str, ...]


class Family(Protocol):
    """One base architecture: its sizes, samplers, limits, LoRA layers and defaults."""

    @property
    def name(self) -> str:
        """The base-model name, as in the catalog."""

    @property
    def weights(self) -> Path:
        """Folder of the base weights in the diffusers layout."""

    @property
    def native_size(self) -> Size:
        """What the network itself draws best, before any enlargement."""

    @property
    def display_scale(self) -> int:
        """How often a drawn pixel is enlarged in the finished picture."""

    @property
    def sizes(self) -> tuple[Size, ...]:
        """Sizes of finished pictures that may be asked for; the first is the default."""

    @property
    def samplers(self) -> tuple[Sampler, ...]:
        """Samplers on offer; the first is the default."""

    @property
    def steps(self) -> range:
        """Step counts that may be asked for."""

    @property
    def default_steps(self) -> int:
        """Steps when nothing was asked for."""

    @property
    def cfg_scale(self) -> tuple[float, float]:
        """Lowest and highest guidance."""

    @property
    def default_cfg_scale(self) -> float:
        """Guidance when nothing was asked for."""

    @property
    def guidance_rescale(self) -> float:
        """How far guided predictions are brought back to the spread of unguided ones."""

    @property
    def clip_skip(self) -> range:
        """Which layers of the text encoder, counted from the end, may be read."""

    @property
    def lora_layout(self) -> Layout:
        """Layers that LoRAs adapt."""

    @property
    def architecture(self) -> str:
        """The modelspec architecture id written into files."""

    @property
    def prior_prompts(self) -> tuple[str, ...]:
        """Ordinary subjects that training must not unlearn."""

    def sampler(self, name: str) -> Sampler:
        """The sampler of that name, or LookupError."""
