from __future__ import annotations

import json

import pytest
from django.db import connection
from tests.factories import accounts as make
from typer.testing import CliRunner

from atelier.cli.main import app
from atelier.ledger import services as ledger

pytestmark = pytest.mark.django_db(transaction=True)


def _verify() -> tuple[int, dict[str, object]]:
    done = CliRunner().invoke(app, ["ledger", "verify", "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_honest_books_verify() -> None:
    user = make.user()
    ledger.open_wallet(user_id=user.pk)
    ledger.credit(user_id=user.pk, amount=50, kind="earned", reason="r", business_key="k")
    code, found = _verify()
    assert (code, found["ok"], found["differences"]) == (0, True, 0)
    assert found["transfers"] == 1


def test_books_that_somebody_cooked_do_not_verify() -> None:
    user = make.user()
    ledger.open_wallet(user_id=user.pk)
    ledger.credit(user_id=user.pk, amount=50, kind="earned", reason="r", business_key="k")
    with connection.cursor() as cursor:
        # As the database's owner, who alone can take the guards away.
        cursor.execute("ALTER TABLE ledger_balance DISABLE TRIGGER USER")
        cursor.execute("UPDATE ledger_balance SET earned = earned + 1 WHERE earned = 50")
        cursor.execute("ALTER TABLE ledger_balance ENABLE TRIGGER USER")
    code, found = _verify()
    assert (code, found["ok"], found["differences"]) == (1, False, 1)
