"""The shipped model as one safetensors file with the keys that Stable Diffusion tools know."""

from __future__ import annotations

import re
from typing import Any

import torch

_TOP = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
}
_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
_ATTENTION = {
    "group_norm": "norm",
    "to_q": "q",
    "to_k": "k",
    "to_v": "v",
    "to_out.0": "proj_out",
}
_MIDDLE = {
    "mid_block.resnets.0": "mid.block_1",
    "mid_block.resnets.1": "mid.block_2",
    "mid_block.attentions.0": "mid.attn_1",
    "conv_norm_out": "norm_out",
    "conv_shortcut": "nin_shortcut",
}

# The codec's attention has linear layers here and 1 x 1 convolutions in a single file.
_LINEAR = 2

Tensors = dict[str, torch.Tensor]


def _unet_blocks(config: Any) -> dict[str, str]:
    blocks = dict(_TOP)
    layers = config.layers_per_block
    for level, kind in enumerate(config.up_block_types):
        first = level * (layers + 1)
        for layer in range(layers):
            place = f"input_blocks.{first + layer + 1}"
            blocks[f"down_blocks.{level}.resnets.{layer}"] = f"{place}.0"
            blocks[f"down_blocks.{level}.attentions.{layer}"] = f"{place}.1"
        blocks[f"down_blocks.{level}.downsamplers.0.conv"] = (
            f"input_blocks.{first + layers + 1}.0.op"
        )
        for layer in range(layers + 1):
            place = f"output_blocks.{first + layer}"
            blocks[f"up_blocks.{level}.resnets.{layer}"] = f"{place}.0"
            blocks[f"up_blocks.{level}.attentions.{layer}"] = f"{place}.1"
        slot = 2 if "CrossAttn" in kind else 1
        blocks[f"up_blocks.{level}.upsamplers.0"] = f"output_blocks.{first + layers}.{slot}"
    return blocks


def unet_tensors(state: Tensors, config: Any) -> Tensors:
    """The denoiser's tensors under ``model.diffusion_model``."""
    blocks = sorted(_unet_blocks(config).items(), key=lambda pair: -len(pair[0]))
    renamed: Tensors = {}
    for key, tensor in state.items():
        ours, theirs = next(pair for pair in blocks if key.startswith(pair[0] + "."))
        rest = key[len(ours) + 1 :]
        if "resnets" in ours:
            head, _, tail = rest.partition(".")
            rest = f"{_RESNET[head]}.{tail}"
        renamed[f"model.diffusion_model.{theirs}.{rest}"] = tensor
    return renamed


def vae_tensors(state: Tensors, config: Any) -> Tensors:
    """The codec's tensors under ``first_stage_model``."""
    top = len(config.block_out_channels) - 1
    renamed: Tensors = {}
    for key, tensor in state.items():
        value = tensor
        name = re.sub(
            r"encoder\.down_blocks\.(\d+)\.resnets\.(\d+)\.", r"encoder.down.\1.block.\2.", key
        )
        name = re.sub(
            r"encoder\.down_blocks\.(\d+)\.downsamplers\.0\.", r"encoder.down.\1.downsample.", name
        )
        name = re.sub(
            r"decoder\.up_blocks\.(\d+)\.resnets\.(\d+)\.",
            lambda found: f"decoder.up.{top - int(found[1])}.block.{found[2]}.",
            name,
        )
        name = re.sub(
            r"decoder\.up_blocks\.(\d+)\.upsamplers\.0\.",
            lambda found: f"decoder.up.{top - int(found[1])}.upsample.",
            name,
        )
        for ours, theirs in _MIDDLE.items():
            name = name.replace(ours, theirs)
        if "attn_1" in name:
            for ours, theirs in _ATTENTION.items():
                name = name.replace(ours, theirs)
            if name.endswith("weight") and value.ndim == _LINEAR:
                value = value[:, :, None, None]
        renamed[f"first_stage_model.{name}"] = value
    return renamed


def text_tensors(state: Tensors) -> Tensors:
    """The text encoder's tensors under ``cond_stage_model.transformer.text_model``."""
    prefix = "text_model."
    return {
        "cond_stage_model.transformer." + (key if key.startswith(prefix) else prefix + key): tensor
        for key, tensor in state.items()
    }


def tensors(pipeline: Any) -> Tensors:
    """Every tensor of a Stable Diffusion pipeline under its standard single-file key."""
    return {
        **unet_tensors(pipeline.unet.state_dict(), pipeline.unet.config),
        **vae_tensors(pipeline.vae.state_dict(), pipeline.vae.config),
        **text_tensors(pipeline.text_encoder.state_dict()),
    }
