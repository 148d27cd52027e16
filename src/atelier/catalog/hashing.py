"""The six hashes of a model file, in one pass over its bytes.

Values are upper-case hexadecimal, as the wire contract shows them.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from blake3 import blake3
from zlib_ng import zlib_ng

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

BLOCK = 1024 * 1024
# AutoV1 looks at this window, and only at files that reach well past it.
AUTOV1_START = 0x100000
AUTOV1_LENGTH = 0x10000
AUTOV1_LEAST_SIZE = 0x200000
AUTOV1_DIGITS = 8
AUTOV2_DIGITS = 10
AUTOV3_DIGITS = 12
PREFIX = 8
# A longer header is not believed, and only the length itself is left out of AutoV3.
AUTOV3_HEADER_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileHashes:
    """What a file is known by. ``values`` has the keys of the contract; absent means unknown."""

    sha256: str
    size: int
    values: dict[str, str]


def hash_stream(stream: BinaryIO | IO[bytes]) -> FileHashes:
    """All hashes of a stream that stands at its beginning; memory stays at one block."""
    whole = hashlib.sha256()
    payload = hashlib.sha256()
    window = hashlib.sha256()
    tree = blake3()
    crc = 0
    position = 0
    first = stream.read(PREFIX)
    payload_start = PREFIX
    if len(first) == PREFIX:
        (length,) = struct.unpack("<Q", first)
        if length < AUTOV3_HEADER_LIMIT:
            payload_start = PREFIX + length
    buffer = bytearray(BLOCK)
    view = memoryview(buffer)
    readinto = getattr(stream, "readinto", None)
    chunk: memoryview = memoryview(first)
    while chunk.nbytes:
        end = position + len(chunk)
        whole.update(chunk)
        tree.update(chunk)
        crc = zlib_ng.crc32(chunk, crc)
        if end > payload_start:
            payload.update(chunk[max(0, payload_start - position) :])
        if position < AUTOV1_START + AUTOV1_LENGTH and end > AUTOV1_START:
            low = max(0, AUTOV1_START - position)
            window.update(chunk[low : AUTOV1_START + AUTOV1_LENGTH - position])
        position = end
        if readinto is not None:
            count = readinto(buffer)
            chunk = view[: count or 0]
        else:
            chunk = memoryview(stream.read(BLOCK))
    sha256 = whole.hexdigest()
    values = {
        "AutoV2": sha256[:AUTOV2_DIGITS].upper(),
        "AutoV3": payload.hexdigest()[:AUTOV3_DIGITS].upper(),
        "SHA256": sha256.upper(),
        # The contract prints the number's bytes in little-endian order.
        "CRC32": struct.pack("<I", crc).hex().upper(),
        "BLAKE3": tree.hexdigest().upper(),
    }
    if position >= AUTOV1_LEAST_SIZE:
        values["AutoV1"] = window.hexdigest()[:AUTOV1_DIGITS].upper()
    return FileHashes(sha256=sha256, size=position, values=values)


def hash_file(path: Path) -> FileHashes:
    """All hashes of a local file."""
    with path.open("rb", buffering=0) as stream:
        return hash_stream(stream)


def lookup_values(values: dict[str, str]) -> list[tuple[str, str]]:
    """The rows under which a file is found: each hash, and the CRC in its usual byte order too.

    The hash of nothing is left out: a trainer once wrote it into every file.
    """
    nothing = hashlib.sha256(b"").hexdigest()[:AUTOV3_DIGITS].upper()
    rows = [(kind, value) for kind, value in values.items() if value != nothing]
    if crc := values.get("CRC32"):
        rows.append(("CRC32", bytes.fromhex(crc)[::-1].hex().upper()))
    return rows
