"""Every rule of a request has its own message, and the price follows the steps."""

from __future__ import annotations

import math
from typing import Any

import pytest

from atelier.core.errors import Invalid
from atelier.generation import spec
from atelier.generation.spec import Request, ResourceChoice

FAMILY = spec.family_of("Atelier Base")


def _asked(**fields: Any) -> Request:
    return Request(**{"prompt": "a red apple", **fields})


def test_defaults_are_the_familys() -> None:
    settled = spec.settle(_asked(seed=7), FAMILY)
    assert (settled.width, settled.height) == FAMILY.sizes[0]
    assert (settled.steps, settled.cfg_scale, settled.sampler) == (20, 4.0, "DDIM")
    assert (settled.seed, settled.quantity, settled.clip_skip) == (7, 1, 1)


def test_one_side_chooses_a_size_that_has_it() -> None:
    settled = spec.settle(_asked(height=320), FAMILY)
    assert (settled.width, settled.height) == (256, 320)


@pytest.mark.parametrize("seed", [None, -1])
def test_no_seed_is_a_random_one(seed: int | None) -> None:
    seeds = {spec.settle(_asked(seed=seed), FAMILY).seed for _ in range(5)}
    assert len(seeds) > 1
    assert all(0 <= value <= spec.MAX_SEED for value in seeds)


@pytest.mark.parametrize(
    ("fields", "name", "rule"),
    [
        ({"steps": 0}, "steps", "must be from 1 to 50"),
        ({"steps": 51}, "steps", "must be from 1 to 50"),
        (
            {"width": 512, "height": 512},
            "width",
            "the size must be one of 256 by 256, 256 by 320, 320 by 256",
        ),
        ({"cfg_scale": 0.5}, "cfg_scale", "must be from 1 to 15"),
        ({"cfg_scale": math.nan}, "cfg_scale", "must be from 1 to 15"),
        (
            {"sampler": "Heun"},
            "sampler",
            "must be one of DDIM, Euler, Euler a, DPM++ 2M, DPM++ 2M Karras",
        ),
        ({"clip_skip": 0}, "clip_skip", "must be from 1 to 2"),
        ({"quantity": 0}, "quantity", "must be from 1 to 8"),
        ({"quantity": 9}, "quantity", "must be from 1 to 8"),
        ({"seed": -2}, "seed", "must be from 0 to 4294967295, or -1 for a random one"),
        ({"seed": 2**32}, "seed", "must be from 0 to 4294967295, or -1 for a random one"),
        ({"prompt": "  "}, "prompt", "must say what to draw"),
        ({"prompt": "x" * 2001}, "prompt", "must have at most 2000 characters"),
        ({"prompt": "a\x00b"}, "prompt", "must not contain a null character"),
        ({"negative_prompt": "x" * 2001}, "negative_prompt", "must have at most 2000 characters"),
    ],
)
def test_each_rule_says_what_it_wants(fields: dict[str, Any], name: str, rule: str) -> None:
    with pytest.raises(Invalid) as refusal:
        spec.settle(_asked(**fields), FAMILY)
    assert [(error.field, error.rule) for error in refusal.value.errors] == [(name, rule)]


def test_all_broken_rules_are_named_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        spec.settle(_asked(steps=0, quantity=0), FAMILY)
    assert [error.field for error in refusal.value.errors] == ["steps", "quantity"]


def test_the_stack_of_loras_has_limits() -> None:
    spec.check_resources(_asked(resources=(ResourceChoice("1", -2.0), ResourceChoice("2", 2.0))))
    with pytest.raises(Invalid, match="at most 5 LoRAs"):
        spec.check_resources(_asked(resources=(ResourceChoice("1"),) * 6))
    for strength in (2.1, -2.1, math.nan):
        with pytest.raises(Invalid) as refusal:
            spec.check_resources(_asked(resources=(ResourceChoice("1", strength),)))
        assert refusal.value.errors[0].field == "resources.0.strength"


def test_a_base_without_a_family_cannot_be_drawn_with() -> None:
    with pytest.raises(Invalid, match=r"cannot draw with SDXL 1\.0; it draws with Atelier Base"):
        spec.family_of("SDXL 1.0")


@pytest.mark.parametrize(
    ("steps", "sparks"), [(1, 1), (10, 1), (11, 2), (20, 2), (21, 3), (30, 3), (50, 5)]
)
def test_the_price_follows_the_steps(steps: int, sparks: int) -> None:
    assert spec.price_of_picture(steps) == sparks
