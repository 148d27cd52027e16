"""The embedded PostgreSQL: found, started, shared and stopped by whoever needs it.

:func:`ensure_running` gives a :class:`Connection`; the cluster runs at least as long as one process
holds one. Nothing listens on the network: the socket lies in a folder that only the cluster's user
(and root) can enter, and PostgreSQL checks the caller's user as well (``peer``).
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil
import psycopg
from psycopg import sql

from atelier.core.postgres import place as places
from atelier.core.postgres.place import Place, PostgresProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Address", "Connection", "PostgresProblem", "address", "ensure_running", "stop"]

DATABASE = "atelier"
USER = "atelier"
SUPERUSER = "postgres"
START_SECONDS = 300.0  # crash recovery of a big cluster is slow, and interrupting it helps nobody
STOP_SECONDS = 60.0
POLL_SECONDS = 0.02
LOG_LIMIT = 10 * 1024 * 1024
CONNECT_ATTEMPTS = 5
ORPHAN_SECONDS = 20.0
ORPHANS = "is still in use"

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(places.PORT),
    "max_connections": "200",
    "shared_buffers": "128MB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
# A test cluster may be lost with the machine; it is made again in a second.
FLEETING_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Address:
    """How to reach a home's database."""

    socket_folder: Path
    port: int
    database: str
    user: str

    @property
    def conninfo(self) -> str:
        """As libpq wants it."""
        return psycopg.conninfo.make_conninfo(
            host=str(self.socket_folder), port=self.port, dbname=self.database, user=self.user
        )


class Connection:
    """A process's share in a running cluster; :meth:`close` gives it back.

    ``started`` says whether this call started the server. The server stops when the last share is
    closed, or with its process.
    """

    def __init__(self, where: Place, programs: Path, descriptor: int, *, started: bool) -> None:
        self.address = _address(where)
        self.data_folder = where.data
        self.programs = programs
        self.started = started
        self._place = where
        self._descriptor = descriptor

    def run_as_owner(self) -> dict[str, object]:
        """Arguments of :mod:`subprocess` for PostgreSQL's own programs: they run as its user."""
        return places.run_as(self._place.uid, self._place.gid)

    @property
    def alive(self) -> bool:
        """Whether the server's process lives."""
        return _postmaster(self._place) is not None

    def close(self) -> None:
        """Give the share back; waits for the server's end when it was the last one."""
        if self._descriptor < 0:
            return
        descriptor, self._descriptor = self._descriptor, -1
        with _start_lock(self._place):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # Others use it, or the keeper was quicker and is stopping it already.
                with suppress(BlockingIOError):
                    fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    os.close(descriptor)
                    return
                os.close(descriptor)
                _wait_for_end(self._place)
            else:
                _shut_down(self._place)
                os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def address(home: Path) -> Address:
    """Where the home's database is or will be; nothing needs to run yet."""
    return _address(places.locate(home))


def ensure_running(home: Path, *, durable: bool = True) -> Connection:
    """Start the home's cluster unless it runs, making it first when it is new.

    ``durable=False`` is for test clusters: a crash of the machine may lose them.
    """
    home.mkdir(parents=True, exist_ok=True)
    where = places.locate(home)
    _make_folders(where)
    with _start_lock(where):
        # Blocks while a keeper that lost its last user stops the server; then nobody can stop it.
        descriptor = _open_lock(where, "users.lock")
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        try:
            programs = places.programs(where)
            started = _bring_up(where, programs, durable=durable)
            _record(where, programs)
        except BaseException:
            os.close(descriptor)
            raise
    return Connection(where, programs, descriptor, started=started)


def _bring_up(where: Place, programs: Path, *, durable: bool) -> bool:
    """Have the server answer; says whether it had to be started."""
    started = False
    for attempt in range(CONNECT_ATTEMPTS):
        if _postmaster(where) is None:
            _initialise(where, programs, durable=durable)
            _start(where, programs, durable=durable)
            started = True
        _wait_until_ready(where)
        try:
            _prepare_database(where)
        except psycopg.OperationalError as problem:
            # It may have been dying just when it was looked at.
            if attempt == CONNECT_ATTEMPTS - 1:
                raise PostgresProblem(f"PostgreSQL does not answer: {problem}") from problem
            time.sleep(POLL_SECONDS * 10)
        else:
            break
    return started


def stop(home: Path) -> bool:
    """Stop the home's server whoever uses it; answers whether it ran."""
    where = places.locate(home)
    if not where.data.is_dir():
        return False
    with _start_lock(where):
        ran = _postmaster(where) is not None
        _shut_down(where)
    return ran


def _address(where: Place) -> Address:
    return Address(where.socket_folder, places.PORT, DATABASE, USER)


def _make_folders(where: Place) -> None:
    owner = where.home.stat()
    places.private_folder(where.control, owner.st_uid, owner.st_gid, mode=0o755)
    if where.base != where.control:
        places.private_folder(where.base, os.geteuid(), os.getegid(), mode=0o755)
    places.private_folder(where.socket_folder, where.uid, where.gid)


def _open_lock(where: Place, name: str) -> int:
    path = where.control / name
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if os.geteuid() == 0:
        owner = where.control.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


@contextmanager
def _start_lock(where: Place) -> Iterator[None]:
    """One process at a time starts or stops the cluster."""
    descriptor = _open_lock(where, "start.lock")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _pid_file(where: Place) -> list[str]:
    try:
        return (where.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _postmaster(where: Place) -> psutil.Process | None:
    """The server's process. Its number may have been reused since a crash, so all is verified."""
    lines = _pid_file(where)
    if not lines or not lines[0].strip().isdigit():
        return None
    try:
        process = psutil.Process(int(lines[0]))
        same = (
            process.status() != psutil.STATUS_ZOMBIE
            and process.uids().real == where.uid
            and Path(process.cmdline()[0]).name == "postgres"
            and str(where.data) in process.cmdline()
        )
    except (psutil.Error, IndexError):
        return None
    return process if same else None


def _initialise(where: Place, programs: Path, *, durable: bool) -> None:
    for leftover in where.base.glob("data.partial-*"):
        shutil.rmtree(leftover)
    if (where.data / "PG_VERSION").is_file():
        ours = subprocess.run(
            [programs / "postgres", "--version"],
            check=True,
            capture_output=True,
            text=True,
            **places.run_as(where.uid, where.gid),
        ).stdout
        major = (where.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if f" {major}." not in ours:
            raise PostgresProblem(
                f"{where.data} was made by PostgreSQL {major}, but this is {ours.strip()}: "
                "make a backup with the old version of Atelier and restore it with this one."
            )
        return
    # Made aside and renamed when whole: a kill in the middle leaves nothing half-made.
    partial = where.base / f"data.partial-{os.getpid()}"
    places.private_folder(partial, where.uid, where.gid)
    command: list[str | Path] = [
        programs / "initdb", "--pgdata", partial, "--username", SUPERUSER, "--auth", "peer",
        "--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin",
        "--builtin-locale", "C.UTF-8", "--data-checksums",
    ]  # fmt: skip
    if not durable:
        command.append("--no-sync")
    made = subprocess.run(
        command, check=False, capture_output=True, text=True, **places.run_as(where.uid, where.gid)
    )
    if made.returncode != 0:
        raise PostgresProblem(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")
    partial.rename(where.data)


def _write(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Replace a file whole; readers see the old or the new one."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        os.fchmod(descriptor, mode)
        if os.geteuid() == 0:
            owner = path.parent.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        stream.write(text)
        stream.flush()
        os.fsync(descriptor)
    fresh.rename(path)


def _log_path(where: Place) -> Path:
    return where.base / "postgresql.log"


def _start(where: Place, programs: Path, *, durable: bool) -> None:
    lines = _pid_file(where)
    if lines and lines[0].strip().isdigit() and psutil.pid_exists(int(lines[0])):
        # After a crash the number went to a stranger, or to a zombie nobody has buried yet;
        # PostgreSQL would take it for a running server.
        (where.data / "postmaster.pid").unlink()
    (where.socket_folder / f"{places.SOCKET_NAME}.lock").unlink(missing_ok=True)
    # Whoever may reach the socket is checked again: root, and the cluster's own user.
    _write(where.base / "hba.conf", "local all all peer map=atelier\n")
    _write(
        where.base / "ident.conf",
        "".join(f'atelier "{name}" all\n' for name in sorted({"root", where.user_name})),
    )
    log = _log_path(where)
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.rename(log.with_suffix(".log.1"))
    quoted = str(where.socket_folder).replace('"', '""')
    settings = {
        **SETTINGS,
        **({} if durable else FLEETING_SETTINGS),
        "hba_file": str(where.base / "hba.conf"),
        "ident_file": str(where.base / "ident.conf"),
        "unix_socket_directories": f'"{quoted}"',
    }
    command = [str(programs / "postgres"), "-D", str(where.data)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    order = {
        "command": command,
        "environment": places.run_as(where.uid, where.gid)["env"],
        "uid": where.uid,
        "gid": where.gid,
        "log": str(log),
        "users_lock": str(where.control / "users.lock"),
    }
    give_up = time.monotonic() + ORPHAN_SECONDS
    while not _launch(where, order):
        # Children of a server that was just killed hold its memory until they notice.
        if ORPHANS not in _last_words(where) or time.monotonic() > give_up:
            raise PostgresProblem(f"PostgreSQL did not start. {_last_words(where)}")
        time.sleep(POLL_SECONDS * 10)


def _launch(where: Place, order: dict[str, object]) -> bool:
    """Start a keeper and its server; answers whether the server lives."""
    keeper = subprocess.Popen(
        [sys.executable, "-I", str(Path(__file__).with_name("keeper.py")), json.dumps(order)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
    deadline = time.monotonic() + START_SECONDS
    while keeper.poll() is None and time.monotonic() < deadline:
        if _postmaster(where) is not None:
            return True
        time.sleep(POLL_SECONDS)
    return False


def _last_words(where: Place) -> str:
    log = _log_path(where)
    try:
        tail = log.read_bytes()[-2000:].decode(errors="replace").strip()
    except OSError:
        tail = ""
    return f"The end of {log}:\n{tail}"


def _wait_until_ready(where: Place) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        lines = _pid_file(where)
        if len(lines) >= 8 and lines[7].strip() == "ready":  # noqa: PLR2004 -- its eighth line
            return
        if _postmaster(where) is None or time.monotonic() > deadline:
            raise PostgresProblem(f"PostgreSQL did not get ready. {_last_words(where)}")
        time.sleep(POLL_SECONDS)


def _prepare_database(where: Place) -> None:
    """The role and database of the site; the role may make databases but rules nothing else."""
    there = _address(where)
    with psycopg.connect(
        host=str(there.socket_folder),
        port=there.port,
        user=SUPERUSER,
        dbname="postgres",
        autocommit=True,
    ) as superuser:
        if not superuser.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [USER]).fetchone():
            superuser.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(USER)))
        if not superuser.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
        ).fetchone():
            superuser.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(DATABASE), sql.Identifier(USER)
                )
            )


def _record(where: Place, programs: Path) -> None:
    there = _address(where)
    content = {
        "socket_folder": str(there.socket_folder),
        "port": there.port,
        "database": there.database,
        "user": there.user,
        "home": str(where.home),
        "base": str(where.base),
        "data_folder": str(where.data),
        "programs": str(programs),
    }
    if places.recorded(where.home) != content:
        _write(where.control / "connection.json", json.dumps(content, indent=2) + "\n")


def _shut_down(where: Place) -> None:
    process = _postmaster(where)
    if process is not None:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT)  # fast: sessions are cut, a checkpoint is written
        _wait_for_end(where)


def _wait_for_end(where: Place) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while _postmaster(where) is not None:
        if time.monotonic() > deadline:
            raise PostgresProblem(f"PostgreSQL does not stop. {_last_words(where)}")
        time.sleep(POLL_SECONDS)
