"""A blob as an answer: whole, or the range that was asked for."""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING

from django.http import HttpResponse, StreamingHttpResponse

from atelier.core import storage
from atelier.core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

BLOCK = 256 * 1024
_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)
# Longer numbers name no byte of any file.
MAX_DIGITS = 18


class _Slice:
    """Blocks of an open file, which is closed with the answer."""

    def __init__(self, stream: IO[bytes], start: int, length: int) -> None:
        self._stream = stream
        self._left = length
        stream.seek(start)

    def __iter__(self) -> Iterator[bytes]:
        while self._left > 0:
            block = self._stream.read(min(BLOCK, self._left))
            if not block:
                return
            self._left -= len(block)
            yield block

    def close(self) -> None:
        self._stream.close()


def serve(request: HttpRequest, *, sha256: str, size: int, content_type: str) -> HttpResponseBase:
    """A stored blob. Understands ``Range``, ``If-Range``, ``If-None-Match`` and HEAD."""
    etag = f'"{sha256}"'
    if etag in [tag.strip().removeprefix("W/") for tag in _list(request, "If-None-Match")]:
        response: HttpResponseBase = HttpResponse(status=304)
        response["ETag"] = etag
        return response
    span = _span(request, size, etag)
    if span is None:
        response = HttpResponse(status=416, content_type="text/plain; charset=utf-8")
        response["Content-Range"] = f"bytes */{size}"
        response["Accept-Ranges"] = "bytes"
        return response
    start, length = span
    partial = length != size
    if request.method == "HEAD":
        response = HttpResponse(status=206 if partial else 200, content_type=content_type)
    else:
        try:
            stream = storage.blobs().open(sha256)
        except FileNotFoundError:
            raise NotFound("File not found") from None
        response = StreamingHttpResponse(
            _Slice(stream, start, length),
            status=206 if partial else 200,
            content_type=content_type,
        )
    response["Content-Length"] = str(length)
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    if partial:
        response["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
    return response


def _list(request: HttpRequest, header: str) -> list[str]:
    return request.headers.get(header, "").split(",")


def _span(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    """Start and length of what is wanted; ``None`` when there are no such bytes."""
    whole = (0, size)
    condition = request.headers.get("If-Range")
    if condition is not None and condition.strip() != etag:
        return whole
    match = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    # Several ranges, or a unit we do not know: the whole is a right answer.
    if match is None or match[0] == "bytes=-" or max(len(match[1]), len(match[2])) > MAX_DIGITS:
        return whole
    if not match[1]:
        length = min(int(match[2]), size)
        return (size - length, length) if length else None
    start = int(match[1])
    last = min(int(match[2]), size - 1) if match[2] else size - 1
    if match[2] and int(match[2]) < start:
        return whole
    return (start, last - start + 1) if start < size else None
