"""A whole site of its own for a journey: started as an operator would, on ports of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from atelier.core import postgres
from atelier.core.postgres import place

if TYPE_CHECKING:
    from collections.abc import Iterator

READY = "Ctrl-C stops it"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def browser_path() -> str | None:
    """The system's Chromium; without one Playwright's own is used."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


@dataclass(frozen=True, slots=True)
class RunningSite:
    """A site that answers, and how to command it."""

    home: Path
    url: str
    environment: dict[str, str]

    def atelier(self, *words: str) -> str:
        """Run an ``atelier`` command on this site; answers what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "atelier.cli", *words],
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            message = f"atelier {' '.join(words)}: {done.stderr}"
            raise RuntimeError(message)
        return done.stdout

    def demo_login(self) -> dict[str, str]:
        """Name and password of the demo account."""
        found: dict[str, str] = json.loads((self.home / "demo.json").read_text())["login"]
        return found


@contextmanager
def running(*, demo: bool = False, engine: str = "local") -> Iterator[RunningSite]:
    """``atelier up`` in a home of its own until the block ends; the home is removed after."""
    home = Path(tempfile.mkdtemp(prefix="atelier-journey-"))
    home.chmod(0o755)  # else the database of a site run by root moves out of it
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ATELIER_")},  # noqa: TID251 -- what a shell would hand on
        "ATELIER_HOME": str(home),
        "ATELIER_PORT": str(port),
        "ATELIER_EVENTS_PORT": str(free_port()),
        "ATELIER_ENGINE": engine,
        "ATELIER_DEMO": "1" if demo else "0",
    }
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    site = RunningSite(home, f"http://localhost:{port}", environment)
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "atelier.cli", "up"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as up:
            try:
                _wait_until_ready(up)
                yield site
            finally:
                up.terminate()
                up.wait(timeout=60)
    finally:
        postgres.stop(home)
        base = place.locate(home).base
        if base.parent == place.SYSTEM_FOLDER:
            shutil.rmtree(base, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def _wait_until_ready(up: subprocess.Popen[str]) -> None:
    said = ""
    assert up.stdout is not None
    for line in up.stdout:
        said += line
        if READY in line:
            # What it says later goes to the log of the test and must not fill the pipe.
            threading.Thread(target=_pass_on, args=(up,), daemon=True).start()
            return
    message = f"the site did not start:\n{said}"
    raise RuntimeError(message)


def _pass_on(up: subprocess.Popen[str]) -> None:
    assert up.stdout is not None
    for line in up.stdout:
        sys.stderr.write(line)
