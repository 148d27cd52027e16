"""Ten thousand steps of the books' state machine, with crashes in the middle of transfers.

Each call may lose its connection before its commit, or after it and before the answer; a caller
then tries again under the same key, as a worker or a browser would. After each step the books must
agree with the model, balance, and add up.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from bench.database import fresh
from typing_extensions import override

if TYPE_CHECKING:
    from tests.ledger.services_machine import Books

EXAMPLES, STEPS = 200, 50
CRASH = 0.15
PEOPLE_SEED = 20261123


def _machine(counts: dict[str, int]) -> type[Books]:
    from django.db import connection, transaction
    from django.db.utils import InterfaceError, OperationalError
    from tests.ledger.services_machine import PEOPLE, Books

    from atelier.accounts import services as accounts
    from atelier.ledger import services as ledger

    chance = random.Random(PEOPLE_SEED)

    def kill_connection() -> None:
        """The server ends our session, as it would be by a kill of the process."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    class CrashingBooks(Books):
        """Calls that are cut off, and tried again."""

        verify_every = 25

        @override
        def open_books(self) -> list[int]:
            counts["runs"] += 1
            return [
                accounts.create_user(
                    username=f"machine_{counts['runs']}_{number}",
                    email=f"machine_{counts['runs']}_{number}@example.org",
                    password=None,
                ).pk
                for number in range(PEOPLE)
            ]

        @override
        def call(self, verb: str, **order: Any) -> Any:
            counts["calls"] += 1
            action = getattr(ledger, verb)
            if chance.random() < CRASH:
                counts["crashes"] += 1
                before_commit = chance.random() < 0.5
                try:
                    with transaction.atomic():
                        action(**order)
                        if before_commit:
                            kill_connection()
                    kill_connection()  # it happened, and nobody heard of it
                except (OperationalError, InterfaceError):
                    connection.close()
            return action(**order)

    return CrashingBooks


def main() -> None:
    """Runs the machine and says how many steps and crashes there were."""
    with fresh():
        from hypothesis import HealthCheck, settings
        from hypothesis.stateful import run_state_machine_as_test

        from atelier.ledger import queries

        counts = {"runs": 0, "calls": 0, "crashes": 0}
        started = time.monotonic()
        run_state_machine_as_test(
            _machine(counts),
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        found = queries.verify()
        print(
            f"{EXAMPLES * STEPS:,} steps in {counts['runs']} runs, {counts['calls']:,} movements, "
            f"{counts['crashes']:,} crashes, {time.monotonic() - started:.0f} s"
        )
        print(f"verified {found.transfers:,} transfers: {found.differences} differences")
        if not found.ok:
            raise SystemExit(1)


if __name__ == "__main__":
    main()
