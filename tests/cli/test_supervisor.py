from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
import psycopg

from atelier.core import postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cli.conftest import Site


@contextmanager
def _running(site: Site) -> Iterator[tuple[subprocess.Popen[str], list[psutil.Process]]]:
    """``atelier up``, ready; with every process that belongs to it."""
    with subprocess.Popen(
        site.command("up"),
        env=site.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as up:
        try:
            assert up.stdout is not None
            said = ""
            for line in up.stdout:
                said += line
                if "Ctrl-C stops it" in line:
                    break
            else:
                raise AssertionError(said)
            assert f"Atelier is at http://localhost:{site.port}\n" in said
            # Whatever it says later must not fill the pipe.
            threading.Thread(target=up.stdout.read, daemon=True).start()
            yield up, [*psutil.Process(up.pid).children(recursive=True)]
        finally:
            if up.poll() is None:
                up.kill()
            up.wait()


def _get(site: Site, path: str) -> tuple[int, bytes]:
    with urllib.request.urlopen(f"http://127.0.0.1:{site.port}{path}", timeout=20) as answer:
        return answer.status, answer.read()


def _all_gone(processes: list[psutil.Process]) -> list[psutil.Process]:
    return psutil.wait_procs(processes, timeout=30)[1]


def test_up_serves_refuses_a_second_one_and_stops_everything(
    site: Site, new_site: Callable[[str], Site]
) -> None:
    with _running(site) as (up, processes):
        assert _get(site, "/healthz") == (200, b"ok\n")
        assert json.loads(_get(site, "/readyz")[1])["checks"]["migrations"] == "ok"

        second = site.run("up")
        assert second.returncode == 1
        assert f"runs already: http://localhost:{site.port}, process {up.pid}" in second.stderr

        neighbour = new_site("another home")
        neighbour.port = site.port
        taken = neighbour.run("up")
        assert taken.returncode == 1
        assert f"port {site.port} on 127.0.0.1 cannot be used" in taken.stderr
        assert "set ATELIER_PORT" in taken.stderr

        up.send_signal(signal.SIGTERM)
        assert up.wait(timeout=30) == 0
        assert _all_gone(processes) == []


def test_nothing_is_left_when_the_supervisor_is_killed(site: Site) -> None:
    with _running(site) as (up, processes):
        assert len(processes) > 5
        up.kill()
        up.wait()
        assert _all_gone(processes) == []


def test_after_everything_was_killed_it_starts_again_with_all_data(site: Site) -> None:
    with _running(site) as (up, processes):
        with psycopg.connect(postgres.address(site.home).conninfo) as session:
            session.execute("CREATE TABLE kept AS SELECT generate_series(1, 500) AS n")
        for process in [psutil.Process(up.pid), *processes]:
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        up.wait()
        assert _all_gone(processes) == []
    with _running(site), psycopg.connect(postgres.address(site.home).conninfo) as session:
        assert session.execute("SELECT sum(n) FROM kept").fetchone() == (125250,)


def test_a_crashed_child_is_started_again(site: Site) -> None:
    with _running(site) as (up, processes):
        [worker] = [p for p in processes if "worker" in p.cmdline() and "light" in p.cmdline()]
        worker.kill()
        worker.wait(timeout=10)
        supervisor = psutil.Process(up.pid)
        replaced = threading.Event()

        def look() -> None:
            while not replaced.wait(0.05):
                for child in supervisor.children():
                    if child.pid != worker.pid and "light" in child.cmdline():
                        replaced.set()

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        assert replaced.wait(30)
        watcher.join()
