"""Ten thousand steps of the bounties' state machine, with crashes and double clicks.

An act may lose its connection before its commit, or after it and before the answer, and is then
tried again; or it arrives twice at once on two connections. After each step bounties, stakes and
books must agree, and at the end of each run time alone must give every Spark back to somebody.
"""

from __future__ import annotations

import contextvars
import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from bench.database import fresh
from typing_extensions import override

if TYPE_CHECKING:
    from tests.bounties.services_machine import Bounties, World

EXAMPLES, STEPS = 125, 80
CRASH = 0.10
TWICE = 0.10
SEED = 20261123


def _machine(counts: dict[str, int]) -> type[Bounties]:
    from tests.bounties.services_machine import PEOPLE, Bounties, World
    from tests.factories import bounties as make

    from atelier.accounts import services as accounts
    from atelier.bounties import services

    chance = random.Random(SEED)

    class CrashingBounties(Bounties):
        """Acts that are cut off and tried again, or come twice at once."""

        @override
        def open_world(self) -> World:
            counts["runs"] += 1
            made = [
                accounts.create_user(
                    username=f"machine_{counts['runs']}_{number}",
                    email=f"machine_{counts['runs']}_{number}@example.org",
                    password=None,
                    is_staff=number == PEOPLE,
                )
                for number in range(PEOPLE + 1)
            ]
            people, staff = made[:PEOPLE], made[PEOPLE]
            return World(people, [make.picture(person).id for person in people], staff)

        @override
        def call(self, verb: str, **arguments: Any) -> Any:
            counts["calls"] += 1
            act = getattr(services, verb)
            fate = chance.random()
            if fate < CRASH:
                counts["crashes"] += 1
                _crash(act, arguments, before_commit=chance.random() < 0.5)
            elif fate < CRASH + TWICE:
                counts["twice"] += 1
                return _twice(act, arguments)
            return act(**arguments)

        @override
        def teardown(self) -> None:
            if hasattr(self, "world"):
                self.run_out()

    return CrashingBounties


def _crash(act: Any, arguments: dict[str, Any], *, before_commit: bool) -> None:
    """Carries an act out and loses the connection: before its commit, or before its answer."""
    from django.db import connection, transaction
    from django.db.utils import InterfaceError, OperationalError

    def kill_connection() -> None:
        # The server ends our session, as it would be by a kill of the process.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    try:
        with transaction.atomic():
            act(**arguments)
            if before_commit:
                kill_connection()
        kill_connection()
    except (OperationalError, InterfaceError):
        connection.close()


def _twice(act: Any, arguments: dict[str, Any]) -> Any:
    """The first answer of two at once, or the refusal when both were refused."""
    from django.db import connection

    from atelier.core.errors import DomainError

    def run() -> Any:
        try:
            return act(**arguments)
        except DomainError as refusal:
            return refusal
        finally:
            connection.close()

    # The clock is a context variable, which a thread does not get by itself.
    contexts = [contextvars.copy_context() for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda context: context.run(run), contexts))
    good = [answer for answer in answers if not isinstance(answer, DomainError)]
    if good:
        return good[0]
    raise answers[0]


def main() -> None:
    """Runs the machine and says how many steps, crashes and double clicks there were."""
    with fresh():
        from hypothesis import HealthCheck, settings
        from hypothesis.stateful import run_state_machine_as_test

        from atelier.bounties.models import Bounty
        from atelier.ledger import queries

        counts = {"runs": 0, "calls": 0, "crashes": 0, "twice": 0}
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
            f"{EXAMPLES * STEPS:,} steps in {counts['runs']} runs, {counts['calls']:,} acts on "
            f"{Bounty.objects.count():,} bounties, {counts['crashes']:,} crashes, "
            f"{counts['twice']:,} double clicks, {time.monotonic() - started:.0f} s"
        )
        print(f"verified {found.transfers:,} transfers: {found.differences} differences")
        if not found.ok:
            raise SystemExit(1)


if __name__ == "__main__":
    main()
