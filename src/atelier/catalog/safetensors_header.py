"""A strict reader of safetensors headers, and names for what is not safetensors at all.

Only the header is read, whatever the size of the file, so a refusal is fast and memory is bounded
by the header's limit. Loaders disagree on duplicate keys, gaps and overlaps; those are refused.
"""

from __future__ import annotations

import json
import math
import re
import struct
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, NoReturn

from atelier.catalog.errors import FileRefused

if TYPE_CHECKING:
    from typing import BinaryIO

PREFIX = 8
MAX_HEADER = 16 * 1024 * 1024
MAX_TENSORS = 50_000
MAX_NAME = 1024
MAX_DIMENSIONS = 16
MAX_METADATA_KEYS = 10_000
METADATA = "__metadata__"
# What a header of MAX_TENSORS can need; counted before JSON objects are made of it.
MAX_NAMES = 4 * MAX_TENSORS + MAX_METADATA_KEYS + 1
MAX_CONTAINERS = 3 * MAX_TENSORS + 2
MAX_VALUES = 20 * MAX_TENSORS
# Possessive, and also matching an unterminated text, so that no input is looked at twice.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\(?:.|\Z)[^"\\]*+)*+(?:"|\Z)|[\[{:,]', re.DOTALL)

DTYPE_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "F8_E8M0": 1,
    "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
    "I32": 4, "U32": 4, "F32": 4,
    "F64": 8, "I64": 8, "U64": 8, "C64": 8,
}  # fmt: skip

# The first bytes of what people rename to .safetensors, and what it is.
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (
        b"GGUF",
        "This is a GGUF file, not safetensors. Convert it, or share the safetensors original.",
    ),
    (
        b"PK\x03\x04",
        (
            "This is a ZIP archive (PyTorch's .ckpt and .pt are archives too), not safetensors. It "
            "may hold code that runs when it is opened. Convert it to safetensors first."
        ),
    ),
    (b"\x1f\x8b", "This is a gzip archive, not safetensors. Unpack it first."),
    (b"7z\xbc\xaf\x27\x1c", "This is a 7z archive, not safetensors. Unpack it first."),
    (b"Rar!", "This is a RAR archive, not safetensors. Unpack it first."),
    (b"\x89HDF", "This is an HDF5 file, not safetensors. Convert it to safetensors first."),
    (b"\x89PNG", "This is a PNG picture, not safetensors."),
    (b"<!DOCTYPE", "This is a web page, not safetensors: the download probably failed."),
    (b"<html", "This is a web page, not safetensors: the download probably failed."),
    (b"version https://git-lfs", "This is a Git LFS pointer: fetch the real file first."),
)
_PICKLE = (
    "This is a Python pickle, not safetensors, whatever its name says. A pickle can run code when "
    "it is opened, so it is never taken. Convert it to safetensors first."
)
_PICKLE_PROTOCOLS = frozenset(range(2, 6))
_OLD_PICKLE_STARTS = (b"ccopy_reg", b"c__builtin__", b"cos\n", b"cposix\n", b"(dp", b"(lp")


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor's kind, shape, and place among the data."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Header:
    """What a safetensors file says about itself, checked."""

    size: int
    tensors: dict[str, Tensor]
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def parameter_count(self) -> int:
        """How many numbers the file holds."""
        return sum(math.prod(tensor.shape) for tensor in self.tensors.values())

    @property
    def dtypes(self) -> dict[str, int]:
        """Bytes by kind of number."""
        found: dict[str, int] = {}
        for tensor in self.tensors.values():
            found[tensor.dtype] = found.get(tensor.dtype, 0) + tensor.end - tensor.start
        return found


def _refuse(detail: str) -> NoReturn:
    raise FileRefused(detail)


def _refuse_other_formats(first: bytes) -> None:
    """Name what the file is instead. A length's own bytes may look like the start of a pickle."""
    (length,) = struct.unpack("<Q", first[:PREFIX].ljust(PREFIX, b"\0"))
    if length <= MAX_HEADER and first[PREFIX : PREFIX + 1] == b"{":
        return
    for signature, detail in _SIGNATURES:
        if first.startswith(signature):
            _refuse(detail)
    protocol_byte = first[:1] == b"\x80" and len(first) > 1 and first[1] in _PICKLE_PROTOCOLS
    if protocol_byte or first.startswith(_OLD_PICKLE_STARTS):
        _refuse(_PICKLE)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            _refuse(
                f"The header names {name[:80]!r} twice. Programs read such a file differently, so "
                "it is not taken."
            )
        found[name] = value
    return found


def _no_constant(text: str) -> NoReturn:
    _refuse(f"The header holds {text}, which JSON does not have.")


def _metadata(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > MAX_METADATA_KEYS:
        _refuse("The header's metadata is not a list of names and texts.")
    for text in value.values():
        if not isinstance(text, str):
            _refuse("The header's metadata holds something other than texts.")
    return value


def _whole(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _tensor(name: str, value: Any) -> Tensor:
    shown = name[:80]
    if not name or len(name) > MAX_NAME:
        _refuse("The header holds a tensor without a usable name.")
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        _refuse(f"Tensor {shown!r} must have dtype, shape and data_offsets, and nothing else.")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPE_BYTES:
        _refuse(f"Tensor {shown!r} has an unknown kind of number.")
    if (
        not isinstance(shape, list)
        or len(shape) > MAX_DIMENSIONS
        or not all(_whole(length) for length in shape)
    ):
        _refuse(f"Tensor {shown!r} has a shape that is not a short list of whole numbers.")
    if (
        not isinstance(offsets, list)
        or len(offsets) != 2  # noqa: PLR2004 - begin and end
        or not all(_whole(offset) for offset in offsets)
        or offsets[1] < offsets[0]
    ):
        _refuse(f"Tensor {shown!r} has offsets that are not a beginning and an end.")
    if math.prod(shape) * DTYPE_BYTES[dtype] != offsets[1] - offsets[0]:
        _refuse(f"Tensor {shown!r} claims a shape that does not fill its bytes.")
    return Tensor(dtype, tuple(shape), offsets[0], offsets[1])


def _check_coverage(tensors: dict[str, Tensor], data_size: int) -> None:
    position = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].start, item[1].end)):
        if tensor.start < position:
            _refuse(f"Tensor {name[:80]!r} overlaps another one.")
        if tensor.start > position:
            _refuse(f"There is a gap before tensor {name[:80]!r} that belongs to nothing.")
        position = tensor.end
    if position > data_size:
        _refuse(
            f"The file is cut off: its tensors need {position} bytes and there are {data_size}. "
            "Upload it again."
        )
    if position < data_size:
        _refuse(f"{data_size - position} bytes after the last tensor belong to nothing.")


def read(stream: BinaryIO | IO[bytes], *, size: int) -> Header:
    """The checked header of ``size`` bytes; raises :class:`FileRefused` saying why not."""
    first = stream.read(PREFIX + 24)
    if not first:
        _refuse("The file is empty.")
    _refuse_other_formats(first)
    if len(first) < PREFIX + 2:
        _refuse("The file is too short to be safetensors.")
    (length,) = struct.unpack("<Q", first[:PREFIX])
    if length > MAX_HEADER:
        _refuse(
            "This is not safetensors, or its header is over 16 MiB: the first eight bytes say "
            f"{length}."
        )
    if first[PREFIX : PREFIX + 1] != b"{":
        _refuse("This is not safetensors: its header is not JSON.")
    if PREFIX + length > size:
        _refuse("The file is cut off in the middle of its header. Upload it again.")
    text = first[PREFIX : PREFIX + length]
    text += stream.read(length - len(text)) if len(text) < length else b""
    if len(text) != length:
        _refuse("The file is cut off in the middle of its header. Upload it again.")
    return _parse(text, data_size=size - PREFIX - length)


def _check_structure(text: bytes) -> None:
    """Refuses a header that would take much memory as objects, before any are made."""
    names = containers = values = 0
    for token in _TOKEN.finditer(text):
        begin, end = token.span()
        character = text[begin]
        if character == ord(":"):
            names += 1
        elif character == ord(","):
            values += 1
        elif character != ord('"'):
            containers += 1
        elif end - begin < 2 or text[end - 1] != character:  # noqa: PLR2004 - both quotes
            _refuse("This is not safetensors: its header is not valid JSON.")
        if names > MAX_NAMES or containers > MAX_CONTAINERS or values > MAX_VALUES:
            _refuse(f"The header names over {MAX_TENSORS} tensors, or holds what no tensor needs.")


def _parse(text: bytes, *, data_size: int) -> Header:
    if text.count(b'"data_offsets"') > MAX_TENSORS:
        _refuse(f"The header names over {MAX_TENSORS} tensors.")
    _check_structure(text)
    try:
        content = json.loads(
            text.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):
        raise FileRefused("This is not safetensors: its header is not valid JSON.") from None
    if not isinstance(content, dict):
        _refuse("This is not safetensors: its header is not a JSON object.")
    metadata = _metadata(content.pop(METADATA, {}))
    if len(content) > MAX_TENSORS:
        _refuse(f"The header names over {MAX_TENSORS} tensors.")
    if not content:
        _refuse("The file holds no tensors.")
    tensors = {name: _tensor(name, value) for name, value in content.items()}
    _check_coverage(tensors, data_size)
    return Header(size=PREFIX + len(text), tensors=tensors, metadata=metadata)
