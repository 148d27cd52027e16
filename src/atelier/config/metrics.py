"""Counts of answered requests, added up over the web processes for ``/metrics``.

Each process counts in a small memory-mapped file of its own, so counting takes no lock between
processes and survives a worker's restart; reading adds the files up.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from django.http import HttpRequest, HttpResponse

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OTHER")
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
# Requests by method and class, then requests by bucket (the last is "slower"), then microseconds.
REQUEST_SLOTS = len(METHODS) * len(CLASSES)
SLOTS = REQUEST_SLOTS + len(BUCKETS) + 1 + 1
SIZE = SLOTS * 8


def folder() -> Path:
    """Where the processes count; emptied by ``atelier up`` before they start."""
    return settings.ATELIER_HOME / "run" / "metrics"


class _Counters:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._map: mmap.mmap | None = None
        self._pid = 0

    def add(self, method: str, status: int, seconds: float) -> None:
        method = method if method in METHODS else "OTHER"
        row = METHODS.index(method) * len(CLASSES) + min(max(status // 100, 1), 5) - 1
        bucket = next((i for i, limit in enumerate(BUCKETS) if seconds <= limit), len(BUCKETS))
        with self._lock:
            counters = self._opened()
            for slot, amount in (
                (row, 1),
                (REQUEST_SLOTS + bucket, 1),
                (SLOTS - 1, int(seconds * 1_000_000)),
            ):
                (value,) = struct.unpack_from("<Q", counters, slot * 8)
                struct.pack_into("<Q", counters, slot * 8, value + amount)

    def _opened(self) -> mmap.mmap:
        if self._map is None or self._pid != os.getpid():
            folder().mkdir(parents=True, exist_ok=True)
            with (folder() / str(os.getpid())).open("a+b") as stream:
                stream.truncate(SIZE)
                self._map = mmap.mmap(stream.fileno(), SIZE)
            self._pid = os.getpid()
        return self._map


_counters = _Counters()


class CountRequests:
    """Middleware: counts every answer and how long it took."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = time.perf_counter()
        response = self.get_response(request)
        _counters.add(request.method or "OTHER", response.status_code, time.perf_counter() - begun)
        return response


def _totals() -> list[int]:
    totals = [0] * SLOTS
    if folder().is_dir():
        for path in folder().iterdir():
            data = path.read_bytes()
            if len(data) == SIZE:
                for slot, value in enumerate(struct.unpack(f"<{SLOTS}Q", data)):
                    totals[slot] += value
    return totals


def request_lines() -> Iterator[str]:
    """The request figures in Prometheus' text format."""
    totals = _totals()
    yield "# HELP atelier_requests_total Answered requests."
    yield "# TYPE atelier_requests_total counter"
    for m, method in enumerate(METHODS):
        for c, status in enumerate(CLASSES):
            if value := totals[m * len(CLASSES) + c]:
                yield f'atelier_requests_total{{method="{method}",status="{status}"}} {value}'
    yield "# HELP atelier_request_seconds Time from request to answer."
    yield "# TYPE atelier_request_seconds histogram"
    running = 0
    for i, limit in enumerate(BUCKETS):
        running += totals[REQUEST_SLOTS + i]
        yield f'atelier_request_seconds_bucket{{le="{limit}"}} {running}'
    running += totals[REQUEST_SLOTS + len(BUCKETS)]
    yield f'atelier_request_seconds_bucket{{le="+Inf"}} {running}'
    yield f"atelier_request_seconds_sum {totals[SLOTS - 1] / 1_000_000}"
    yield f"atelier_request_seconds_count {running}"
