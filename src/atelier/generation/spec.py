"""What may be asked for: every rule of a request with its own message, and the price."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from atelier.core.errors import FieldError, Invalid
from atelier_engine import families

if TYPE_CHECKING:
    from atelier_engine.families import Family

MAX_PROMPT = 2000
MAX_QUANTITY = 8
MAX_RESOURCES = 5
MAX_STRENGTH = 2.0
MAX_SEED = 2**32 - 1
RANDOM_SEED = -1
# Two Sparks buy a picture of twenty steps.
STEPS_A_SPARK = 10


@dataclass(frozen=True, slots=True)
class ResourceChoice:
    """A LoRA that was asked for: a version id or an AIR, and how strongly it acts."""

    version: str
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrived. What is ``None`` takes the default of the base model's family."""

    prompt: str
    negative_prompt: str = ""
    checkpoint: str = ""
    resources: tuple[ResourceChoice, ...] = ()
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    cfg_scale: float | None = None
    sampler: str = ""
    clip_skip: int = 1
    seed: int | None = None
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings with nothing left open, all within the rules."""

    prompt: str
    negative_prompt: str
    width: int
    height: int
    steps: int
    cfg_scale: float
    sampler: str
    clip_skip: int
    seed: int
    quantity: int


@dataclass(slots=True)
class _Problems:
    """Every broken rule, so that a person corrects them in one go."""

    found: list[FieldError] = field(default_factory=list)

    def add(self, name: str, rule: str) -> None:
        self.found.append(FieldError(name, rule))

    def check(self) -> None:
        if self.found:
            raise Invalid(
                " ".join(f"{error.field}: {error.rule}." for error in self.found),
                errors=tuple(self.found),
            )


def family_of(base_model: str) -> Family:
    """The engine's family of a base model; raises :class:`Invalid` where there is none."""
    try:
        return families.find(base_model)
    except families.UnknownFamilyError:
        raise Invalid.field(
            "checkpoint",
            f"this site cannot draw with {base_model}; it draws with "
            + ", ".join(families.names()),
        ) from None


def check_resources(request: Request) -> None:
    """Rules on the stack of LoRAs that need no look-up; raises :class:`Invalid`."""
    problems = _Problems()
    if len(request.resources) > MAX_RESOURCES:
        problems.add("resources", f"at most {MAX_RESOURCES} LoRAs can be combined")
    for place, choice in enumerate(request.resources):
        if not abs(choice.strength) <= MAX_STRENGTH:
            problems.add(
                f"resources.{place}.strength", f"must be from -{MAX_STRENGTH:g} to {MAX_STRENGTH:g}"
            )
    problems.check()


def settle(request: Request, family: Family) -> Settings:
    """Fill in defaults and check every rule; raises :class:`Invalid` naming all broken ones."""
    problems = _Problems()
    width, height = _size(request, family, problems)
    steps, cfg_scale, sampler = _drawing(request, family, problems)
    seed = request.seed
    if seed is None or seed == RANDOM_SEED:
        seed = secrets.randbelow(MAX_SEED + 1)
    if not 0 <= seed <= MAX_SEED:
        problems.add("seed", f"must be from 0 to {MAX_SEED}, or -1 for a random one")
    if not 1 <= request.quantity <= MAX_QUANTITY:
        problems.add("quantity", f"must be from 1 to {MAX_QUANTITY}")
    _words(request, problems)
    problems.check()
    return Settings(
        prompt=request.prompt.strip(),
        negative_prompt=request.negative_prompt.strip(),
        width=width,
        height=height,
        steps=steps,
        cfg_scale=cfg_scale,
        sampler=sampler,
        clip_skip=request.clip_skip,
        seed=seed,
        quantity=request.quantity,
    )


def _words(request: Request, problems: _Problems) -> None:
    if not request.prompt.strip():
        problems.add("prompt", "must say what to draw")
    for name, text in (("prompt", request.prompt), ("negative_prompt", request.negative_prompt)):
        if len(text) > MAX_PROMPT:
            problems.add(name, f"must have at most {MAX_PROMPT} characters")
        if "\x00" in text:
            problems.add(name, "must not contain a null character")


def _drawing(request: Request, family: Family, problems: _Problems) -> tuple[int, float, str]:
    """Steps, guidance and sampler."""
    steps = family.default_steps if request.steps is None else request.steps
    if steps not in family.steps:
        problems.add("steps", f"must be from {family.steps.start} to {family.steps.stop - 1}")
    low, high = family.cfg_scale
    cfg_scale = family.default_cfg_scale if request.cfg_scale is None else request.cfg_scale
    if not low <= cfg_scale <= high:
        problems.add("cfg_scale", f"must be from {low:g} to {high:g}")
    samplers = [sampler.name for sampler in family.samplers]
    sampler = request.sampler or samplers[0]
    if sampler not in samplers:
        problems.add("sampler", "must be one of " + ", ".join(samplers))
    if request.clip_skip not in family.clip_skip:
        first, last = family.clip_skip.start, family.clip_skip.stop - 1
        problems.add("clip_skip", f"must be from {first} to {last}")
    return steps, cfg_scale, sampler


def _size(request: Request, family: Family, problems: _Problems) -> tuple[int, int]:
    """The size asked for; one side alone, or none, leaves the rest to the family."""
    for size in family.sizes:
        if request.width in {None, size[0]} and request.height in {None, size[1]}:
            return size
    offered = ", ".join(f"{width} by {height}" for width, height in family.sizes)
    problems.add("width", f"the size must be one of {offered}")
    return family.sizes[0]


def price_of_picture(steps: int) -> int:
    """Sparks for one picture: 2 at 20 steps, at least 1."""
    return max(1, math.ceil(steps / STEPS_A_SPARK))
