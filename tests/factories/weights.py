"""Weight files for tests, without any library."""

from __future__ import annotations

import itertools
import json
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_numbers = itertools.count(1)


def safetensors(
    tensors: Mapping[str, tuple[int, ...]] | None = None,
    *,
    metadata: Mapping[str, str] | None = None,
    fill: bytes | None = None,
) -> bytes:
    """A sound safetensors file of 16-bit floats; different bytes on every call unless ``fill``."""
    shapes = tensors or {
        "unet.attn2.to_k.lora_A.weight": (4, 64),
        "unet.attn2.to_k.lora_B.weight": (64, 4),
    }
    header: dict[str, Any] = {}
    if metadata:
        header["__metadata__"] = dict(metadata)
    data = bytearray()
    seed = fill if fill is not None else f"{next(_numbers):06d}".encode()
    for name, shape in shapes.items():
        size = 2
        for length in shape:
            size *= length
        begin = len(data)
        data += (seed * (size // len(seed) + 1))[:size] if seed else bytes(size)
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [begin, begin + size]}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(data)
