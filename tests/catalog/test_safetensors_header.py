"""Sound files are read, everything else is refused with its own words and little memory."""

from __future__ import annotations

import io
import json
import pickle
import struct
import tracemalloc
import zipfile
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.weights import safetensors

from atelier.catalog import safetensors_header
from atelier.catalog.errors import FileRefused


def read(data: bytes) -> safetensors_header.Header:
    return safetensors_header.read(io.BytesIO(data), size=len(data))


def refusal(data: bytes) -> str:
    with pytest.raises(FileRefused) as caught:
        read(data)
    return caught.value.detail


def file_of(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(begin: int = 0, end: int = 8, **changes: Any) -> dict[str, Any]:
    return {"dtype": "F32", "shape": [2], "data_offsets": [begin, end], **changes}


def test_a_sound_file_is_read() -> None:
    header = read(safetensors({"a": (2, 3), "b": ()}, metadata={"ss_tag": "fox"}))
    assert header.metadata == {"ss_tag": "fox"}
    assert header.tensors["a"].shape == (2, 3)
    assert header.tensors["b"].start == 12
    assert header.parameter_count == 7
    assert header.dtypes == {"F16": 14}


@pytest.mark.parametrize("length", [0x0280, 0x0380, 0x0480, 0x0580])
def test_a_header_whose_length_looks_like_a_pickle_is_read(length: int) -> None:
    text = json.dumps({"a": tensor()}).encode().ljust(length)
    data = struct.pack("<Q", length) + text + bytes(8)
    assert data[:2] == bytes([0x80, length >> 8])
    assert read(data).parameter_count == 2


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02.")
    return out.getvalue()


WHOLE = safetensors({"a": (512,), "b": (512,)})
LENGTH = struct.unpack("<Q", WHOLE[:8])[0]

OTHERS = {
    "empty": (b"", "The file is empty"),
    "short": (b"\x01\x02", "too short"),
    "pickle 2": (pickle.dumps({"weights": [1.0] * 9}, protocol=2), "Python pickle"),
    "pickle 4": (pickle.dumps({"weights": [1.0] * 9}, protocol=4), "Python pickle"),
    "old pickle": (pickle.dumps({"weights": [1.0] * 9}, protocol=0), "Python pickle"),
    "code in a pickle": (b"cos\nsystem\n(S'echo pwned'\ntR." + bytes(40), "Python pickle"),
    "zip": (zipped(), "ZIP archive"),
    "GGUF": (b"GGUF\x03\0\0\0" + bytes(100), "GGUF"),
    "gzip": (b"\x1f\x8b\x08" + bytes(100), "gzip"),
    "web page": (b"<!DOCTYPE html><html></html>" + bytes(100), "web page"),
    "cut in the data": (WHOLE[:-100], "cut off: its tensors need 2048 bytes and there are 1948"),
    "cut in the header": (WHOLE[: 8 + LENGTH - 5], "cut off in the middle of its header"),
    "trailing bytes": (WHOLE + b"extra", "5 bytes after the last tensor"),
    "huge length": (struct.pack("<Q", 2**24 + 1) + b"{" + bytes(99), "over 16 MiB"),
    "no JSON": (file_of(b"{nonsense" + bytes(30)), "not valid JSON"),
    "a list": (file_of(b"[1,2,3]" + b" " * 30), "not JSON"),
    "two values": (file_of(b"{}{}" + b" " * 30), "not valid JSON"),
    "unterminated": (file_of(b'{"a' + b'\\"' * 4000), "not valid JSON"),
    "nothing in it": (file_of({}), "no tensors"),
    "NaN": (file_of(b'{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}', bytes(4)), "NaN"),
    "duplicate tensors": (
        file_of(
            b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
            b'"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
            bytes(8),
        ),
        "'a' twice",
    ),
    "duplicate field": (
        file_of(b'{"a":{"dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8]}}', bytes(8)),
        "'dtype' twice",
    ),
    "duplicate metadata": (
        file_of(b'{"__metadata__":{"x":"1","x":"2"}}'),
        "'x' twice",
    ),
    "metadata of numbers": (file_of({"__metadata__": {"x": 1}, "a": tensor()}, bytes(8)), "texts"),
    "unknown dtype": (file_of({"a": tensor(dtype="F128")}, bytes(8)), "unknown kind of number"),
    "negative shape": (file_of({"a": tensor(shape=[-2])}, bytes(8)), "shape"),
    "shape of truth": (file_of({"a": tensor(shape=[True])}, bytes(4)), "shape"),
    "wrong size": (file_of({"a": tensor(shape=[3])}, bytes(8)), "does not fill its bytes"),
    "overlap": (
        file_of({"a": tensor(0, 8), "b": tensor(4, 12)}, bytes(12)),
        "overlaps another",
    ),
    "gap": (file_of({"a": tensor(0, 8), "b": tensor(16, 24)}, bytes(24)), "gap before"),
    "backward": (file_of({"a": tensor(8, 0)}, bytes(8)), "beginning and an end"),
    "huge offsets": (file_of({"a": tensor(0, 2**70)}, bytes(8)), "beginning and an end"),
    "extra field": (file_of({"a": tensor(code="x")}, bytes(8)), "nothing else"),
    "nameless": (file_of({"": tensor()}, bytes(8)), "usable name"),
    "deep": (file_of(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "not valid JSON"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_not_sound_is_refused_with_its_own_words(name: str) -> None:
    data, words = OTHERS[name]
    assert words in refusal(data)


def many(count: int) -> bytes:
    header = {
        f"t{number}": {"dtype": "F16", "shape": [0], "data_offsets": [0, 0]}
        for number in range(count)
    }
    return file_of(header)


def test_the_number_of_tensors_is_limited() -> None:
    assert "over 50000 tensors" in refusal(many(50_001))


@pytest.mark.parametrize(
    "text",
    [
        b"{" + b",".join(b'"%07d":0' % number for number in range(1_300_000)) + b"}",
        b'{"a":[' + b"[]," * 5_000_000 + b"[]]}",
        b'{"a":[' + b"1," * 8_000_000 + b"1]}",
    ],
    ids=["names", "lists", "numbers"],
)
def test_a_hostile_header_takes_little_memory(text: bytes) -> None:
    data = struct.pack("<Q", len(text)) + text
    stream = io.BytesIO(data)
    tracemalloc.start()
    try:
        with pytest.raises(FileRefused, match="no tensor needs"):
            safetensors_header.read(stream, size=len(data))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The header itself, twice at most while it is put together.
    assert peak < 3 * len(text)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(FileRefused):
        read(data)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_one_changed_byte_is_read_or_refused(place: int, value: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[place] = value
    with suppress(FileRefused):
        assert read(bytes(damaged)).size == 8 + LENGTH
