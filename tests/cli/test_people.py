from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from atelier.accounts import queries as accounts
from atelier.accounts import services as account_services
from atelier.accounts.models import ApiToken, User
from atelier.cli.main import app
from atelier.ledger import queries as ledger

# The commands end their database connections, so their work is really committed.
pytestmark = pytest.mark.django_db(transaction=True)
NEW = ["user", "create", "ada", "--email", "ada@example.org", "--password", "long enough"]


def _run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(words))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def _wallet(name: str) -> tuple[int, int, int]:
    user = accounts.by_username(name)
    assert user is not None
    found = ledger.wallet(user_id=user.pk)
    return found.earned, found.bought, found.income


def test_an_account_has_its_welcome_when_the_command_returns() -> None:
    code, out, _ = _run(*NEW, "--sparks", "500", "--staff")
    assert (code, out) == (0, "ada has an account.\n")
    assert _wallet("ada") == (600, 0, 0)
    assert User.objects.get(username="ada").is_staff


def test_with_token_stdout_is_the_token_alone() -> None:
    code, out, _ = _run(*NEW, "--token")
    assert code == 0
    token = account_services.authenticate_token(text=out.removesuffix("\n"))
    assert token.user.username == "ada"


def test_an_existing_name_changes_nothing() -> None:
    assert _run(*NEW)[0] == 0
    code, out, err = _run(*NEW, "--sparks", "5000", "--staff", "--token")
    assert (code, out) == (1, "")
    assert "The name ada is taken" in err
    assert _wallet("ada") == (100, 0, 0)
    assert not User.objects.get(username="ada").is_staff
    assert ApiToken.objects.count() == 0


@pytest.mark.parametrize("name", ["ab", "with space", "demo_ada"])
def test_a_name_that_breaks_the_rule_makes_no_account(name: str) -> None:
    code, _, err = _run("user", "create", name, *NEW[3:])
    assert code == 1
    assert "username" in err
    assert not User.objects.filter(email="ada@example.org").exists()


def test_credit_is_earned_unless_said_otherwise() -> None:
    _run(*NEW)
    assert _run("user", "credit", "ada", "5000", "--reason", "a prize")[0] == 0
    code, out, _ = _run(
        "user", "credit", "ada", "70", "--reason", "paid in cash", "--kind", "bought", "--json"
    )
    assert code == 0
    assert json.loads(out) == {"username": "ada", "credited": 70, "available": 5170}
    assert _wallet("ada") == (5100, 70, 0)


@pytest.mark.parametrize(
    "words",
    [
        ["ada", "0", "--reason", "r"],
        ["ada", "-5", "--reason", "r"],
        ["ada", "5", "--reason", " "],
        ["ada", "5"],
        ["ada", "5", "--reason", "r", "--kind", "income"],
        ["nobody", "5", "--reason", "r"],
    ],
)
def test_a_credit_that_makes_no_sense_moves_nothing(words: list[str]) -> None:
    _run(*NEW)
    assert _run("user", "credit", *words)[0] != 0
    assert _wallet("ada") == (100, 0, 0)


def test_staff_and_tokens_can_be_given_later() -> None:
    _run(*NEW)
    assert _run("user", "staff", "ada") == (0, "ada is staff.\n", "")
    assert User.objects.get(username="ada").is_staff
    code, out, _ = _run("token", "create", "ada", "--json")
    assert code == 0
    assert account_services.authenticate_token(text=json.loads(out)["token"]).user.username == "ada"
    assert _run("user", "staff", "nobody")[0] == 1
    assert _run("token", "create", "nobody")[0] == 1
