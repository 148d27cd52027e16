from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench.mascot import TRIGGER, captioned

from atelier_engine import lora, lora_files
from atelier_engine.lora import EpochResult, RefusedTrainingError, Stopped, TrainingSpec

ROOT = Path(__file__).resolve().parents[2]


def drawings(count: int) -> tuple[tuple[bytes, str], ...]:
    made = []
    for image, caption in captioned(count):
        out = io.BytesIO()
        image.save(out, "PNG")
        made.append((out.getvalue(), caption))
    return tuple(made)


SPEC = TrainingSpec(
    name="Foxel",
    pictures=drawings(5),
    trigger_word=TRIGGER,
    epochs=2,
    steps_per_epoch=3,
    rank=4,
    alpha=2.0,
    batch=2,
    seed=3,
    sample_prompts=(TRIGGER,),
    sample_steps=2,
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def whole(
    weights: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[EpochResult, ...]:
    """Epochs of a training that nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    return lora.train(SPEC, workdir=folder, weights=weights, cache=cache)


def digests(epochs: tuple[EpochResult, ...]) -> list[str]:
    return [hashlib.sha256(epoch.lora_path.read_bytes()).hexdigest() for epoch in epochs]


def test_epochs_arrive_with_samples_and_every_step_is_told(
    weights: Path, cache: Path, tmp_path: Path, whole: tuple[EpochResult, ...]
) -> None:
    steps: list[tuple[int, int]] = []
    announced: list[EpochResult] = []
    result = lora.train(
        SPEC,
        workdir=tmp_path,
        weights=weights,
        cache=cache,
        on_step=lambda step, total, _loss: steps.append((step, total)),
        on_epoch=announced.append,
    )
    assert steps == [(step, 6) for step in range(1, 7)]
    assert tuple(announced) == result
    assert [epoch.number for epoch in result] == [1, 2]
    (sample,) = result[1].samples
    assert (sample.prompt, sample.seed, sample.image.size) == (TRIGGER, 3, (256, 256))
    assert digests(result) == digests(whole), "equal specs give equal files"


def test_the_file_says_what_it_is(whole: tuple[EpochResult, ...]) -> None:
    read = lora_files.read(whole[1].lora_path.read_bytes())
    assert read.layout == "kohya"
    assert read.rank == 4
    assert {layer.alpha for layer in read.layers} == {2.0}
    assert {layer.part for layer in read.layers} == {"unet", "text_encoder"}
    told = read.metadata
    assert told["ss_network_module"] == "networks.lora"
    assert (told["ss_epoch"], told["ss_steps"], told["ss_num_train_images"]) == ("2", "6", "5")
    assert told["modelspec.trigger_phrase"] == TRIGGER
    assert told["modelspec.hash_sha256"] == f"0x{told['sshs_model_hash']}"
    assert "a small fox with a teal scarf" in told["ss_tag_frequency"]


def test_a_stopped_training_goes_on_and_announces_only_what_is_new(
    weights: Path, cache: Path, tmp_path: Path, whole: tuple[EpochResult, ...]
) -> None:
    done: list[int] = []

    def stop_in_second_epoch() -> None:
        if done and done[-1] >= 4:
            raise Stopped

    with pytest.raises(Stopped):
        lora.train(
            SPEC,
            workdir=tmp_path,
            weights=weights,
            cache=cache,
            on_step=lambda step, _total, _loss: done.append(step),
            checkpoint=stop_in_second_epoch,
        )
    assert done == [1, 2, 3, 4]
    assert [epoch.number for epoch in lora.completed(tmp_path)] == [1]
    announced: list[int] = []
    again: list[int] = []
    result = lora.train(
        SPEC,
        workdir=tmp_path,
        weights=weights,
        cache=cache,
        on_step=lambda step, _total, _loss: again.append(step),
        on_epoch=lambda epoch: announced.append(epoch.number),
    )
    assert again == [5, 6]
    assert announced == [2]
    assert digests(result) == digests(whole)


def test_a_finished_training_is_announced_again_on_request_without_learning(
    weights: Path, whole: tuple[EpochResult, ...]
) -> None:
    announced: list[int] = []
    result = lora.train(
        SPEC,
        workdir=whole[0].lora_path.parent,
        weights=weights,
        on_step=lambda *_: pytest.fail("nothing is left to learn"),
        on_epoch=lambda epoch: announced.append(epoch.number),
        announce_again=True,
    )
    assert announced == [1, 2]
    assert result == whole


def test_a_killed_training_goes_on_to_the_same_file(
    weights: Path, cache: Path, tmp_path: Path, whole: tuple[EpochResult, ...]
) -> None:
    program = f"""
import os, signal, sys
sys.path[:0] = {[str(ROOT), str(ROOT / "src")]!r}
from pathlib import Path
from tests.engine.test_lora import SPEC
from atelier_engine import lora
def die(epoch):
    os.kill(os.getpid(), signal.SIGKILL)
lora.train(SPEC, workdir=Path({str(tmp_path)!r}), weights=Path({str(weights)!r}),
           cache=Path({str(cache)!r}), on_epoch=die)
"""
    killed = subprocess.run([sys.executable, "-c", program], check=False, env=dict(os.environ))  # noqa: TID251
    assert killed.returncode == -signal.SIGKILL
    (tmp_path / "epoch-0001.json").unlink()  # as if it had died a moment earlier
    announced: list[int] = []
    result = lora.train(
        SPEC,
        workdir=tmp_path,
        weights=weights,
        cache=cache,
        on_epoch=lambda epoch: announced.append(epoch.number),
    )
    assert announced == [1, 2]
    assert digests(result) == digests(whole)


def test_a_folder_of_another_training_is_refused(
    weights: Path, whole: tuple[EpochResult, ...]
) -> None:
    folder = whole[0].lora_path.parent
    with pytest.raises(RefusedTrainingError, match="other settings"):
        lora.train(replace(SPEC, seed=4, epochs=3), workdir=folder, weights=weights)
    assert len(lora.completed(folder)) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pictures": ()}, "at least one picture"),
        ({"trigger_word": " "}, "needs a trigger word"),
        ({"epochs": 0}, "Epochs must be 1 to 100"),
        ({"steps_per_epoch": 0}, "Steps must be 1 to 20,000"),
        ({"rank": 0}, "Rank must be 1 to 128"),
        ({"alpha": float("nan")}, "Alpha must be above 0"),
        ({"learning_rate": 1.0}, "learning rate must be"),
        ({"batch": 33}, "batch must be 1 to 32"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_leaves_nothing(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(RefusedTrainingError, match=message):
        lora.train(replace(SPEC, **change), workdir=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_longer_training_is_expected_to_take_longer() -> None:
    assert lora.estimate_seconds(replace(SPEC, epochs=20)) > lora.estimate_seconds(SPEC)
    assert 60 < lora.estimate_seconds(TrainingSpec("a", drawings(12), TRIGGER)) < 300


def test_captions_always_name_the_trigger_word() -> None:
    assert SPEC.captions[0] == TRIGGER
    assert SPEC.captions[1] == f"{TRIGGER}, a small fox with a teal scarf"


def test_the_library_reads_what_was_trained(
    weights: Path, whole: tuple[EpochResult, ...], tmp_path: Path
) -> None:
    from importlib import import_module

    diffusers: Any = import_module("diffusers")
    torch: Any = import_module("torch")
    read = lora_files.read(whole[1].lora_path.read_bytes())
    other = tmp_path / "diffusers.safetensors"
    other.write_bytes(lora_files.pack(read.layers, layout="diffusers", metadata={}))
    pictures = []
    for path in (whole[1].lora_path, other, None):
        pipe = diffusers.StableDiffusionPipeline.from_pretrained(weights, safety_checker=None)
        pipe.set_progress_bar_config(disable=True)
        if path is not None:
            pipe.load_lora_weights(path.parent, weight_name=path.name, adapter_name="it")
        noise = torch.Generator().manual_seed(1)
        drawn = pipe(TRIGGER, num_inference_steps=2, generator=noise, output_type="np", height=64)
        pictures.append(np.asarray(drawn.images[0]))
    assert np.abs(pictures[0] - pictures[1]).max() < 0.01
    assert np.abs(pictures[0] - pictures[2]).max() > 0.01
