from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.factories import accounts as make
from tests.ledger.services_machine import PEOPLE, Books
from typing_extensions import override

EXAMPLES, STEPS = 40, 50  # two thousand steps


class CommittedBooks(Books):
    """Each run with people of its own, in books that only grow, as real ones do."""

    @override
    def open_books(self) -> list[int]:
        return [make.user().pk for _ in range(PEOPLE)]


@pytest.mark.django_db(transaction=True)
def test_the_books_agree_with_a_model_of_them_at_every_step() -> None:
    run_state_machine_as_test(
        CommittedBooks,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
