"""The six hashes of a file in one pass, against ``sha256sum`` and against the passes it replaces.

The peers of a file of a gigabyte: ``sha256sum`` twice (for SHA-256 and AutoV3), BLAKE3 and a CRC,
each a pass of its own. The limit is what the same libraries need for the same work one after the
other, without reading the file more than once.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import struct
import subprocess
import tempfile
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from blake3 import blake3
from zlib_ng import zlib_ng

from atelier.catalog import hashing

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = 512 * 1024 * 1024
ROUNDS = 3
BLOCK = 1024 * 1024


def _file(folder: str) -> Path:
    path = Path(folder) / "weights.safetensors"
    header = b'{"a":{}}'.ljust(4096)
    block = os.urandom(BLOCK)
    with path.open("wb") as out:
        out.write(struct.pack("<Q", len(header)) + header)
        while out.tell() < SIZE:
            out.write(block)
    return path


def _python_pass(path: Path, update: Callable[[bytes], object]) -> None:
    with path.open("rb", buffering=0) as stream:
        while block := stream.read(BLOCK):
            update(block)


def _crc(path: Path, function: Callable[[bytes, int], int]) -> None:
    value = 0

    def update(block: bytes) -> None:
        nonlocal value
        value = function(block, value)

    _python_pass(path, update)


def _sha256sum(path: Path) -> None:
    subprocess.run(["sha256sum", path], check=True, capture_output=True)


def _times(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds, children included."""
    before, start = os.times(), time.perf_counter()
    work()
    wall, after = time.perf_counter() - start, os.times()
    return wall, sum(after[:4]) - sum(before[:4])


def main() -> None:
    """Measure, interleaved, and print ratios."""
    with tempfile.TemporaryDirectory() as folder:
        path = _file(folder)
        work: dict[str, Callable[[], object]] = {
            "six hashes, one pass": lambda: hashing.hash_file(path),
            "sha256sum": lambda: _sha256sum(path),
            "reading alone": lambda: _python_pass(path, len),
            "SHA-256, our library": lambda: _python_pass(path, hashlib.sha256().update),
            "BLAKE3": lambda: _python_pass(path, blake3().update),
            "CRC, zlib": lambda: _crc(path, zlib.crc32),
            "CRC, zlib-ng": lambda: _crc(path, zlib_ng.crc32),
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
        for _ in range(ROUNDS):
            for name, one in work.items():
                found[name].append(_times(one))
    cpu = {name: statistics.median(times[1] for times in rows) for name, rows in found.items()}
    gigabytes = SIZE / 1e9
    for name in work:
        wall = statistics.median(times[0] for times in found[name])
        print(f"{name:22} {gigabytes / wall:6.2f} GB/s  {gigabytes / cpu[name]:6.2f} GB/CPU-s")
    ours = cpu["six hashes, one pass"]
    separate = 2 * cpu["sha256sum"] + cpu["BLAKE3"] + cpu["CRC, zlib"]
    # Each part read the file for itself; the limit reads it once.
    parts = 2 * cpu["SHA-256, our library"] + cpu["BLAKE3"] + cpu["CRC, zlib-ng"]
    parts -= 3 * cpu["reading alone"]
    print(f"against sha256sum alone           {cpu['sha256sum'] / ours:.2f} times its speed")
    print(f"against the four separate passes  {separate / ours:.2f} times their speed")
    print(f"share of the limit (its parts)    {parts / ours:.2f}")


if __name__ == "__main__":
    main()
