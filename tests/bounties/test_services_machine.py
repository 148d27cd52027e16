from __future__ import annotations

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.bounties.services_machine import PEOPLE, Bounties, World
from tests.factories import accounts
from tests.factories import bounties as make
from typing_extensions import override

EXAMPLES, STEPS = 80, 25  # two thousand steps


class Beginning(Bounties):
    """What every run starts from, made once."""

    @override
    def open_world(self) -> World:
        people = [accounts.user() for _ in range(PEOPLE)]
        pictures = [make.picture(person, seed).id for seed, person in enumerate(people)]
        return World(people, pictures, accounts.staff())


class RolledBackBounties(Bounties):
    """Each run in a transaction of its own that leaves nothing behind."""

    beginning: Beginning

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()

    @override
    def prepare(self) -> None:
        self.world = self.beginning.world
        self.now = self.beginning.now
        self.model.given_out = self.beginning.model.given_out

    @override
    def check_deferred(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    @override
    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                self.run_out()
        finally:
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)


@pytest.mark.django_db
def test_bounties_and_books_agree_at_every_step() -> None:
    RolledBackBounties.beginning = Beginning()
    RolledBackBounties.beginning.prepare()

    run_state_machine_as_test(
        RolledBackBounties,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
