"""A whole site for a journey: home, database, workers and engine, started as people start it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from atelier.core import postgres
from atelier.core.postgres import place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "a long enough password"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RunningSite:
    """One running site, and the operator's commands to it."""

    home: Path
    demo: bool = False
    port: int = field(default_factory=_free_port)
    events_port: int = field(default_factory=_free_port)
    said: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("ATELIER_")}  # noqa: TID251 -- what a shell would hand on
        return {
            **inherited,
            "ATELIER_HOME": str(self.home),
            "ATELIER_PORT": str(self.port),
            "ATELIER_EVENTS_PORT": str(self.events_port),
            "ATELIER_DEMO": "1" if self.demo else "0",
        }

    def operator(self, *words: str) -> str:
        """What an operator's command prints; fails the test when it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "atelier.cli", *words],
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def join(self, name: str, *, sparks: int = 0, staff: bool = False) -> str:
        """An account made by the operator; answers its token."""
        words = ["user", "create", name, "--email", f"{name}@example.org", "--password", PASSWORD]
        if sparks:
            words += ["--sparks", str(sparks)]
        if staff:
            words.append("--staff")
        return self.operator(*words, "--token").strip()


@contextlib.contextmanager
def running(home: Path, *, demo: bool = False) -> Iterator[RunningSite]:
    """Starts a site, waits until it says that it is ready, and stops all of it afterwards."""
    site = RunningSite(home, demo=demo)
    with subprocess.Popen(
        [sys.executable, "-m", "atelier.cli", "up"],
        env=site.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as up:
        try:
            assert up.stdout is not None
            for line in up.stdout:
                site.said.append(line)
                if "Ctrl-C stops it" in line:
                    break
            else:
                raise AssertionError("".join(site.said))
            # What it says later is kept, so that a failing journey can show it.
            threading.Thread(target=lambda: site.said.extend(up.stdout or ()), daemon=True).start()
            yield site
        finally:
            up.terminate()
            try:
                up.wait(timeout=60)
            except subprocess.TimeoutExpired:
                up.kill()
    postgres.stop(home)
    base = place.locate(home).base
    if base.parent == place.SYSTEM_FOLDER and base.exists():
        shutil.rmtree(base)


@pytest.fixture(scope="session")
def empty_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A site without a demo community, whose path has a space in it."""
    with running(tmp_path_factory.mktemp("journeys") / "a home") as site:
        yield site
