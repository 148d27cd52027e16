from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from atelier.cli import likeness
from atelier.cli.main import app
from atelier.likeness import queries

pytestmark = pytest.mark.django_db(transaction=True)


def _run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["likeness", *words])
    return done.exit_code, done.stdout


def test_a_capability_can_be_stopped_and_let_go_on() -> None:
    assert _run("kill-switch", "training", "on") == (0, "training is stopped.\n")
    assert set(queries.stopped()) == {"training"}
    assert json.loads(_run("status", "--json")[1])["training"] == "stopped"

    assert _run("kill-switch", "training", "off") == (0, "training is allowed.\n")
    assert set(queries.stopped()) == set()
    assert json.loads(_run("status", "--json")[1])["training"] == "allowed"


@pytest.mark.parametrize("words", [["everything", "on"], ["training", "maybe"]])
def test_nonsense_stops_nothing(words: list[str]) -> None:
    assert _run("kill-switch", *words)[0] != 0
    assert set(queries.stopped()) == set()


def test_no_command_makes_a_grant() -> None:
    names = {command.name for command in likeness.app.registered_commands}
    assert names == {"status", "kill-switch"}
