from __future__ import annotations

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.factories import accounts as make
from tests.ledger.services_machine import PEOPLE, Books
from typing_extensions import override

EXAMPLES, STEPS = 40, 50  # two thousand steps


class RolledBackBooks(Books):
    """Each run in a transaction of its own that leaves nothing behind."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()

    @override
    def open_books(self) -> list[int]:
        return [make.user().pk for _ in range(PEOPLE)]

    @override
    def check_deferred(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    @override
    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)


@pytest.mark.django_db
def test_the_books_agree_with_a_model_of_them_at_every_step() -> None:
    run_state_machine_as_test(
        RolledBackBooks,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
