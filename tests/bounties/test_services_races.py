"""Real threads on real connections: what arrives together happens one after the other."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from tests.factories import accounts
from tests.factories import bounties as make
from tests.factories import ledger as sparks

from atelier.bounties import services
from atelier.bounties.errors import AlreadyAwarded, TooManyOpen
from atelier.bounties.models import Bounty, Contribution, Entry
from atelier.catalog.models import ModelVersion
from atelier.core import clock
from atelier.core.errors import DomainError, Duplicate
from atelier.ledger import queries as ledger
from atelier.ledger.errors import InsufficientSparks

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db(transaction=True)
NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


def together(*acts: Callable[[], object], at: dt.datetime | None = None) -> list[object]:
    """What each act got, all let go at once, each on its own connection."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        try:
            connection.ensure_connection()
            gate.wait()
            if at is None:
                return act()
            with clock.frozen(at):
                return act()
        except Exception as problem:  # noqa: BLE001 -- refusals are answers here
            return problem
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def refusals(results: list[object]) -> list[Exception]:
    """Those that were refused; anything but a refusal is a fault."""
    found = [result for result in results if isinstance(result, Exception)]
    assert all(isinstance(problem, DomainError) for problem in found), found
    return found


def books_agree() -> None:
    for bounty in Bounty.objects.all():
        assert ledger.escrow_balance(escrow=bounty.escrow_key) == bounty.escrow_sparks
    assert ledger.verify().findings == ()


def test_two_awards_at_once_pay_one() -> None:
    bounty = make.bounty()
    entries = [make.entry(bounty, seed=seed) for seed in range(2)]

    results = together(
        *(
            lambda entry=entry: services.award(
                bounty_id=bounty.id, entry_id=entry.id, actor=bounty.owner
            )
            for entry in entries * 4
        )
    )

    problems = refusals(results)
    assert len(problems) == 7
    assert {type(problem) for problem in problems} == {AlreadyAwarded}
    got = sorted(ledger.available(user_id=entry.maker_id) for entry in entries)
    assert got == [0, 1500]
    assert ModelVersion.objects.filter(status="published").count() == 1
    books_agree()


def test_an_award_and_the_end_of_judging_pay_or_refund_never_both() -> None:
    for number in range(6):
        with clock.frozen(NOW):
            bounty = make.bounty(kind="images")
            entry = make.entry(bounty)
        end = bounty.deadline + dt.timedelta(hours=48)
        with clock.frozen(bounty.deadline):
            services.tick(bounty_id=bounty.id)

        def award(bounty: Bounty = bounty, entry: Entry = entry, end: dt.datetime = end) -> object:
            with clock.frozen(end - dt.timedelta(seconds=1)):
                return services.award(bounty_id=bounty.id, entry_id=entry.id, actor=bounty.owner)

        def expire(bounty: Bounty = bounty, end: dt.datetime = end) -> object:
            with clock.frozen(end):
                return services.tick(bounty_id=bounty.id)

        refusals(together(award, expire) if number % 2 else together(expire, award))

        bounty.refresh_from_db()
        paid = ledger.available(user_id=entry.maker_id)
        back = ledger.available(user_id=bounty.owner_id)
        assert (bounty.status, paid, back) in {
            ("awarded", 1500, 0),
            ("refunded", 0, 1500),
        }
    books_agree()


def test_a_contribution_and_the_deadline_leave_nothing_behind() -> None:
    for _ in range(4):
        with clock.frozen(NOW):
            bounty = make.bounty()
        bob = accounts.user()
        sparks.earned(bob.pk, 100)

        def contribute(bounty: Bounty = bounty, bob: object = bob) -> object:
            with clock.frozen(bounty.deadline - dt.timedelta(seconds=1)):
                return services.contribute(
                    bounty_id=bounty.id,
                    contributor=bob,  # type: ignore[arg-type]
                    amount=100,
                )

        def expire(bounty: Bounty = bounty) -> object:
            with clock.frozen(bounty.deadline):
                return services.tick(bounty_id=bounty.id)

        refusals(together(contribute, expire))

        bounty.refresh_from_db()
        assert (bounty.status, bounty.escrow_sparks) == ("refunded", 0)
        assert ledger.available(user_id=bob.pk) == 100
        assert ledger.available(user_id=bounty.owner_id) == 1500
    books_agree()


def test_a_double_click_opens_what_the_wallet_holds() -> None:
    ada = accounts.user("ada")
    sparks.earned(ada.pk, 3200)

    results = together(*(lambda: make.bounty(ada, funded=False) for _ in range(6)))

    assert [type(problem) for problem in refusals(results)] == [InsufficientSparks] * 4
    assert Bounty.objects.count() == 2
    assert ledger.available(user_id=ada.pk) == 200
    books_agree()


def test_a_newcomers_double_click_opens_one() -> None:
    ada = accounts.user("ada")
    ada.created_by_operator = False
    ada.save()
    sparks.earned(ada.pk, 9000)

    results = together(*(lambda: make.bounty(ada, funded=False) for _ in range(4)))

    assert [type(problem) for problem in refusals(results)] == [TooManyOpen] * 3
    assert Bounty.objects.count() == 1


def test_one_stake_is_given_once() -> None:
    bounty, bob = make.bounty(kind="images"), accounts.user("bob")
    stake = make.contribution(bounty, bob, judge="self")
    entries = [make.entry(bounty, seed=seed) for seed in range(2)]

    results = together(
        *(
            lambda entry=entry: services.give(
                bounty_id=bounty.id, contribution_id=stake.id, entry_id=entry.id, actor=bob
            )
            for entry in entries * 2
        )
    )

    assert len(refusals(results)) == 3
    assert sum(ledger.available(user_id=entry.maker_id) for entry in entries) == 200
    assert Contribution.objects.get(pk=stake.id).status == "paid"
    books_agree()


def test_cancelling_and_entering_agree_on_who_was_first() -> None:
    maker = accounts.user("maker")
    shown = make.picture(maker).id
    for _ in range(4):
        bounty = make.bounty(kind="images")

        results = together(
            lambda bounty=bounty: services.cancel(bounty_id=bounty.id, actor=bounty.owner),
            lambda bounty=bounty: services.enter(
                bounty_id=bounty.id, maker=maker, image_ids=[shown]
            ),
        )

        assert len(refusals(results)) == 1
        bounty.refresh_from_db()
        entered = bounty.entries.exists()
        assert (bounty.status, bounty.escrow_sparks) == (
            ("open", 1500) if entered else ("cancelled", 0)
        )
    books_agree()


def test_a_version_offered_twice_at_once_is_offered_once() -> None:
    first, second = make.bounty(), make.bounty()
    entry = make.entry(first)
    services.withdraw(bounty_id=first.id, entry_id=entry.id, actor=entry.maker)

    results = together(
        *(
            lambda bounty=bounty: services.enter(
                bounty_id=bounty.id, maker=entry.maker, version=entry.version_id
            )
            for bounty in (first, second)
        )
    )

    assert [type(problem) for problem in refusals(results)] == [Duplicate]
    assert Entry.objects.filter(status="submitted").count() == 1


def test_many_payers_and_makers_do_not_wait_in_a_ring() -> None:
    people = [accounts.user() for _ in range(4)]
    bounties = []
    for number, owner in enumerate(people):
        bounty = make.bounty(owner, kind="images")
        for other in (people[(number + 1) % 4], people[(number + 2) % 4]):
            make.contribution(bounty, other)
        make.entry(bounty, people[(number + 3) % 4])
        bounties.append(bounty)

    results = together(
        *(
            lambda bounty=bounty: services.award(
                bounty_id=bounty.id,
                entry_id=bounty.entries.get().id,
                actor=bounty.owner,
            )
            for bounty in bounties
        )
    )

    assert refusals(results) == []
    assert {bounty.status for bounty in Bounty.objects.all()} == {"awarded"}
    assert {ledger.available(user_id=person.pk) for person in people} == {1900}
    books_agree()
