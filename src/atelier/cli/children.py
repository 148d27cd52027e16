"""Child processes that live and die with the supervisor."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any

PR_SET_PDEATHSIG = 1
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 60.0


def _tie_to_parent(parent: int, death_signal: int, niceness: int) -> None:
    """In the child: have the kernel end it when the supervisor dies, however that happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            os._exit(1)
    if niceness:
        os.nice(niceness)


@dataclass(slots=True)
class Child:
    """One process that should run; started again with growing pauses when it ends.

    ``death_signal`` is what the kernel sends when the supervisor is killed: a server that has
    processes of its own gets a chance to end them.
    """

    name: str
    command: list[str]
    death_signal: int = signal.SIGKILL
    niceness: int = 0
    once: bool = False
    process: subprocess.Popen[bytes] | None = None
    _started_at: float = 0.0
    _pause: float = FIRST_PAUSE
    _due_at: float = field(default=0.0)

    def start(self, *, stdout: IO[Any] | int | None = None) -> None:
        """Start it, in a process group of its own so that a Ctrl-C reaches the supervisor alone."""
        parent, death_signal, niceness = os.getpid(), self.death_signal, self.niceness
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            start_new_session=True,
            # The supervisor has one thread, so code between fork and exec is safe.
            preexec_fn=lambda: _tie_to_parent(parent, death_signal, niceness),  # noqa: PLW1509
        )
        self._started_at = time.monotonic()

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def code(self) -> int | None:
        """How it ended."""
        return None if self.process is None else self.process.poll()

    def tend(self) -> str:
        """Start it again if it ended and its pause is over; answers what there is to report."""
        if self.process is None or self.running or self.once:
            return ""
        now = time.monotonic()
        if not self._due_at:
            self.kill()  # whatever it left in its group would hold its port
            if now - self._started_at > STEADY_SECONDS:
                self._pause = FIRST_PAUSE
            self._due_at = now + self._pause
            report = f"{self.name} ended with {self.code}; starting again in {self._pause:.1f} s"
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            return report
        if now >= self._due_at:
            self._due_at = 0.0
            self.start()
        return ""

    def ask_to_stop(self) -> None:
        if self.process is not None and self.running:
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and its whole group."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


def stop_all(children: list[Child], *, patience: float) -> None:
    """Ask all to stop, wait, and kill what is left."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + patience
    for child in children:
        if child.process is not None:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
    for child in children:
        child.kill()
        if child.process is not None:
            child.process.wait()
