"""What weights are, told by the names and shapes of their tensors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atelier.catalog.vocabulary import ATELIER_BASE, ModelType

if TYPE_CHECKING:
    from atelier.catalog.safetensors_header import Header, Tensor

_LORA = re.compile(r"\.(lora_(down|up|A|B)(\.\w+)?\.weight|lora\.(down|up)\.weight)$")
_LOCON = re.compile(r"\.(hada_w1_a|hada_w2_a|lokr_w1|lokr_w2|lora_mid)\b")
_CROSS_ATTENTION = re.compile(r"attn2[._]to_[kv]\.(lora_down|lora_A)(\.\w+)?\.weight$")
# The width that a base model's text encoder feeds into cross attention.
_BY_WIDTH = {768: "SD 1.5", 1024: "SD 2.1", 2048: "SDXL 1.0"}
_CHECKPOINT_KEY = "model.diffusion_model.input_blocks.0.0.weight"
_CHECKPOINT_CROSS = re.compile(r"input_blocks\.\d+\.1\.transformer_blocks\.0\.attn2\.to_k\.weight$")
_BY_NAME = (
    (re.compile(r"double_blocks|single_transformer_blocks"), "Flux.1 D"),
    (re.compile(r"joint_blocks"), "SD 3.5"),
    (re.compile(r"^(lora_te2_|conditioner\.embedders\.1\.)"), "SDXL 1.0"),
)
_BY_NUMBER = {
    "F32": "fp32", "F16": "fp16", "BF16": "bf16", "F8_E4M3": "fp8", "F8_E5M2": "fp8", "I8": "int8",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Detected:
    """What the weights look like; empty means that nothing is certain."""

    type: str
    base_model: str
    precision: str


def detect(header: Header) -> Detected:
    """The kind, base model and precision of a file, by its header alone."""
    kind = _kind(header.tensors)
    return Detected(type=kind, base_model=_base(header, kind), precision=_precision(header))


def _kind(tensors: dict[str, Tensor]) -> str:
    names = tensors.keys()
    rules: tuple[tuple[bool, ModelType], ...] = (
        (
            any("dora_scale" in name or "lora_magnitude_vector" in name for name in names),
            ModelType.DORA,
        ),
        (any(_LOCON.search(name) for name in names), ModelType.LOCON),
        (any(_LORA.search(name) for name in names), ModelType.LORA),
        (bool(names & {"emb_params", "clip_l", "clip_g"}), ModelType.TEXTUAL_INVERSION),
        (
            any(name.startswith("control_model.") or "input_hint_block" in name for name in names),
            ModelType.CONTROLNET,
        ),
        (_CHECKPOINT_KEY in names, ModelType.CHECKPOINT),
        (any("double_blocks.0." in name for name in names), ModelType.CHECKPOINT),
        (
            any(name.endswith("decoder.conv_in.weight") for name in names)
            and not any("diffusion_model" in name for name in names),
            ModelType.VAE,
        ),
    )
    return next((kind.value for applies, kind in rules if applies), "")


def _base(header: Header, kind: str) -> str:
    declared = header.metadata.get("modelspec.architecture", "").lower()
    if declared.startswith("atelier"):
        return ATELIER_BASE
    for pattern, base in _BY_NAME:
        if any(pattern.search(name) for name in header.tensors):
            return base
    if kind == ModelType.CHECKPOINT:
        return _by_width(header, _CHECKPOINT_CROSS)
    return _by_width(header, _CROSS_ATTENTION)


def _by_width(header: Header, pattern: re.Pattern[str]) -> str:
    for name, tensor in header.tensors.items():
        if pattern.search(name) and len(tensor.shape) >= 2:  # noqa: PLR2004 - out and in
            return _BY_WIDTH.get(tensor.shape[1], "")
    return ""


def _precision(header: Header) -> str:
    sizes = header.dtypes
    return _BY_NUMBER.get(max(sizes, key=lambda kind: sizes[kind]), "")
