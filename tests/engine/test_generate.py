from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest

from atelier_engine import families, lora_files
from atelier_engine.generate import (
    Engine,
    LoraRef,
    RefusedSpecError,
    Spec,
    Stopped,
    UnusableWeightsError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

BASE = "Atelier Base"
SPEC = Spec(prompt="a red apple", steps=2, seed=41)


@pytest.fixture(scope="module")
def engine(weights: Path) -> Engine:
    made = Engine(weights={BASE: weights}, keep_loras=2)
    made.load()
    return made


def draw(engine: Engine, spec: Spec) -> list[Image.Image]:
    return [picture.image for picture in engine.generate(spec)]


def lora(folder: Path, name: str, *, factor: float = 1.0, layout: str = "kohya") -> LoraRef:
    draw_from = np.random.default_rng(5)
    places: tuple[tuple[Literal["unet", "text_encoder"], str, int], ...] = (
        ("unet", "mid_block.attentions.0.transformer_blocks.0.attn1.to_q", 192),
        ("unet", "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0", 192),
        ("text_encoder", "text_model.encoder.layers.0.self_attn.q_proj", 128),
    )
    layers = tuple(
        lora_files.Layer(
            part=part,
            path=path,
            down=draw_from.normal(0, 0.3, (2, size)) * factor,
            up=draw_from.normal(0, 0.3, (size, 2)),
            alpha=1.0,
        )
        for part, path, size in places
    )
    path = folder / f"{name}.safetensors"
    chosen: lora_files.Layout = "kohya" if layout == "kohya" else "diffusers"
    path.write_bytes(lora_files.pack(layers, layout=chosen, metadata={}))
    return LoraRef(path, 1.0, hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_seed_draws_the_same_picture_in_any_quantity(engine: Engine) -> None:
    three = list(engine.generate(replace(SPEC, quantity=3)))
    assert [(picture.index, picture.seed) for picture in three] == [(0, 41), (1, 42), (2, 43)]
    alone = draw(engine, replace(SPEC, seed=43))
    assert alone[0].tobytes() == three[2].image.tobytes()
    assert three[0].image.tobytes() != three[1].image.tobytes()


@pytest.mark.parametrize("size", families.find(BASE).sizes)
def test_every_size_on_offer_is_drawn(engine: Engine, size: tuple[int, int]) -> None:
    (image,) = draw(engine, replace(SPEC, width=size[0], height=size[1]))
    assert image.size == size
    assert image.mode == "RGB"


@pytest.mark.parametrize("sampler", [s.name for s in families.find(BASE).samplers])
def test_every_sampler_on_offer_is_repeatable(engine: Engine, sampler: str) -> None:
    spec = replace(SPEC, sampler=sampler, steps=4)
    assert draw(engine, spec)[0].tobytes() == draw(engine, spec)[0].tobytes()


def test_steps_are_told_as_they_happen_and_pictures_as_they_finish(engine: Engine) -> None:
    told: list[tuple[int, int, int]] = []
    pictures = engine.generate(
        replace(SPEC, quantity=2), lambda index, step, steps: told.append((index, step, steps))
    )
    next(pictures)
    assert told == [(0, 1, 2), (0, 2, 2)]
    next(pictures)
    assert told[2:] == [(1, 1, 2), (1, 2, 2)]


def test_a_stop_takes_effect_at_the_next_step(engine: Engine) -> None:
    told: list[int] = []
    with pytest.raises(Stopped):
        list(
            engine.generate(
                replace(SPEC, steps=9),
                lambda _index, step, _steps: told.append(step),
                lambda: len(told) >= 3,
            )
        )
    assert told == [1, 2, 3]
    assert draw(engine, SPEC), "the engine serves the next request"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "Steps must be 1 to 50."),
        ({"steps": 51}, "Steps must be 1 to 50."),
        ({"width": 257}, "Size 257 by 256 is not offered by Atelier Base."),
        ({"width": 60_000, "height": 60_000}, "Size 60000 by 60000 is not offered by"),
        ({"cfg_scale": float("nan")}, "CFG scale must be 1 to 15."),
        ({"sampler": "Heun"}, "Sampler 'Heun' is not offered by Atelier Base."),
        ({"quantity": 0}, "Quantity must be 1 to 16."),
        ({"quantity": 17}, "Quantity must be 1 to 16."),
        ({"seed": -1}, "Seed must be 0 to"),
        ({"clip_skip": 3}, "Clip skip must be 1 to 2."),
        ({"prompt": "x" * 6_001}, "A prompt has at most 6000 characters."),
    ],
)
def test_what_the_family_cannot_draw_is_refused_before_any_work(
    weights: Path, change: dict[str, object], message: str
) -> None:
    idle = Engine(weights={BASE: weights})
    with pytest.raises(RefusedSpecError, match=message):
        idle.generate(replace(SPEC, **change))  # type: ignore[arg-type]
    assert not idle._models


def test_an_unknown_base_model_is_refused(engine: Engine) -> None:
    with pytest.raises(families.UnknownFamilyError):
        engine.generate(replace(SPEC, base="Other"))


def test_both_layouts_of_a_lora_draw_the_same_and_leave_no_trace(
    engine: Engine, tmp_path: Path
) -> None:
    plain = np.asarray(draw(engine, SPEC)[0]).astype(int)
    kohya, other = lora(tmp_path, "k"), lora(tmp_path, "d", layout="diffusers")
    as_kohya = np.asarray(draw(engine, replace(SPEC, loras=(kohya,)))[0]).astype(int)
    as_diffusers = np.asarray(draw(engine, replace(SPEC, loras=(other,)))[0]).astype(int)
    assert np.abs(as_kohya - as_diffusers).max() <= 1
    assert np.abs(as_kohya - plain).mean() > 0.5
    none = draw(engine, replace(SPEC, loras=(replace(kohya, strength=0.0),)))
    assert np.abs(np.asarray(none[0]).astype(int) - plain).max() == 0
    assert np.abs(np.asarray(draw(engine, SPEC)[0]).astype(int) - plain).max() == 0


def test_only_recent_loras_are_kept(engine: Engine, tmp_path: Path) -> None:
    made = [lora(tmp_path, str(n), factor=1 + n) for n in range(3)]
    for one in made:
        draw(engine, replace(SPEC, loras=(one,)))
    (model,) = engine._models.values()
    held = {name for names in model.attached().values() for name in names}
    assert held == {f"lora_{one.sha256}" for one in made[1:]}


def test_a_lora_whose_bytes_changed_is_not_used(engine: Engine, tmp_path: Path) -> None:
    cleared = lora(tmp_path, "swapped")
    cleared.path.write_bytes(lora(tmp_path, "other", factor=3).path.read_bytes())
    with pytest.raises(UnusableWeightsError, match="is not the file that was cleared"):
        draw(engine, replace(SPEC, loras=(cleared,)))


def test_a_lora_of_another_family_is_refused_and_forgotten(engine: Engine, tmp_path: Path) -> None:
    wide = lora_files.Layer(
        part="unet",
        path="mid_block.attentions.0.transformer_blocks.0.attn1.to_q",
        down=np.ones((2, 1280)),
        up=np.ones((1280, 2)),
        alpha=2,
    )
    path = tmp_path / "wide.safetensors"
    path.write_bytes(lora_files.pack((wide,), metadata={}))
    alien = LoraRef(path, 1.0, hashlib.sha256(path.read_bytes()).hexdigest())
    plain = draw(engine, SPEC)[0].tobytes()
    with pytest.raises(UnusableWeightsError, match="does not fit Atelier Base"):
        draw(engine, replace(SPEC, loras=(alien,)))
    assert draw(engine, SPEC)[0].tobytes() == plain


def test_a_prompt_longer_than_the_encoder_reads_is_read_to_its_end(engine: Engine) -> None:
    long = "red apple, " * 12
    one, other = (draw(engine, replace(SPEC, prompt=long + end))[0] for end in ("blue", "zebra"))
    assert one.tobytes() != other.tobytes()
