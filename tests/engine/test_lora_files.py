from __future__ import annotations

import json

import numpy as np
import pytest

from atelier_engine import lora_files
from atelier_engine.lora_files import BadLoraFileError, Layer

LAYERS = (
    Layer(
        "text_encoder",
        "text_model.encoder.layers.1.mlp.fc1",
        np.full((2, 8), 0.5),
        np.full((4, 2), 0.25),
        1.0,
    ),
    Layer(
        "unet",
        "down_blocks.1.resnets.0.conv1",
        np.full((2, 8, 3, 3), 0.5),
        np.full((4, 2, 1, 1), 0.25),
        1.0,
    ),
    Layer(
        "unet",
        "up_blocks.0.attentions.1.transformer_blocks.0.attn2.to_out.0",
        np.full((2, 8), 0.5),
        np.full((4, 2), 0.25),
        1.0,
    ),
)


@pytest.mark.parametrize("layout", ["kohya", "diffusers"])
def test_both_layouts_come_back_as_they_went(layout: lora_files.Layout) -> None:
    data = lora_files.pack(LAYERS, layout=layout, metadata={"ss_output_name": "é"})
    read = lora_files.read(data)
    assert read.layout == layout
    assert read.metadata["ss_output_name"] == "é"
    back = {layer.path: layer for layer in read.layers}
    assert set(back) == {layer.path for layer in LAYERS}
    for layer in LAYERS:
        found = back[layer.path]
        assert found.part == layer.part
        effect = found.up.astype(float) * found.alpha / found.rank
        assert np.array_equal(effect, layer.up * layer.alpha / layer.rank)
        assert np.array_equal(found.down, layer.down)


def test_names_are_those_that_other_tools_read() -> None:
    assert set(lora_files.kohya_tensors(LAYERS)) >= {
        "lora_te_text_model_encoder_layers_1_mlp_fc1.lora_down.weight",
        "lora_unet_down_blocks_1_resnets_0_conv1.lora_up.weight",
        "lora_unet_up_blocks_0_attentions_1_transformer_blocks_0_attn2_to_out_0.alpha",
    }
    assert "unet.down_blocks.1.resnets.0.conv1.lora_A.weight" in lora_files.diffusers_tensors(
        LAYERS
    )


def test_equal_layers_make_equal_bytes() -> None:
    facts = {f"k{n}": str(n) for n in range(20)}
    first = lora_files.pack(LAYERS, metadata=facts)
    assert first == lora_files.pack(LAYERS[::-1], metadata=dict(reversed(facts.items())))


def _file(header: object, payload: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + payload


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cut off"),
        (b"\x80\x04\x95pickle..........", "cut off or too large"),
        ((2**40).to_bytes(8, "little") + b"{}", "cut off or too large"),
        (_file({})[:-1] + b"x", "not JSON"),
        (_file({"__metadata__": []}), "not a table"),
        (_file({"a": {"dtype": "F16", "shape": [9], "data_offsets": [0, 18]}}), "cannot be read"),
        (_file({}), "no LoRA layers"),
        (lora_files.pack(LAYERS, metadata={})[:-4], "cannot be read"),
    ],
)
def test_what_is_no_lora_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(BadLoraFileError, match=message):
        lora_files.read(data)


def test_a_pair_that_does_not_match_is_refused() -> None:
    odd = Layer("unet", "mid_block.resnets.0.conv1", np.ones((2, 4)), np.ones((4, 3)), 1.0)
    with pytest.raises(BadLoraFileError, match="does not match"):
        lora_files.read(lora_files.pack((odd,), metadata={}))
