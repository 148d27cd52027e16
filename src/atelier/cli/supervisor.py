"""``atelier up``: everything the site needs, started in order, watched, and stopped in order."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import urllib.error
import urllib.request
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import django
import typer
from django.conf import settings
from django.db import connections

from atelier.cli import base_model, static
from atelier.cli.attach import fail, migrate, start_database
from atelier.cli.children import Child, stop_all
from atelier.core import queue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from atelier.core import postgres

WEB_WORKERS = 2
WEB_THREADS = 4
TICK_SECONDS = 0.2
PATIENCE_SECONDS = 10.0
TRAINING_NICENESS = 10
ANYWHERE = {"0.0.0.0", "::"}  # noqa: S104 -- compared with, never bound


def _say(text: str) -> None:
    typer.echo(text)
    sys.stdout.flush()


class Signals:
    """Remembers that somebody asked us to stop, and wakes the loop."""

    def __init__(self) -> None:
        self.stop_requests = 0
        self._reader, writer = os.pipe()
        os.set_blocking(writer, False)
        os.set_blocking(self._reader, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._remember)
        # A handler must exist for the wake-up; the loop looks after the children itself.
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _remember(self, *_: object) -> None:
        self.stop_requests += 1

    def wait(self, seconds: float) -> None:
        """Until a signal, or that long."""
        if select.select([self._reader], [], [], seconds)[0]:
            os.read(self._reader, 4096)


@contextmanager
def _one_per_home(home: Path) -> Iterator[None]:
    """A lock that dies with us, so no crash leaves a stale one."""
    folder = home / "run"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "up.lock").open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            fail(f"the site of {home} runs already: {stream.read().strip()}")
        stream.seek(0)
        stream.truncate()
        stream.write(f"{settings.BASE_URL}, process {os.getpid()}\n")
        stream.flush()
        yield


def _bind_address() -> str:
    host = settings.ENVIRONMENT.host
    return "127.0.0.1" if host == "localhost" else host


def _require_free(port: int, variable: str) -> None:
    address = _bind_address()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as problem:
            fail(f"port {port} on {address} cannot be used ({problem.strerror}): set {variable}")


def _granian(interface: str, port: int, target: str, *options: str) -> list[str]:
    return [
        sys.executable, "-m", "granian", "--interface", interface, "--host", _bind_address(),
        "--port", str(port), "--http", "1", "--no-ws", "--log-level", "warning",
        "--respawn-failed-workers", "--workers-kill-timeout", "5", *options, target,
    ]  # fmt: skip


def _worker(name: str, queues: tuple[str, ...], *, concurrency: int = 1) -> list[str]:
    return [
        sys.executable, "-m", "atelier.cli", "worker", "--name", name, "--queues",
        ",".join(queues), "--concurrency", str(concurrency),
    ]  # fmt: skip


def _servers() -> list[Child]:
    environment = settings.ENVIRONMENT
    return [
        Child(
            "web",
            _granian(
                "wsgi", environment.port, "atelier.config.wsgi:application",
                "--workers", str(WEB_WORKERS), "--blocking-threads", str(WEB_THREADS),
            ),
            death_signal=signal.SIGTERM,
        ),
        Child(
            "events",
            _granian("asgi", environment.events_port, "atelier.config.asgi:application",
                     "--workers", "1", "--loop", "uvloop"),
            death_signal=signal.SIGTERM,
        ),
    ]  # fmt: skip


def _workers() -> list[Child]:
    workers = [Child("worker", _worker("light", queue.LIGHT_QUEUES, concurrency=2))]
    if settings.ENGINE == "local":
        if find_spec("torch") is None:
            _say("No engine: torch is not installed. Generation and training wait for a worker.")
        else:
            workers += [
                Child("generation worker", _worker("generation", (queue.GENERATION_QUEUE,))),
                Child(
                    "training worker",
                    _worker("training", (queue.TRAINING_QUEUE,)),
                    niceness=TRAINING_NICENESS,  # somebody who waits for a picture goes first
                ),
            ]
    return workers


class Demo:
    """The demo community of a first run: wanted or not is decided once and remembered."""

    def __init__(self) -> None:
        self._state = settings.ATELIER_HOME / "demo.json"
        self._preparing = settings.ATELIER_HOME / "run" / "preparing"
        self._output: Any = None
        self.child: Child | None = None
        self.login: dict[str, str] = {}

    def decide(self) -> None:
        """Whether the demo community has to be loaded now; readiness waits for it."""
        self._preparing.unlink(missing_ok=True)
        state = self._read()
        given = settings.ENVIRONMENT.demo
        on_loopback = settings.ENVIRONMENT.on_loopback
        if given == "1" and not on_loopback:
            fail("demo accounts exist only while the site listens on loopback: unset ATELIER_DEMO")
        if "wanted" not in state or given:
            state["wanted"] = given == "1" if given else on_loopback
            self._write(state)
        if state.get("login") and on_loopback:
            self.login = state["login"]
        if state["wanted"] and on_loopback and not state.get("login"):
            self._preparing.touch()
            self.child = Child(
                "demo",
                [sys.executable, "-m", "atelier.cli", "demo", "--json"],
                once=True,
            )

    def start(self) -> None:
        """Load it beside the site, which serves meanwhile."""
        if self.child is not None:
            self._output = tempfile.TemporaryFile()  # noqa: SIM115 -- read when the child ends
            self.child.start(stdout=self._output)

    def finished(self) -> bool:
        """Whether nothing is being loaded any more; notes how it went."""
        if self.child is None or self.child.running:
            return self.child is None
        if self.child.code == 0:
            self._output.seek(0)
            self.login = json.loads(self._output.read().splitlines()[-1])
            self._write({"wanted": True, "login": self.login})
        else:
            _say("The demo community could not be loaded; the next start tries again.")
        self._preparing.unlink(missing_ok=True)
        self.child = None
        return True

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._state.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, state: dict[str, Any]) -> None:
        fresh = self._state.with_suffix(".new")
        fresh.write_text(json.dumps(state), encoding="utf-8")
        fresh.chmod(0o600)
        fresh.rename(self._state)


def _answers(path: str) -> bool:
    host = _bind_address()
    host = "127.0.0.1" if host in ANYWHERE else host
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{settings.ENVIRONMENT.port}{path}"
    request = urllib.request.Request(url, headers={"Host": "localhost"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 -- built above
            return bool(answer.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False


class Supervisor:
    """The loop that starts, watches and stops."""

    def __init__(self, cluster: postgres.Connection | None) -> None:
        self.signals = Signals()
        self.cluster = cluster
        self.children: list[Child] = []
        self.demo = Demo()

    def run(self) -> int:
        """Serve until asked to stop."""
        try:
            self._serve()
        finally:
            self._stop()
        return 0

    def _serve(self) -> None:
        self.demo.decide()
        self._start(_servers())
        if not self._until(lambda: _answers("/healthz")):
            return
        self.demo.start()
        self._start(_workers())
        if not self._until(lambda: self.demo.finished() and _answers("/readyz")):
            return
        _say(f"\nAtelier is at {settings.BASE_URL}")
        if self.demo.login:
            _say(
                f"Demo login: {self.demo.login['username']}   "
                f"password: {self.demo.login['password']}"
            )
        _say("Ctrl-C stops it.\n")
        self._until(lambda: False)

    def _start(self, children: list[Child]) -> None:
        for child in children:
            child.start()
            self.children.append(child)

    def _until(self, condition: Any) -> bool:
        """Look after everything until the condition holds; false when asked to stop."""
        while not self.signals.stop_requests:
            if condition():
                return True
            self.signals.wait(TICK_SECONDS)
            for child in self.children:
                if report := child.tend():
                    _say(report)
            if self.cluster is not None and not self.cluster.alive:
                _say("PostgreSQL ended; starting it again")
                self.cluster.close()
                self.cluster = start_database()
        return False

    def _stop(self) -> None:
        _say("Stopping…")
        children = self.children + ([self.demo.child] if self.demo.child else [])
        stop_all(children, patience=PATIENCE_SECONDS)
        if self.cluster is not None:
            self.cluster.close()


def _guard_demo_accounts() -> None:
    """Everybody knows their password, so they are closed where everybody can come."""
    from atelier.accounts import demo

    demo.set_open(is_open=settings.ENVIRONMENT.on_loopback)


def run() -> int:
    """Prepare and serve this home's site; the settings are loaded."""
    environment = settings.ENVIRONMENT
    with _one_per_home(settings.ATELIER_HOME):
        _require_free(environment.port, "ATELIER_PORT")
        _require_free(environment.events_port, "ATELIER_EVENTS_PORT")
        shutil.rmtree(settings.ATELIER_HOME / "run" / "metrics", ignore_errors=True)
        cluster = start_database()
        try:
            django.setup()
            migrate()
            base_model.ensure()
            _guard_demo_accounts()
            static.build()
            connections.close_all()
        except BaseException:
            if cluster is not None:
                cluster.close()
            raise
        return Supervisor(cluster).run()
