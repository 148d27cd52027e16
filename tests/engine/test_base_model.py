"""The base model's training, on a handful of drawn shapes instead of the picture packages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from atelier_engine.base_model import (
    captions,
    codec,
    data,
    denoiser,
    evaluate,
    export,
    run,
    single_file,
)
from atelier_engine.base_model.vocabulary import Word, claimed_words, next_words

if TYPE_CHECKING:
    from pathlib import Path

LABELS = {
    "red apple": (210, 40, 40),
    "banana": (250, 215, 60),
    "blue heart": (40, 90, 230),
    "fox": (240, 130, 40),
}


def _shape(colour: tuple[int, int, int]) -> Image.Image:
    image = Image.new("RGBA", (data.SIZE * 2, data.SIZE * 2), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    pen.ellipse((14, 14, 114, 114), fill=(*colour, 255))
    pen.ellipse((40, 40, 56, 56), fill=(255, 255, 255, 255))
    return image


def _pictures() -> list[data.Picture]:
    return [
        data.Picture(
            pixels=data.fit(_shape(colour)),
            label=label,
            tags=("round",),
            style="3d",
            package="drawn",
        )
        for label, colour in LABELS.items()
    ]


def _settings(folder: Path) -> run.Settings:
    return run.smoke(run.Settings(work=folder))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> run.Settings:
    """A whole run: pictures, codec, denoiser, export."""
    torch.set_num_threads(1)
    settings = _settings(tmp_path_factory.mktemp("base"))
    data.save(pictures=_pictures(), folder=settings.work / "data")
    run.train_codec(settings)
    figures = run.train_denoiser(settings)
    assert (figures["steps"], figures["samples"]) == (10, 80)
    assert run.write(settings)["single_file_difference"] == 0.0
    return settings


def test_the_export_is_a_complete_diffusers_folder(finished: run.Settings) -> None:
    out = finished.out
    index = json.loads((out / "model_index.json").read_text())
    assert index["_class_name"] == "StableDiffusionPipeline"
    assert [path.name for path in sorted(out.iterdir()) if path.is_dir()] == [
        "scheduler",
        "text_encoder",
        "tokenizer",
        "unet",
        "vae",
    ]
    scheduler = json.loads((out / "scheduler/scheduler_config.json").read_text())
    assert scheduler["prediction_type"] == "v_prediction"
    assert scheduler["rescale_betas_zero_snr"] is True
    assert scheduler["timestep_spacing"] == "trailing"
    assert not any(
        str(finished.work) in config.read_text() for config in sorted(out.rglob("*.json"))
    )
    listed = json.loads((out / "words.json").read_text())
    assert len(listed) == 4
    assert {"word": "fox", "caption": "a 3d emoji of a fox"} in listed
    assert json.loads((out / "generation_defaults.json").read_text()) == export.GENERATION_DEFAULTS


def test_the_single_file_has_the_keys_that_tools_look_for(finished: run.Settings) -> None:
    pipeline = export.load(finished.out)
    keys = set(single_file.tensors(pipeline))
    assert {
        "model.diffusion_model.input_blocks.0.0.weight",
        "model.diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_k.weight",
        "model.diffusion_model.out.2.bias",
        "first_stage_model.encoder.down.0.block.0.conv1.weight",
        "first_stage_model.decoder.mid.attn_1.proj_out.weight",
        "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight",
    } <= keys
    parts = (pipeline.unet, pipeline.vae, pipeline.text_encoder)
    assert len(keys) == sum(len(part.state_dict()) for part in parts)


def test_an_export_is_replaced_in_place_and_keeps_the_card(finished: run.Settings) -> None:
    card = finished.out / "MODEL_CARD.md"
    card.write_text("card")
    before = (finished.out / "unet/diffusion_pytorch_model.safetensors").read_bytes()
    run.write(finished)
    assert card.read_text() == "card"
    assert (finished.out / "unet/diffusion_pytorch_model.safetensors").read_bytes() == before
    assert not [path.name for path in finished.work.iterdir() if path.name.startswith("tmp")]


def test_the_sheet_is_drawn_and_named(finished: run.Settings) -> None:
    figures = run.draw_sheet(finished)
    assert figures["words"] == 4
    assert 0 <= figures["top1"] <= figures["top5"] == 1.0
    with Image.open(finished.out / "sample_sheet.webp") as sheet:
        assert sheet.size == (16 * 128, 128 + 14)


def test_the_same_seed_draws_the_same_picture(finished: run.Settings) -> None:
    pipeline = export.load(finished.out)
    one, two = (evaluate.pictures(pipeline=pipeline, prompts=["fox"], steps=2)[0] for _ in range(2))
    other = evaluate.pictures(pipeline=pipeline, prompts=["fox"], steps=2, seed=2)[0]
    assert one.shape == (64, 64, 3)
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_an_interrupted_denoiser_goes_on_bit_for_bit(
    finished: run.Settings, tmp_path: Path
) -> None:
    straight = run.trainer(finished)
    losses = [straight.advance() for _ in range(4)]
    halted = run.trainer(finished)
    first = [halted.advance() for _ in range(2)]
    halted.save(tmp_path / "denoiser.pt")
    resumed = run.trainer(finished)
    resumed.restore(tmp_path / "denoiser.pt")
    assert first + [resumed.advance() for _ in range(2)] == losses
    for ours, theirs in zip(straight.parameters, resumed.parameters, strict=True):
        assert torch.equal(ours, theirs)


def test_the_rate_warms_up_holds_and_decays(finished: run.Settings) -> None:
    trainer = run.trainer(finished)
    trainer.plan = denoiser.Plan(
        seconds=1.0, steps=1000, warm_up=10, peak_rate=0.02, decay_share=0.5
    )
    rates = []
    for trainer.step in (0, 9, 500, 750, 1000):
        rates.append(round(trainer.rate(), 6))
    assert rates == [0.002, 0.02, 0.02, 0.01, 0.0002]


def test_a_source_with_another_licence_or_version_is_refused(tmp_path: Path) -> None:
    source = data.SOURCES[0]
    folder = tmp_path / source.package
    folder.mkdir(parents=True)
    manifest = folder / "package.json"
    manifest.write_text(json.dumps({"license": source.licence, "version": source.version}))
    data.check_licence(root=tmp_path, source=source)
    for wrong in (
        {"license": "CC-BY-NC-4.0", "version": source.version},
        {"version": source.version},
        {"license": source.licence, "version": "9.9.9"},
    ):
        manifest.write_text(json.dumps(wrong))
        with pytest.raises(data.LicenceError, match="on record"):
            data.check_licence(root=tmp_path, source=source)
    unlisted = data.Source("other", "1.0", "3d", "", "nobody")
    with pytest.raises(data.LicenceError, match="not allowed"):
        data.check_licence(root=tmp_path, source=unlisted)


def test_pictures_of_people_and_flags_are_not_read(tmp_path: Path) -> None:
    for source in (data.CAPTIONS, data.SOURCES[0]):
        (tmp_path / source.package).mkdir(parents=True)
        (tmp_path / source.package / "package.json").write_text(
            json.dumps({"license": source.licence, "version": source.version})
        )
    catalogue = [
        {"label": "fox", "hexcode": "1F98A", "group": 3, "tags": ["animal"]},
        {"label": "waving hand", "hexcode": "1F44B", "group": 1, "tags": []},
        {"label": "flag: Chad", "hexcode": "1F1F9", "group": 9, "tags": []},
        {"label": "without picture", "hexcode": "1F000", "group": 3, "tags": []},
    ]
    (tmp_path / "emojibase-data/en").mkdir()
    (tmp_path / "emojibase-data/en/data.json").write_text(json.dumps(catalogue))
    assets = tmp_path / data.SOURCES[0].package / "assets"
    assets.mkdir()
    for code in ("1f98a", "1f44b", "1f1f9"):
        _shape((240, 130, 40)).save(assets / f"{code}.webp", lossless=True)
    found = list(data.read_pictures(root=tmp_path, styles=frozenset({"3d"})))
    assert [(picture.label, picture.tags, picture.style) for picture in found] == [
        ("fox", ("animal",), "3d")
    ]
    assert found[0].pixels.shape == (64, 64, 4)


def test_damaged_pixels_are_noticed(tmp_path: Path) -> None:
    data.save(pictures=_pictures(), folder=tmp_path)
    pixels = np.load(tmp_path / "pixels.npy")
    pixels[0, 30, 30, 0] ^= 1
    np.save(tmp_path / "pixels.npy", pixels)
    with pytest.raises(ValueError, match="do not match their digest"):
        data.load(tmp_path)


def test_recolouring_turns_the_main_colour_and_keeps_white() -> None:
    turned = data.recolour(_pictures()[3].pixels, hue=212.0, saturation=1.0, brightness=1.0)
    assert turned is not None
    red, green, blue, alpha = (int(value) for value in turned[45, 32])
    assert blue > 200 > green > red
    assert alpha == 255
    assert min(turned[24, 24, :3]) > 240
    grey = data.fit(_shape((120, 120, 120)))
    assert data.recolour(grey, hue=212.0, saturation=1.0, brightness=1.0) is None


def test_a_word_that_names_its_colour_is_never_recoloured() -> None:
    names = {word.name: word for word in claimed_words()}
    assert captions.recolourable(names["fox"])
    assert not captions.recolourable(names["red apple"])
    assert not captions.recolourable(names["blue heart"])
    assert not captions.recolourable(names["grinning face"])


def test_held_out_pairs_are_never_trained(finished: run.Settings) -> None:
    trainer = run.trainer(finished)
    pairs = {
        (trainer.bank.words[int(word)].name, colour)
        for word, colour in zip(
            trainer.bank.coloured_word, trainer.bank.coloured_colour, strict=True
        )
    }
    assert pairs
    for word in trainer.bank.words:
        for colour in ("red", "blue", "green"):
            if captions.held_out(word=word, colour=colour):
                assert (word.name, colour) not in pairs


def test_a_word_without_picture_is_named(finished: run.Settings) -> None:
    dataset = data.load(finished.work / "data")
    words = [Word(label="gryphon", names=("gryphon",))]
    with pytest.raises(ValueError, match="no 3d picture for: gryphon"):
        captions.bank(dataset=dataset, words=words, model=codec.build((8, 16, 16)), style="3d")


def test_claimed_and_next_words_are_distinct() -> None:
    names = [name for word in [*claimed_words(), *next_words()] for name in word.names]
    assert len(names) == len(set(names))
    assert len(claimed_words()) == 215
