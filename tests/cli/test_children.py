from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from atelier.cli import children
from atelier.cli.children import Child

if TYPE_CHECKING:
    from collections.abc import Iterator

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
IGNORE = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
STUBBORN = [sys.executable, "-c", f"{IGNORE}; print('up', flush=True); time.sleep(600)"]


@pytest.fixture
def started() -> Iterator[list[Child]]:
    made: list[Child] = []
    yield made
    children.stop_all(made, patience=0)


def _start(command: list[str], made: list[Child]) -> Child:
    child = Child("child", command)
    child.start(stdout=subprocess.PIPE)
    assert child.process is not None
    assert child.process.stdout is not None
    assert child.process.stdout.readline() == b"up\n"
    made.append(child)
    return child


def test_a_child_that_ended_is_started_again_after_growing_pauses(
    started: list[Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("atelier.cli.children.time.monotonic", lambda: now)
    child = _start(SLEEPER, started)
    assert child.process is not None
    assert child.tend() == ""

    pauses = []
    for _ in range(3):
        child.process.kill()
        child.process.wait()
        report = child.tend()
        assert report.startswith("child ended with -9; starting again in ")
        pauses.append(float(report.split()[-2]))
        now += pauses[-1] / 2
        child.tend()
        assert not child.running
        now += pauses[-1]
        assert child.tend() == ""
        assert child.running
    assert pauses == [0.5, 1.0, 2.0]

    now += children.STEADY_SECONDS + 1
    child.process.kill()
    child.process.wait()
    assert child.tend().endswith("in 0.5 s")


def test_a_child_that_runs_once_is_left_ended(started: list[Child]) -> None:
    child = Child("once", [sys.executable, "-c", ""], once=True)
    child.start()
    started.append(child)
    assert child.process is not None
    child.process.wait()
    assert (child.code, child.tend(), child.running) == (0, "", False)


def test_whoever_does_not_listen_is_killed(started: list[Child]) -> None:
    polite, stubborn = _start(SLEEPER, started), _start(STUBBORN, started)
    children.stop_all(started, patience=0.2)
    assert (polite.code, stubborn.code) == (-signal.SIGTERM, -signal.SIGKILL)


def test_a_child_dies_with_its_parent() -> None:
    program = (
        "import sys, time; from atelier.cli.children import Child\n"
        f"child = Child('c', {SLEEPER!r}); child.start(stdout=2)\n"
        "print(child.process.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    assert psutil.wait_procs([child], timeout=10)[1] == []
