from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atelier.config import env

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in env.FIELDS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ATELIER_HOME", str(tmp_path / "home"))


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    found = env.load()
    assert found.home == tmp_path / "home"
    assert (found.host, found.port, found.events_port) == ("127.0.0.1", 8000, 9000)
    assert found.base_url == "http://localhost:8000"
    assert found.storage_url == (tmp_path / "home" / "blobs").as_uri()
    assert (found.engine, found.email_url, found.demo) == ("local", "outbox:", "")
    assert found.on_loopback


def test_the_environment_outranks_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".env").write_text('# a comment\nATELIER_PORT=8100\nexport ATELIER_HOST="192.0.2.1"\n')
    assert (env.load().port, env.load().events_port) == (8100, 9100)
    assert not env.load().on_loopback
    monkeypatch.setenv("ATELIER_PORT", "8200")
    assert env.load().port == 8200


def test_the_secret_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    first = env.load().secret_key
    assert len(first) == 64
    assert env.load().secret_key == first
    assert (tmp_path / "home" / "secret_key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "80.5"])
def test_a_port_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("ATELIER_PORT", port)
    with pytest.raises(env.EnvironmentProblem, match="ATELIER_PORT must be a port number"):
        env.load()


def test_a_line_that_is_no_variable_is_named(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".env").write_text("ATELIER_PORT=8100\nnonsense\n")
    with pytest.raises(env.EnvironmentProblem, match=r"\.env:2: expected NAME=value"):
        env.load()


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("192.0.2.1", False),
        ("a.org", False),
    ],
)
def test_loopback_is_this_machine_alone(
    monkeypatch: pytest.MonkeyPatch, host: str, loopback: bool
) -> None:
    monkeypatch.setenv("ATELIER_HOST", host)
    assert env.load().on_loopback is loopback


def test_a_public_address_in_front_is_no_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_BASE_URL", "https://atelier.example/")
    assert env.load().base_url == "https://atelier.example"
    assert not env.load().on_loopback
