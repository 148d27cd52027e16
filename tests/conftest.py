"""Every test runs on real PostgreSQL, in a home of its own, without the network.

Django's settings need the address of the test cluster, so all of it is arranged while this file is
imported, before the first test module.
"""

from __future__ import annotations

import atexit
import ipaddress
import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from atelier.core import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import DjangoDbBlocker

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".atelier-test"
_blobs = Path(tempfile.mkdtemp(prefix="atelier-test-"))
atexit.register(shutil.rmtree, _blobs, ignore_errors=True)

for _name in [name for name in os.environ if name.startswith("ATELIER_") and name not in {  # noqa: TID251 -- arranges the tests' own environment
    "ATELIER_TEST_DB",
    "ATELIER_TEST_SKIP_JOURNEYS",
}]:  # fmt: skip
    del os.environ[_name]  # noqa: TID251 -- arranges the tests' own environment
os.environ.update(  # noqa: TID251 -- arranges the tests' own environment
    ATELIER_HOME=str(HOME),
    ATELIER_STORAGE_URL=_blobs.as_uri(),
    ATELIER_SECRET_KEY="only-for-tests-" + "0" * 50,
    DJANGO_SETTINGS_MODULE="atelier.config.settings",
)

# Held until this process ends; the server stops with the last process that uses it.
CLUSTER = postgres.ensure_running(HOME, durable=False)

import django  # noqa: E402 -- the settings read the environment above

django.setup()

from django.test import TransactionTestCase  # noqa: E402 -- needs the apps
from tests import database  # noqa: E402 -- needs the apps


def _renew_database(self: TransactionTestCase) -> None:
    """Instead of emptying tables, which the append-only ones refuse."""
    del self
    database.renew(HOME)


TransactionTestCase._fixture_teardown = _renew_database  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """The database of this session."""
    with django_db_blocker.unblock():
        database.create(HOME)
    yield
    with django_db_blocker.unblock():
        database.remove()


_real_connect = socket.socket.connect


def _connect_here_only(self: socket.socket, address: Any) -> None:
    if self.family in {socket.AF_INET, socket.AF_INET6}:
        host = str(address[0])
        try:
            here = ipaddress.ip_address(host.split("%", maxsplit=1)[0]).is_loopback
        except ValueError:
            here = host == "localhost"
        if not here:
            message = f"a test tried to reach {host}: nothing outside this machine is used"
            raise OSError(message)
    _real_connect(self, address)


socket.socket.connect = _connect_here_only  # type: ignore[assignment, method-assign]
