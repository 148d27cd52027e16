"""Requests a second of the hot lists, against constant bytes of the same size from the same server.

20,000 models with versions, files, hashes and pictures; each request asks for another page by
cursor. Two figures a comparison: requests a second as a client sees them, and processor time a
request of server and database together, which does not depend on the client.
"""

from __future__ import annotations

import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from bench.database import fresh
from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MODELS = 20_000
IMAGES = 60_000
ROUNDS = 3
SECONDS = 3.0
CONNECTIONS = 8
PAGE = 20
WARM_UP_REQUESTS = 30

_FILL = """
INSERT INTO accounts_user (username, email, password, is_superuser, is_staff, is_active, is_demo,
  created_by_operator, display_name, bio, bio_html, links, avatar_media_id, suspension_reason,
  browsing_level, date_joined)
SELECT 'person_' || n, 'person_' || n || '@example.org', '', false, false, true, false, true, '',
  '', '', '{}', '', '', 3, now() FROM generate_series(1, 1000) AS n;
INSERT INTO catalog_tag (name) SELECT 'tag ' || n FROM generate_series(1, 300) AS n;
INSERT INTO catalog_aimodel (id, owner_id, name, description, description_html, type, base_model,
  status, nsfw_level, license, allow_no_credit, allow_commercial_use, allow_derivatives,
  allow_different_license, download_count, thumbs_up_count, thumbs_down_count, comment_count,
  image_count, collected_count, tipped_sparks, created_at, updated_at, published_at,
  last_version_at)
SELECT n, n % 1000 + 1, 'Model number ' || n, repeat('Words about it. ', 8),
  '<p>' || repeat('Words about it. ', 8) || '</p>', 'LORA', 'Atelier Base', 'published', 1, 'mit',
  true, '{Image}', true, true, (random() * 9000)::int, (random() * 900)::int, 0, 0, 3, 0, 0,
  now(), now(), now(), now() - n * interval '1 minute' FROM generate_series(1, {models}) AS n;
INSERT INTO catalog_modeltag (model_id, tag_id)
SELECT n, (n + k * 37) % 300 + 1 FROM generate_series(1, {models}) AS n, generate_series(1, 4) AS k;
INSERT INTO catalog_modelversion (id, model_id, index, name, description, description_html,
  base_model, base_model_type, status, clearance, clearance_reason, source, access,
  trained_words, training_id, training_epoch, training_settings, dataset_ref, sample_media_ids,
  nsfw_level, download_count, thumbs_up_count, thumbs_down_count, generation_count, created_at,
  updated_at, published_at)
SELECT n, n, 0, 'v1', '', '', 'Atelier Base', 'Standard', 'published', 'cleared', '', 'uploaded',
  'public', '{word}', '', 0, '{}', '', '{}', 1, 5, 0, 0, 0, now(), now(), now()
FROM generate_series(1, {models}) AS n;
INSERT INTO catalog_modelfile (id, version_id, sha256, name, uploaded_name, type, size_bytes,
  format, precision, extent, is_primary, hashes, detected_type, detected_base, header_facts,
  scanned_at, created_at)
SELECT n, n, encode(sha256(n::text::bytea), 'hex'), 'model.safetensors', 'model.safetensors',
  'Model', 151097000, 'SafeTensor', 'fp16', '', true, jsonb_build_object(
    'SHA256', upper(encode(sha256(n::text::bytea), 'hex')), 'AutoV2', '0123456789',
    'AutoV3', '0123456789AB', 'CRC32', '01234567', 'BLAKE3', repeat('0123456789ABCDEF', 4)),
  'LORA', 'Atelier Base', '{}', now(), now() FROM generate_series(1, {models}) AS n;
INSERT INTO media_media (id, owner_id, kind, filename, sha256, canonical_sha256, status,
  refusal_code, refusal_detail, width, height, thumbhash, dominant_color, derivatives, rating,
  visibility, generated, created_at)
SELECT 'med_' || n, n % 1000 + 1, 'image', '', repeat('0', 64), repeat('0', 64), 'ready', '', '',
  512, 512, '', '#336699', '{}', 1, 'public', false, now()
FROM generate_series(1, {images}) AS n;
INSERT INTO gallery_post (id, owner_id, title, description, description_html, version_id, key,
  status, nsfw_level, comment_count, created_at, published_at)
SELECT n, n % 1000 + 1, '', '', '', n % {models} + 1, '', 'published', 1, 0, now(), now()
FROM generate_series(1, {images}) AS n;
INSERT INTO gallery_image (id, post_id, owner_id, media_id, position, status, nsfw_level,
  base_model, blurhash, like_count, heart_count, laugh_count, cry_count, dislike_count,
  comment_count, collected_count, created_at)
SELECT n, n, n % 1000 + 1, 'med_' || n, 0, 'published', 1, 'Atelier Base', '000000',
  (random() * 900)::int, 0, 0, 0, 0, 0, 0, now() FROM generate_series(1, {images}) AS n;
INSERT INTO gallery_imageresource (image_id, version_id, model_id, strength, proven)
SELECT n, n % {models} + 1, n % {models} + 1, 0.8, false FROM generate_series(1, {images}) AS n;
"""


def _fill() -> None:
    with connection.cursor() as cursor:
        text = _FILL.replace("{models}", str(MODELS)).replace("{images}", str(IMAGES))
        for statement in filter(str.strip, text.split(";\n")):
            cursor.execute(statement)
        cursor.execute("ANALYZE")


@contextmanager
def _server(home: str, body: Path) -> Iterator[tuple[int, psutil.Process]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,  # noqa: TID251 - a bench arranges its own environment
        "ATELIER_HOME": home,
        "ATELIER_PORT": str(port),
        "ATELIER_BENCH_BODY": str(body),
        "DJANGO_SETTINGS_MODULE": "atelier.config.settings",
    }
    process = subprocess.Popen(
        [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--http",
            "1", "--no-ws", "--log-level", "error", "--workers", "2", "--blocking-threads", "2",
            "bench.lists_site:application",
        ],
        env=environment,
    )  # fmt: skip
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/raw", timeout=1).read()
                break
            except OSError:
                time.sleep(0.1)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _cpu(processes: Sequence[psutil.Process]) -> float:
    total = 0.0
    for root in processes:
        for one in (root, *root.children(recursive=True)):
            try:
                times = one.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
    return total


def _read_answer(stream: socket.socket, buffer: bytearray) -> None:
    """One answer off a keep-alive connection; ``buffer`` keeps what came after it."""
    while (end := buffer.find(b"\r\n\r\n")) < 0:
        buffer += stream.recv(262_144)
    head = bytes(buffer[:end]).lower()
    if not head.startswith(b"http/1.1 200"):
        raise RuntimeError(head.split(b"\r\n")[0].decode())
    length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(buffer) < end + 4 + length:
        buffer += stream.recv(262_144)
    del buffer[: end + 4 + length]


def _load(port: int, paths: Sequence[str], seconds: float) -> int:
    """Answers how many requests were answered within the time, over a few connections."""
    deadline = time.monotonic() + seconds
    counts = [0] * CONNECTIONS

    def run(number: int) -> None:
        chance = random.Random(number)
        requests = [
            f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode() for path in paths
        ]
        buffer = bytearray()
        with socket.create_connection(("127.0.0.1", port)) as stream:
            while time.monotonic() < deadline:
                stream.sendall(chance.choice(requests))
                _read_answer(stream, buffer)
                counts[number] += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def _pages(port: int, path: str) -> list[str]:
    """Addresses of many pages of a list, found by following its cursors."""
    found, url = [path], path
    for _ in range(WARM_UP_REQUESTS):
        with urllib.request.urlopen(f"http://localhost:{port}{url}") as answer:
            following = json.loads(answer.read())["metadata"].get("nextPage")
        if not following:
            break
        url = following.split(str(port), 1)[1]
        found.append(url)
    return found


def _compare(port: int, watched: Sequence[psutil.Process], name: str, lists: list[str]) -> None:
    peers = {"list": lists, "constant, Django": ["/constant"], "constant, raw": ["/raw"]}
    rates: dict[str, list[float]] = {peer: [] for peer in peers}
    costs: dict[str, list[float]] = {peer: [] for peer in peers}
    for peer, paths in peers.items():
        _load(port, paths, 0.5)
        del peer
    for _ in range(ROUNDS):
        # Interleaved, so that the machine's mood hits all of them.
        for peer, paths in peers.items():
            before, start = _cpu(watched), time.monotonic()
            count = _load(port, paths, SECONDS)
            rates[peer].append(count / (time.monotonic() - start))
            costs[peer].append(1000 * (_cpu(watched) - before) / max(count, 1))
    rate = {peer: statistics.median(values) for peer, values in rates.items()}
    cost = {peer: statistics.median(values) for peer, values in costs.items()}
    print(name)
    for peer in peers:
        print(f"  {peer:18} {rate[peer]:8.0f} requests/s  {cost[peer]:6.2f} CPU-ms a request")
    for peer in ("constant, Django", "constant, raw"):
        print(
            f"  ratio to {peer:17} {rate['list'] / rate[peer]:.2f} by requests, "
            f"{cost[peer] / cost['list']:.2f} by processor time"
        )


def main() -> None:
    """Fill, serve, compare."""
    with fresh() as cluster, tempfile.TemporaryDirectory() as folder:
        _fill()
        body = Path(folder) / "body"
        body.write_bytes(b"{}")
        home = os.environ["ATELIER_HOME"]  # noqa: TID251 - set by the fresh database
        pid = int((cluster.data_folder / "postmaster.pid").read_text().split()[0])
        lists = {
            "models": f"/api/v1/models?limit={PAGE}&sort=Newest",
            "images": f"/api/v1/images?limit={PAGE}&sort=Most+Reactions",
        }
        for name, path in lists.items():
            with _server(home, body) as (port, _):
                pages = _pages(port, path)
                with urllib.request.urlopen(f"http://localhost:{port}{path}") as answer:
                    body.write_bytes(answer.read())
            with _server(home, body) as (port, server):
                pages = [page.replace("http://", "") for page in _pages(port, path)]
                watched = [server, psutil.Process(pid)]
                size = f"{body.stat().st_size / 1024:.1f} KiB"
                _compare(port, watched, f"{name}: {PAGE} a page, {size}, {MODELS:,} models", pages)


if __name__ == "__main__":
    main()
