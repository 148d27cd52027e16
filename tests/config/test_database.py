from __future__ import annotations

from dataclasses import replace

import pytest

from atelier.config import env
from atelier.config.database import database_settings
from atelier.core import postgres


def _with_url(url: str) -> dict[str, object]:
    return database_settings(replace(env.load(), database_url=url))


def test_the_operators_server_is_used_when_named() -> None:
    found = _with_url("postgresql://ada:p%40ss@db.example:5433/site?sslmode=require")
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.example", "5433", "site")
    assert (found["USER"], found["PASSWORD"]) == ("ada", "p@ss")
    assert found["OPTIONS"] == {
        "server_side_binding": True,
        "prepare_threshold": 1,
        "sslmode": "require",
    }


def test_a_socket_folder_can_be_named() -> None:
    found = _with_url("postgresql:///site?host=/run/postgresql")
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("/run/postgresql", "", "site")


@pytest.mark.parametrize("url", ["mysql://host/site", "postgresql://host", "site"])
def test_another_address_is_refused(url: str) -> None:
    with pytest.raises(env.EnvironmentProblem, match="must look like postgresql://"):
        _with_url(url)


def test_without_one_it_is_the_homes_own_cluster() -> None:
    environment = env.load()
    address = postgres.address(environment.home)
    found = database_settings(environment)
    assert (found["HOST"], found["NAME"]) == (str(address.socket_folder), "atelier")
