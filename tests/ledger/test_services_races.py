"""Real threads on real connections."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import pytest
from django.db import connection
from tests.factories import accounts as make
from tests.factories import ledger as sparks

from atelier.ledger import queries
from atelier.ledger import services as ledger
from atelier.ledger.errors import HoldResolved, InsufficientSparks, StakeSpent
from atelier.ledger.models import Transfer

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db(transaction=True)
T = TypeVar("T")
THREADS = 32


def together(action: Callable[[int], T], threads: int = THREADS) -> list[T | Exception]:
    """What each thread got, all let go at once."""
    gate = threading.Barrier(threads)

    def run(number: int) -> T | Exception:
        try:
            connection.ensure_connection()
            gate.wait()
            return action(number)
        except Exception as problem:  # noqa: BLE001 -- refusals are answers here
            return problem
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def test_exactly_the_affordable_number_wins() -> None:
    ada, bob = make.user("ada").pk, make.user("bob").pk
    sparks.earned(ada, 50)
    sparks.bought(ada, 57)  # 107 buys ten at 10 each

    results = together(
        lambda number: ledger.pay(
            payer_id=ada, payee_id=bob, amount=10, reason="x", business_key=f"k{number}"
        )
    )

    assert sum(isinstance(result, InsufficientSparks) for result in results) == THREADS - 10
    assert sum(not isinstance(result, Exception) for result in results) == 10
    left = queries.wallet(user_id=ada)
    assert (left.available, left.earned, left.bought) == (7, 0, 7)
    got = queries.wallet(user_id=bob)
    assert (got.earned, got.income) == (50, 50)
    assert queries.verify().ok


def test_one_key_is_one_transfer() -> None:
    ada, bob = make.user("ada").pk, make.user("bob").pk
    sparks.bought(ada, 1000)
    before = Transfer.objects.count()

    results = together(
        lambda number: ledger.pay(
            payer_id=ada, payee_id=bob, amount=10, reason="x", business_key="k"
        )
    )

    assert len({result.id for result in results if not isinstance(result, Exception)}) == 1
    assert not [result for result in results if isinstance(result, Exception)]
    assert Transfer.objects.count() == before + 1
    assert queries.wallet(user_id=bob).available == 10


def test_one_reward_key_is_one_reward_and_one_wallet() -> None:
    ada = make.user("ada").pk
    results = together(
        lambda number: ledger.reward(user_id=ada, amount=25, reason="Daily", business_key="daily")
    )
    assert not [result for result in results if isinstance(result, Exception)]
    assert queries.wallet(user_id=ada).available == 25
    assert queries.verify().transfers == 1


def test_one_key_for_two_payers_is_one_transfer() -> None:
    people = [make.user(f"payer_{number}").pk for number in range(8)]
    bob = make.user("bob").pk
    for person in people:
        sparks.bought(person, 10)
    results = together(
        lambda number: ledger.fund_escrow(
            escrow="e", payer_id=people[number], amount=10, reason="x", business_key="k"
        ),
        threads=8,
    )
    assert sum(isinstance(result, Exception) for result in results) == 7
    assert queries.escrow_balance(escrow="e") == 10
    assert sum(queries.wallet(user_id=person).available for person in people) == 70
    assert queries.wallet(user_id=bob).available == 0
    assert queries.verify().ok


def test_a_hold_is_settled_by_one_of_many() -> None:
    ada = make.user("ada").pk
    sparks.earned(ada, 100)
    hold = ledger.place_hold(user_id=ada, amount=100, reason="x", business_key="h")
    results = together(
        lambda number: ledger.settle_hold(
            hold_id=hold, capture=number, reason="x", business_key=f"end{number}"
        )
    )
    winners = [number for number, result in enumerate(results) if not isinstance(result, Exception)]
    assert sum(isinstance(result, HoldResolved) for result in results) == THREADS - 1
    assert queries.wallet(user_id=ada).available == 100 - winners[0]
    assert queries.verify().ok


def test_a_stake_is_paid_or_refunded_never_both() -> None:
    ada, bob = make.user("ada").pk, make.user("bob").pk
    sparks.bought(ada, 30)
    ledger.fund_escrow(escrow="e", payer_id=ada, amount=30, reason="x", business_key="s")

    def settle(number: int) -> object:
        if number % 2:
            return ledger.pay_from_escrow(
                escrow="e", stake="s", payee_id=bob, reason="x", business_key=f"p{number}"
            )
        return ledger.refund_escrow(
            escrow="e", payee_id=ada, funding_business_key="s", reason="x",
            business_key=f"r{number}",
        )  # fmt: skip

    results = together(settle)
    assert sum(isinstance(result, StakeSpent) for result in results) == THREADS - 1
    assert queries.wallet(user_id=ada).bought + queries.wallet(user_id=bob).income == 30
    assert queries.escrow_balance(escrow="e") == 0
    assert queries.verify().ok


def test_people_who_pay_each_other_never_wait_in_a_ring() -> None:
    people = [make.user(f"person_{letter}").pk for letter in "abcd"]
    for person in people:
        sparks.bought(person, 1000)

    def pay(number: int) -> object:
        payer = people[number % 4]
        payee = people[(number + 1 + number // 4 % 3) % 4]
        return [
            ledger.pay(
                payer_id=payer, payee_id=payee, amount=1, reason="x",
                business_key=f"{number}:{turn}",
            )
            for turn in range(5)
        ]  # fmt: skip

    results = together(pay)
    assert not [result for result in results if isinstance(result, Exception)]
    assert sum(queries.wallet(user_id=person).available for person in people) == 4000
    assert queries.verify().ok
