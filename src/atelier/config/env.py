"""Reads the environment once: real variables first, then ``$ATELIER_HOME/.env``.

Nothing else in the program looks at ``os.environ``. ``FIELDS`` names every variable, and a test
keeps ``.env.example`` complete against it.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

FIELDS = (
    "ATELIER_HOME",
    "ATELIER_HOST",
    "ATELIER_PORT",
    "ATELIER_EVENTS_PORT",
    "ATELIER_DATABASE_URL",
    "ATELIER_STORAGE_URL",
    "ATELIER_ENGINE",
    "ATELIER_SECRET_KEY",
    "ATELIER_BASE_URL",
    "ATELIER_EMAIL_URL",
    "ATELIER_STRIPE_KEY",
    "ATELIER_DEMO",
)


class EnvironmentProblem(ImproperlyConfigured):
    """A variable holds something that the program cannot use; the message names it and the rule."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What the operator configured, typed.

    ``home`` is absolute. ``database_url``, ``stripe_key`` and ``demo`` are empty when not given;
    ``demo`` then depends on whether this is a first run on loopback, which only ``up`` knows.
    """

    home: Path
    host: str
    port: int
    events_port: int
    database_url: str
    storage_url: str
    engine: str
    secret_key: str
    base_url: str
    email_url: str
    stripe_key: str
    demo: str

    @property
    def on_loopback(self) -> bool:
        """Whether the site can be reached from this machine only.

        A public address in front of a loopback host is a proxy that lets everybody in.
        """
        return _is_here(self.host) and _is_here(urlsplit(self.base_url).hostname or "")


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _default_home() -> Path:
    here = Path(__file__).resolve()
    for parent in here.parents:
        if (parent / "Makefile").is_file():
            return parent / ".atelier"
    return Path.cwd() / ".atelier"


def _read_file(path: Path) -> dict[str, str]:
    values: dict[str, str] = {}
    if not path.is_file():
        return values
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, separator, value = text.removeprefix("export ").partition("=")
        if not separator:
            message = f"{path}:{number}: expected NAME=value"
            raise EnvironmentProblem(message)
        values[name.strip()] = value.strip().strip("\"'")
    return values


HIGHEST_PORT = 65535


def _port(name: str, text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= HIGHEST_PORT:
        message = f"{name} must be a port number from 1 to 65535, not {text!r}"
        raise EnvironmentProblem(message)
    return int(text)


def _secret_key(home: Path, given: str) -> str:
    """The operator's key, or one made on first use and kept in the home with mode 0600."""
    if given:
        return given
    path = home / "secret_key"
    home.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        # A process beside us made it; it may still be writing the 64 characters.
        for _ in range(1000):
            if text := path.read_text(encoding="ascii").strip():
                return text
        message = f"{path} is empty: delete it and start again"
        raise EnvironmentProblem(message) from None
    key = secrets.token_hex(32)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(key)
    return key


def load() -> Environment:
    """The environment as configured; raises :class:`EnvironmentProblem` naming the variable."""
    home = Path(os.environ.get("ATELIER_HOME") or _default_home()).expanduser().absolute()
    file = _read_file(home / ".env")

    def value(name: str, default: str = "") -> str:
        return os.environ.get(name) or file.get(name) or default

    host = value("ATELIER_HOST", "127.0.0.1")
    port = _port("ATELIER_PORT", value("ATELIER_PORT", "8000"))
    shown_host = "localhost" if host in {"127.0.0.1", "0.0.0.0", "::"} else host  # noqa: S104
    if ":" in shown_host:
        shown_host = f"[{shown_host}]"
    return Environment(
        home=home,
        host=host,
        port=port,
        events_port=_port("ATELIER_EVENTS_PORT", value("ATELIER_EVENTS_PORT", str(port + 1000))),
        database_url=value("ATELIER_DATABASE_URL"),
        storage_url=value("ATELIER_STORAGE_URL", (home / "blobs").as_uri()),
        engine=value("ATELIER_ENGINE", "local"),
        secret_key=_secret_key(home, value("ATELIER_SECRET_KEY")),
        base_url=value("ATELIER_BASE_URL", f"http://{shown_host}:{port}").rstrip("/"),
        email_url=value("ATELIER_EMAIL_URL", "outbox:"),
        stripe_key=value("ATELIER_STRIPE_KEY"),
        demo=value("ATELIER_DEMO"),
    )
