"""Homes of their own for commands that run as processes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from atelier.core import postgres
from atelier.core.postgres import place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Site:
    """One home and the commands given to it."""

    home: Path
    port: int = field(default_factory=_free_port)
    events_port: int = field(default_factory=_free_port)

    @property
    def environment(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("ATELIER_")}  # noqa: TID251 -- what a shell would hand on
        return {
            **inherited,
            "ATELIER_HOME": str(self.home),
            "ATELIER_PORT": str(self.port),
            "ATELIER_EVENTS_PORT": str(self.events_port),
            "ATELIER_ENGINE": "off",
            "ATELIER_DEMO": "0",
        }

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "atelier.cli", *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def remove(self) -> None:
        if not self.home.exists():
            return
        postgres.stop(self.home)
        base = place.locate(self.home).base
        if base.parent == place.SYSTEM_FOLDER and base.exists():
            shutil.rmtree(base)


@pytest.fixture
def new_site(tmp_path: Path) -> Iterator[Callable[[str], Site]]:
    """Makes sites whose paths hold a space."""
    made: list[Site] = []

    def make(name: str) -> Site:
        made.append(Site(tmp_path / name))
        return made[-1]

    yield make
    for site in made:
        site.remove()


@pytest.fixture
def site(new_site: Callable[[str], Site]) -> Site:
    return new_site("a home")
