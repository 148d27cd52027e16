"""The six hashes, against the definitions done plainly."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib

import pytest
from blake3 import blake3

from atelier.catalog import hashing


def plainly(data: bytes) -> dict[str, str]:
    """The definitions of the contract, several passes over bytes in memory."""
    (length,) = struct.unpack("<Q", data[:8]) if len(data) >= 8 else (0,)
    start = 8 + (length if length < 16 * 1024 * 1024 else 0)
    sha256 = hashlib.sha256(data).hexdigest().upper()
    values = {
        "SHA256": sha256,
        "AutoV2": sha256[:10],
        "AutoV3": hashlib.sha256(data[start:]).hexdigest().upper()[:12],
        "CRC32": struct.pack("<I", zlib.crc32(data)).hex().upper(),
        "BLAKE3": blake3(data).hexdigest().upper(),
    }
    if len(data) >= 0x200000:
        window = data[0x100000 : 0x100000 + 0x10000]
        values["AutoV1"] = hashlib.sha256(window).hexdigest()[:8].upper()
    return values


def sample(size: int, header: int) -> bytes:
    block = bytes(range(251)) * (size // 251 + 1)
    return (struct.pack("<Q", header) + block)[:size]


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 4096, 0x1FFFFF, 0x200000, 0x200001, 3_500_123])
@pytest.mark.parametrize("header", [0, 100, 1_048_568, 1_100_000, 2**24, 2**60])
def test_one_pass_equals_the_definitions(size: int, header: int) -> None:
    data = sample(size, header)
    found = hashing.hash_stream(io.BytesIO(data))
    assert found.values == plainly(data)
    assert found.size == size
    assert found.sha256 == hashlib.sha256(data).hexdigest()


def test_a_stream_without_readinto_and_with_short_reads_hashes_the_same() -> None:
    data = sample(300_000, 777)

    class Dribble:
        def __init__(self) -> None:
            self.rest = io.BytesIO(data)

        def read(self, size: int) -> bytes:
            return self.rest.read(min(size, 1009))

    assert hashing.hash_stream(Dribble()).values == plainly(data)  # type: ignore[arg-type]


def test_crc_is_printed_in_the_contract_s_byte_order_and_found_in_both() -> None:
    found = hashing.hash_stream(io.BytesIO(b"hello world")).values
    assert found["CRC32"] == "85114A0D"
    kinds = [value for kind, value in hashing.lookup_values(found) if kind == "CRC32"]
    assert kinds == ["85114A0D", "0D4A1185"]


def test_the_hash_of_nothing_is_never_looked_up() -> None:
    header = b"{}" + b" " * 6
    found = hashing.hash_stream(io.BytesIO(struct.pack("<Q", 8) + header)).values
    assert found["AutoV3"] == "E3B0C44298FC"
    assert "AutoV3" not in dict(hashing.lookup_values(found))
