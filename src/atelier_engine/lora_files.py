"""LoRA files: the kohya layout that most tools read, and the diffusers layout.

Knows tensors as numpy arrays only, so that exports and checks need no torch.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_safetensors

Array = NDArray[Any]
Layout = Literal["kohya", "diffusers"]

_MAX_HEADER = 16 * 2**20
_TEXT_ENCODER = "text_encoder"
_UNET = "unet"

# Module names in which an underscore belongs to the name; all others separate a path.
_WORDS = sorted(
    [
        "down_blocks",
        "up_blocks",
        "mid_block",
        "transformer_blocks",
        "to_q",
        "to_k",
        "to_v",
        "to_out",
        "proj_in",
        "proj_out",
        "conv_in",
        "conv_out",
        "conv_shortcut",
        "time_emb_proj",
        "time_embedding",
        "linear_1",
        "linear_2",
        "add_embedding",
        "text_model",
        "self_attn",
        "q_proj",
        "k_proj",
        "v_proj",
        "out_proj",
    ],
    key=len,
    reverse=True,
)
_TOKEN = re.compile("|".join([*map(re.escape, _WORDS), "[^_]+"]))


class BadLoraFileError(ValueError):
    """Not a LoRA file that this engine understands; the message names the reason."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One adapted layer: the product of `up` and `down`, times alpha over rank, is added to it."""

    part: Literal["unet", "text_encoder"]
    path: str
    down: Array = field(repr=False)
    up: Array = field(repr=False)
    alpha: float

    @property
    def rank(self) -> int:
        """Inner width of the pair."""
        return int(self.down.shape[0])


@dataclass(frozen=True, slots=True)
class LoraFile:
    """A LoRA as read from bytes."""

    layout: Layout
    layers: tuple[Layer, ...] = field(repr=False)
    metadata: dict[str, str]

    @property
    def rank(self) -> int:
        """The largest rank of its layers."""
        return max(layer.rank for layer in self.layers)


def kohya_tensors(layers: tuple[Layer, ...]) -> dict[str, Array]:
    """Tensors by their kohya names, half precision."""
    tensors: dict[str, Array] = {}
    for layer in layers:
        name = kohya_name(layer.part, layer.path)
        tensors[f"{name}.lora_down.weight"] = _half(layer.down)
        tensors[f"{name}.lora_up.weight"] = _half(layer.up)
        tensors[f"{name}.alpha"] = np.asarray(layer.alpha, dtype=np.float16)
    return tensors


def diffusers_tensors(layers: tuple[Layer, ...]) -> dict[str, Array]:
    """Tensors by their diffusers names; this layout knows no alpha, so it is folded in."""
    return {name: _half(array) for name, array in exact_tensors(layers).items()}


def exact_tensors(layers: tuple[Layer, ...]) -> dict[str, Array]:
    """The same, as precise as the layers are: what an engine attaches."""
    tensors: dict[str, Array] = {}
    for layer in layers:
        path = f"{layer.part}.{layer.path}"
        scale = np.float32(layer.alpha / layer.rank)
        tensors[f"{path}.lora_A.weight"] = layer.down.astype(np.float32)
        tensors[f"{path}.lora_B.weight"] = layer.up.astype(np.float32) * scale
    return tensors


def kohya_name(part: str, path: str) -> str:
    """`unet`, `mid_block.resnets.0.conv1` → `lora_unet_mid_block_resnets_0_conv1`."""
    flat = path.replace(".", "_")
    if part == _UNET:
        return f"lora_unet_{flat}"
    return f"lora_te_{flat}" if flat.startswith("text_model_") else f"lora_te_text_model_{flat}"


def module_path(name: str) -> tuple[Literal["unet", "text_encoder"], str]:
    """The part and dotted path behind a kohya name."""
    for prefix, part in (("lora_unet_", _UNET), ("lora_te_", _TEXT_ENCODER)):
        if name.startswith(prefix):
            path = ".".join(_TOKEN.findall(name[len(prefix) :]))
            return ("unet", path) if part == _UNET else ("text_encoder", path)
    raise BadLoraFileError(f"{name} is not a layer of a Stable Diffusion LoRA.")


def pack(
    layers: tuple[Layer, ...], *, layout: Layout = "kohya", metadata: Mapping[str, str]
) -> bytes:
    """A safetensors file in the given layout, with the hashes of its tensors in its metadata."""
    tensors = kohya_tensors(layers) if layout == "kohya" else diffusers_tensors(layers)
    digest = hashlib.sha256(_serialise(tensors, {})[1]).hexdigest()
    named = {**metadata, "modelspec.hash_sha256": f"0x{digest}", "sshs_model_hash": digest}
    if layout == "diffusers":
        named["format"] = "pt"
    head, body = _serialise(tensors, named)
    return head + body


def write(path: Path, data: bytes) -> None:
    """Put a file in place whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read(data: bytes) -> LoraFile:
    """A LoRA in either layout, or BadLoraFileError."""
    metadata = read_metadata(data)
    try:
        tensors: dict[str, Array] = dict(load_safetensors(data))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise BadLoraFileError(f"The tensors cannot be read: {error}") from error
    if any(".lora_down." in key for key in tensors):
        return LoraFile("kohya", _kohya_layers(tensors), metadata)
    if any(".lora_A." in key for key in tensors):
        return LoraFile("diffusers", _diffusers_layers(tensors), metadata)
    raise BadLoraFileError("The file holds no LoRA layers.")


def read_metadata(data: bytes) -> dict[str, str]:
    """The free-text metadata of a safetensors file, without touching its tensors."""
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > _MAX_HEADER or size > len(data) - 8:  # noqa: PLR2004 - length field
        raise BadLoraFileError("The header of the file is cut off or too large.")
    try:
        header = json.loads(data[8 : 8 + size])
    except (ValueError, RecursionError) as error:
        raise BadLoraFileError("The header of the file is not JSON.") from error
    found = header.get("__metadata__", {}) if isinstance(header, dict) else {}
    if not isinstance(found, dict):
        raise BadLoraFileError("The metadata of the file is not a table.")
    return {str(key): str(value) for key, value in found.items()}


def _kohya_layers(tensors: dict[str, Array]) -> tuple[Layer, ...]:
    layers = []
    for key, down in tensors.items():
        if not key.endswith(".lora_down.weight"):
            continue
        name = key.removesuffix(".lora_down.weight")
        part, path = module_path(name)
        alpha = tensors.get(f"{name}.alpha")
        rank = down.shape[0]
        value = float(alpha) if alpha is not None else float(rank)
        layers.append(_layer(part, path, down, tensors.get(f"{name}.lora_up.weight"), value))
    return tuple(layers)


def _diffusers_layers(tensors: dict[str, Array]) -> tuple[Layer, ...]:
    layers = []
    for key, down in tensors.items():
        if not key.endswith(".lora_A.weight"):
            continue
        name = key.removesuffix(".lora_A.weight")
        part, _, path = name.partition(".")
        if part not in (_UNET, _TEXT_ENCODER):
            raise BadLoraFileError(f"{name} is not a layer of a Stable Diffusion LoRA.")
        up = tensors.get(f"{name}.lora_B.weight")
        known: Literal["unet", "text_encoder"] = "unet" if part == _UNET else "text_encoder"
        layers.append(_layer(known, path, down, up, float(down.shape[0])))
    return tuple(layers)


def _layer(
    part: Literal["unet", "text_encoder"], path: str, down: Array, up: Array | None, alpha: float
) -> Layer:
    if up is None or up.ndim < 2 or down.ndim < 2 or up.shape[1] != down.shape[0]:  # noqa: PLR2004
        raise BadLoraFileError(f"The pair of {path} does not match.")
    return Layer(part, path, down, up, alpha)


def _half(array: Array) -> Array:
    limits = np.finfo(np.float16)
    clipped = np.clip(array, limits.min, limits.max)
    return np.ascontiguousarray(clipped, dtype=np.float16)


def _serialise(tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> tuple[bytes, bytes]:
    """Header and payload, sorted.

    The library writes metadata in random order: equal trainings would give different hashes.
    """
    header: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}
    parts: list[bytes] = []
    offset = 0
    for name, array in sorted(tensors.items()):
        data = array.astype("<f2").tobytes()
        header[name] = {
            "dtype": "F16",
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(data)],
        }
        parts.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text, b"".join(parts)
