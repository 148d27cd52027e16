from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from tests.factories import accounts as make
from tests.factories import ledger as sparks

from atelier.core import clock
from atelier.core.errors import Invalid, NotFound
from atelier.ledger import queries
from atelier.ledger import services as ledger
from atelier.ledger.errors import HoldResolved, InsufficientSparks, KeyReused, StakeSpent
from atelier.ledger.models import Account, Posting, Transfer
from atelier.ledger.records import Kinds, Subject, Wallet

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db
ESCROW = "bounty:bty_1"


@pytest.fixture
def ada() -> int:
    return make.user("ada").pk


@pytest.fixture
def bob() -> int:
    return make.user("bob").pk


def wallet(user_id: int) -> tuple[int, int, int, int]:
    """Held, earned, bought, income."""
    found = queries.wallet(user_id=user_id)
    assert found.available == found.earned + found.bought + found.income
    return (found.held, found.earned, found.bought, found.income)


def books() -> tuple[int, int, int]:
    """What exists, to show that a refusal left nothing behind."""
    return (Account.objects.count(), Transfer.objects.count(), Posting.objects.count())


def refused(error: type[Exception], action: Callable[[], Any]) -> None:
    before = books()
    with pytest.raises(error):
        action()
    assert books() == before
    assert queries.verify().findings == ()


def test_a_wallet_starts_empty_and_opens_once(ada: int) -> None:
    assert queries.wallet(user_id=ada) == Wallet(0, 0, 0, 0, 0)
    ledger.open_wallet(user_id=ada)
    ledger.open_wallet(user_id=ada)
    assert queries.wallet(user_id=ada) == Wallet(0, 0, 0, 0, 0)
    assert Account.objects.filter(user=ada).count() == 1


def test_a_reward_is_earned(ada: int) -> None:
    noon = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    with clock.frozen(noon):
        seen = ledger.reward(
            user_id=ada,
            amount=25,
            reason="Daily",
            business_key="daily:1",
            subject=Subject("user", "7"),
        )
    assert (seen.amount, seen.kinds, seen.reason) == (25, Kinds(earned=25), "Daily")
    assert (seen.subject, seen.counterparty_id) == (Subject("user", "7"), None)
    assert seen.created_at == noon
    assert wallet(ada) == (0, 25, 0, 0)


def test_operator_credit_is_earned_or_bought_never_income(ada: int) -> None:
    for kind in ("earned", "bought"):
        ledger.credit(user_id=ada, amount=10, kind=kind, reason="x", business_key=kind)
    assert wallet(ada) == (0, 10, 10, 0)
    refused(
        Invalid,
        lambda: ledger.credit(
            user_id=ada, amount=10, kind="income", reason="x", business_key="income"
        ),
    )


def test_spending_takes_earned_then_income_then_bought(ada: int, bob: int) -> None:
    sparks.income(ada, 20, payer_id=bob)
    sparks.earned(ada, 10)
    sparks.bought(ada, 30)
    steps = [(5, (0, 5, 30, 20)), (15, (0, 0, 30, 10)), (25, (0, 0, 15, 0)), (15, (0, 0, 0, 0))]
    for amount, left in steps:
        ledger.pay(payer_id=ada, payee_id=bob, amount=amount, reason="x", business_key=sparks.key())
        assert wallet(ada) == left


def test_earned_stays_earned_and_the_rest_arrives_as_income(ada: int, bob: int) -> None:
    sparks.earned(ada, 10)
    sparks.income(ada, 20, payer_id=bob)
    sparks.bought(ada, 30)
    seen = ledger.pay(payer_id=ada, payee_id=bob, amount=45, reason="Tip", business_key="tip:1")
    assert (seen.amount, seen.kinds) == (-45, Kinds(earned=-10, income=-20, bought=-15))
    assert seen.counterparty_id == bob
    assert wallet(bob) == (0, 10, 0, 35)
    assert wallet(ada) == (0, 0, 15, 0)


def test_more_than_there_is_moves_nothing(ada: int, bob: int) -> None:
    sparks.earned(ada, 10)
    ledger.open_wallet(user_id=bob)
    for spend in (
        lambda: ledger.pay(payer_id=ada, payee_id=bob, amount=11, reason="x", business_key="a"),
        lambda: ledger.place_hold(user_id=ada, amount=11, reason="x", business_key="b"),
        lambda: ledger.fund_escrow(
            escrow=ESCROW, payer_id=ada, amount=11, reason="x", business_key="c"
        ),
    ):
        refused(InsufficientSparks, spend)
    assert wallet(ada) == (0, 10, 0, 0)
    # The refused keys are still free.
    ledger.pay(payer_id=ada, payee_id=bob, amount=10, reason="x", business_key="a")
    assert wallet(bob) == (0, 10, 0, 0)


@pytest.mark.parametrize("amount", [0, -5, 10**12 + 1])
def test_amounts_are_positive(ada: int, bob: int, amount: int) -> None:
    sparks.bought(ada, 10)
    refused(
        Invalid,
        lambda: ledger.pay(payer_id=ada, payee_id=bob, amount=amount, reason="x", business_key="k"),
    )


def test_nobody_pays_themselves_and_every_movement_has_a_reason(ada: int, bob: int) -> None:
    sparks.bought(ada, 10)
    for fields in (
        {"payee_id": ada},
        {"reason": " "},
        {"reason": "x" * 201},
        {"business_key": ""},
        {"business_key": "x" * 201},
    ):
        order = {
            "payer_id": ada, "payee_id": bob, "amount": 5, "reason": "x", "business_key": "k",
        } | fields  # fmt: skip
        refused(Invalid, lambda order=order: ledger.pay(**order))  # type: ignore[misc]


def test_a_replay_answers_the_first_transfer(ada: int, bob: int) -> None:
    sparks.bought(ada, 10)
    first = ledger.pay(payer_id=ada, payee_id=bob, amount=10, reason="x", business_key="k")
    before = books()
    assert ledger.pay(payer_id=ada, payee_id=bob, amount=10, reason="x", business_key="k") == first
    assert books() == before
    assert wallet(bob) == (0, 0, 0, 10)


def test_a_key_with_other_parties_or_amounts_is_refused(ada: int, bob: int) -> None:
    eve = make.user("eve").pk
    sparks.bought(ada, 10)
    sparks.bought(bob, 10)
    ledger.open_wallet(user_id=eve)
    ledger.pay(payer_id=ada, payee_id=bob, amount=5, reason="x", business_key="k")
    for action in (
        lambda: ledger.pay(payer_id=ada, payee_id=bob, amount=4, reason="x", business_key="k"),
        lambda: ledger.pay(payer_id=ada, payee_id=eve, amount=5, reason="x", business_key="k"),
        lambda: ledger.pay(payer_id=bob, payee_id=ada, amount=5, reason="x", business_key="k"),
        lambda: ledger.place_hold(user_id=ada, amount=5, reason="x", business_key="k"),
        lambda: ledger.reward(user_id=bob, amount=5, reason="x", business_key="k"),
        lambda: ledger.fund_escrow(
            escrow=ESCROW, payer_id=ada, amount=5, reason="x", business_key="k"
        ),
    ):
        refused(KeyReused, action)
    assert wallet(ada) == (0, 0, 5, 0)


def test_a_hold_sets_aside_and_settling_captures_a_part(ada: int, bob: int) -> None:
    sparks.earned(ada, 10)
    sparks.income(ada, 10, payer_id=bob)
    sparks.bought(ada, 10)
    hold = ledger.place_hold(
        user_id=ada, amount=25, reason="Job", business_key="job:1", subject=Subject("training", "t")
    )
    assert hold.startswith("hld_")
    assert wallet(ada) == (25, 0, 5, 0)
    assert [(view.reason, amount) for view, amount in queries.open_holds(user_id=ada)] == [
        ("Job", 25)
    ]

    seen = ledger.settle_hold(hold_id=hold, capture=12, reason="Job done", business_key="job:1:end")

    # The site keeps 10 earned and 2 income; 8 income and 5 bought come back as what they were.
    assert (seen.amount, seen.kinds) == (13, Kinds(income=8, bought=5))
    assert wallet(ada) == (0, 0, 10, 8)
    assert queries.open_holds(user_id=ada) == []


@pytest.mark.parametrize(("capture", "left"), [(0, (0, 10, 5, 0)), (15, (0, 0, 0, 0))])
def test_a_hold_can_be_released_or_captured_whole(
    ada: int, capture: int, left: tuple[int, int, int, int]
) -> None:
    sparks.earned(ada, 10)
    sparks.bought(ada, 5)
    hold = ledger.place_hold(user_id=ada, amount=15, reason="Job", business_key="job:1")
    seen = ledger.settle_hold(hold_id=hold, capture=capture, reason="End", business_key="end")
    assert seen.amount == 15 - capture
    assert wallet(ada) == left
    assert queries.verify().ok


def test_a_hold_resolves_once(ada: int) -> None:
    sparks.earned(ada, 20)
    hold = ledger.place_hold(user_id=ada, amount=10, reason="Job", business_key="job:1")
    assert ledger.place_hold(user_id=ada, amount=10, reason="Job", business_key="job:1") == hold
    assert wallet(ada) == (10, 10, 0, 0)
    refused(
        Invalid,
        lambda: ledger.settle_hold(hold_id=hold, capture=11, reason="x", business_key="end:0"),
    )
    first = ledger.settle_hold(hold_id=hold, capture=4, reason="x", business_key="end:1")
    assert ledger.settle_hold(hold_id=hold, capture=4, reason="x", business_key="end:1") == first
    refused(
        HoldResolved,
        lambda: ledger.settle_hold(hold_id=hold, capture=0, reason="x", business_key="end:2"),
    )
    refused(
        KeyReused,
        lambda: ledger.settle_hold(hold_id=hold, capture=0, reason="x", business_key="end:1"),
    )
    refused(
        NotFound,
        lambda: ledger.settle_hold(hold_id="hld_no", capture=0, reason="x", business_key="end:3"),
    )
    assert wallet(ada) == (0, 16, 0, 0)


def fund(payer_id: int, amount: int, key: str) -> None:
    ledger.fund_escrow(
        escrow=ESCROW, payer_id=payer_id, amount=amount, reason="Stake", business_key=key
    )


def test_an_escrow_is_neither_available_nor_held(ada: int, bob: int) -> None:
    sparks.earned(ada, 10)
    sparks.bought(ada, 10)
    sparks.bought(bob, 10)
    fund(ada, 15, "stake:a")
    fund(bob, 10, "stake:b")
    assert wallet(ada) == (0, 0, 5, 0)
    assert queries.escrow_balance(escrow=ESCROW) == 25
    assert [
        (stake.funding_business_key, stake.user_id, stake.funded, stake.remaining)
        for stake in queries.stakes(escrow=ESCROW)
    ] == [("stake:a", ada, 15, Kinds(earned=10, bought=5)), ("stake:b", bob, 10, Kinds(bought=10))]
    assert queries.escrow_balance(escrow="bounty:other") == 0
    assert queries.escrow_balance(escrow="") == 0


def test_a_refund_gives_back_exactly_the_kinds_taken_and_once(ada: int, bob: int) -> None:
    sparks.earned(ada, 10)
    sparks.income(ada, 5, payer_id=bob)
    sparks.bought(ada, 10)
    fund(ada, 20, "stake:a")
    assert wallet(ada) == (0, 0, 5, 0)
    sparks.earned(ada, 1)

    def refund(key: str, payee_id: int = ada, escrow: str = ESCROW) -> Any:
        return ledger.refund_escrow(
            escrow=escrow,
            payee_id=payee_id,
            funding_business_key="stake:a",
            reason="Back",
            business_key=key,
        )

    refused(NotFound, lambda: refund("r", payee_id=bob))
    refused(NotFound, lambda: refund("r", escrow="bounty:other"))
    first = refund("refund:a")
    assert (first.amount, first.kinds) == (20, Kinds(earned=10, income=5, bought=5))
    assert refund("refund:a") == first
    refused(StakeSpent, lambda: refund("refund:again"))
    assert wallet(ada) == (0, 11, 10, 5)
    assert queries.escrow_balance(escrow=ESCROW) == 0


def test_a_payment_out_of_a_stake_converts_and_spends_it_once(ada: int, bob: int) -> None:
    sparks.earned(ada, 10)
    sparks.bought(ada, 10)
    fund(ada, 20, "stake:a")

    def release(key: str, amount: int | None) -> Any:
        return ledger.pay_from_escrow(
            escrow=ESCROW, stake="stake:a", payee_id=bob, amount=amount, reason="Award",
            business_key=key, subject=Subject("bounty", "bty_1"),
        )  # fmt: skip

    refused(StakeSpent, lambda: release("award:0", 21))
    part = release("award:1", 12)
    assert (part.amount, part.kinds, part.counterparty_id) == (12, Kinds(earned=10, income=2), ada)
    rest = release("award:2", None)
    assert (rest.amount, rest.kinds) == (8, Kinds(income=8))
    assert release("award:2", None) == rest
    refused(StakeSpent, lambda: release("award:3", None))
    refused(StakeSpent, lambda: release("award:4", 1))
    refused(
        StakeSpent,
        lambda: ledger.refund_escrow(
            escrow=ESCROW,
            payee_id=ada,
            funding_business_key="stake:a",
            reason="x",
            business_key="r",
        ),
    )
    assert wallet(bob) == (0, 10, 0, 10)
    assert wallet(ada) == (0, 0, 0, 0)


def test_what_is_left_after_a_part_was_paid_goes_back(ada: int, bob: int) -> None:
    sparks.earned(ada, 10)
    sparks.bought(ada, 10)
    fund(ada, 20, "stake:a")
    ledger.pay_from_escrow(
        escrow=ESCROW, stake="stake:a", payee_id=bob, amount=15, reason="x", business_key="p"
    )
    back = ledger.refund_escrow(
        escrow=ESCROW, payee_id=ada, funding_business_key="stake:a", reason="x", business_key="r"
    )
    assert (back.amount, back.kinds) == (5, Kinds(bought=5))
    assert wallet(bob) == (0, 10, 0, 5)


def test_the_history_is_paged_newest_first_and_filtered(ada: int, bob: int) -> None:
    for number in range(1, 6):
        ledger.reward(user_id=ada, amount=number, reason=f"r{number}", business_key=f"r{number}")
    ledger.pay(payer_id=ada, payee_id=bob, amount=3, reason="Tip", business_key="tip")
    first = queries.transfers(user_id=ada, limit=4)
    assert [(view.reason, view.amount) for view in first.items] == [
        ("Tip", -3), ("r5", 5), ("r4", 4), ("r3", 3),
    ]  # fmt: skip
    second = queries.transfers(user_id=ada, limit=4, after=first.next)
    assert [view.reason for view in second.items] == ["r2", "r1"]
    assert second.next is None
    assert [v.reason for v in queries.transfers(user_id=ada, direction="out").items] == ["Tip"]
    assert len(queries.transfers(user_id=ada, direction="in").items) == 5
    assert [v.amount for v in queries.transfers(user_id=bob).items] == [3]


def test_the_story_of_a_movement_is_for_those_it_concerns(ada: int, bob: int) -> None:
    eve = make.user("eve").pk
    sparks.bought(ada, 20)
    fund(ada, 20, "stake:a")
    paid = ledger.pay_from_escrow(
        escrow=ESCROW, stake="stake:a", payee_id=bob, reason="Award", business_key="award",
        actor=ada,
    )  # fmt: skip
    for_bob = queries.story(user_id=bob, transfer_id=paid.id)
    assert [(line.place, line.user_id, line.amount) for line in for_bob.postings] == [
        ("stake", ada, -20),
        ("wallet", bob, 20),
    ]
    assert for_bob.actor_id == ada
    # The owner of the stake may follow it, though it passed the wallet by.
    assert queries.story(user_id=ada, transfer_id=paid.id).transfer.amount == 0
    with pytest.raises(NotFound):
        queries.story(user_id=eve, transfer_id=paid.id)


def test_wallets_lock_in_the_order_of_the_books(ada: int, bob: int) -> None:
    ledger.lock_wallets(user_ids=[bob, ada, bob])
    assert wallet(ada) == wallet(bob) == (0, 0, 0, 0)
    assert queries.verify().ok


def test_verification_counts_transfers(ada: int, bob: int) -> None:
    before = queries.verify()
    assert (before.ok, before.differences, before.transfers) == (True, 0, 0)
    sparks.income(ada, 5, payer_id=bob)
    after = queries.verify()
    assert (after.ok, after.differences, after.transfers, after.findings) == (True, 0, 2, ())
