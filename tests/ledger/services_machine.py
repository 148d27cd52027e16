"""The books as a state machine: a model in plain Python beside the real ones, step by step.

Run by the tests for some thousand steps and by ``bench/ledger_machine.py`` for more, with crashes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from typing_extensions import override

from atelier.ledger import queries
from atelier.ledger import services as ledger
from atelier.ledger.errors import HoldResolved, InsufficientSparks, KeyReused, StakeSpent
from atelier.ledger.records import Kinds

if TYPE_CHECKING:
    from atelier.core.errors import DomainError

PEOPLE = 4
people = st.integers(min_value=0, max_value=PEOPLE - 1)
amounts = st.integers(min_value=1, max_value=400)
shares = st.integers(min_value=0, max_value=100)


@dataclass
class Purse:
    """Sparks by kind, spent in the order earned, income, bought."""

    earned: int = 0
    bought: int = 0
    income: int = 0

    @property
    def total(self) -> int:
        return self.earned + self.bought + self.income

    def take(self, amount: int) -> Purse:
        """Removes ``amount`` and answers what kinds it was."""
        earned = min(self.earned, amount)
        income = min(self.income, amount - earned)
        taken = Purse(earned, amount - earned - income, income)
        self.earned -= taken.earned
        self.bought -= taken.bought
        self.income -= taken.income
        return taken

    def put(self, other: Purse, *, converted: bool = False) -> None:
        """Adds; ``converted`` turns what was bought into income."""
        self.earned += other.earned
        self.bought += 0 if converted else other.bought
        self.income += other.income + (other.bought if converted else 0)

    def kinds(self) -> Kinds:
        return Kinds(self.earned, self.bought, self.income)


@dataclass
class Model:
    """What the books must say."""

    wallets: list[Purse] = field(default_factory=lambda: [Purse() for _ in range(PEOPLE)])
    stakes: dict[str, tuple[str, int, Purse]] = field(default_factory=dict)
    holds: dict[str, tuple[int, Purse]] = field(default_factory=dict)
    resolved: list[str] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    keys: int = 0


class Books(RuleBasedStateMachine):
    """Rules spend, stake, hold, settle and replay; invariants compare with the model."""

    user_ids: list[int]
    verify_every = 5  # adding everything up again costs as much as all that there is

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.steps = 0

    def open_books(self) -> list[int]:
        """The people of this run; whoever runs the machine makes them."""
        raise NotImplementedError

    @initialize()
    def start(self) -> None:
        self.user_ids = self.open_books()

    def call(self, verb: str, **order: Any) -> Any:
        """Carries out one movement; a subclass may have it crash and be tried again."""
        return getattr(ledger, verb)(**order)

    def key(self, what: str) -> str:
        self.model.keys += 1
        return f"{what}:{self.user_ids[0]}:{self.model.keys}"

    def move(self, verb: str, what: str, **order: Any) -> tuple[str, Any]:
        """A movement under a new key, remembered for replays."""
        key = self.key(what)
        order |= {"business_key": key, "reason": "machine"}
        answer = self.call(verb, **order)
        self.model.calls.append((verb, order))
        return key, answer

    def must_refuse(self, error: type[DomainError], verb: str, **order: Any) -> None:
        order.setdefault("business_key", self.key("refused"))
        try:
            self.call(verb, reason="machine", **order)
        except error:
            return
        message = f"{verb} {order} was not refused"
        raise AssertionError(message)

    @rule(person=people, amount=amounts, kind=st.sampled_from(["earned", "bought"]))
    def credit(self, person: int, amount: int, kind: str) -> None:
        self.move("credit", "credit", user_id=self.user_ids[person], amount=amount, kind=kind)
        self.model.wallets[person].put(Purse(**{kind: amount}))

    @rule(payer=people, step=st.integers(1, PEOPLE - 1), amount=amounts)
    def pay(self, payer: int, step: int, amount: int) -> None:
        payee = (payer + step) % PEOPLE
        order = {
            "payer_id": self.user_ids[payer], "payee_id": self.user_ids[payee], "amount": amount,
        }  # fmt: skip
        if self.model.wallets[payer].total < amount:
            self.must_refuse(InsufficientSparks, "pay", **order)
            return
        self.move("pay", "pay", **order)
        self.model.wallets[payee].put(self.model.wallets[payer].take(amount), converted=True)

    @rule(payer=people, amount=amounts, bounty=st.integers(1, 3))
    def fund(self, payer: int, amount: int, bounty: int) -> None:
        escrow = f"bounty:{self.user_ids[0]}:{bounty}"
        order = {"escrow": escrow, "payer_id": self.user_ids[payer], "amount": amount}
        if self.model.wallets[payer].total < amount:
            self.must_refuse(InsufficientSparks, "fund_escrow", **order)
            return
        key, _ = self.move("fund_escrow", "fund", **order)
        self.model.stakes[key] = (escrow, payer, self.model.wallets[payer].take(amount))

    @precondition(lambda self: self.model.stakes)
    @rule(data=st.data(), payee=people, share=shares)
    def award(self, data: st.DataObject, payee: int, share: int) -> None:
        stake = data.draw(st.sampled_from(sorted(self.model.stakes)))
        escrow, _, purse = self.model.stakes[stake]
        amount = max(1, purse.total * share // 100)
        order = {
            "escrow": escrow, "stake": stake, "payee_id": self.user_ids[payee], "amount": amount,
        }  # fmt: skip
        if purse.total < amount:
            self.must_refuse(StakeSpent, "pay_from_escrow", **order)
            return
        self.move("pay_from_escrow", "award", **order)
        self.model.wallets[payee].put(purse.take(amount), converted=True)

    @precondition(lambda self: self.model.stakes)
    @rule(data=st.data())
    def refund(self, data: st.DataObject) -> None:
        stake = data.draw(st.sampled_from(sorted(self.model.stakes)))
        escrow, owner, purse = self.model.stakes[stake]
        order = {
            "escrow": escrow, "payee_id": self.user_ids[owner], "funding_business_key": stake,
        }  # fmt: skip
        if not purse.total:
            self.must_refuse(StakeSpent, "refund_escrow", **order)
            return
        self.move("refund_escrow", "refund", **order)
        self.model.wallets[owner].put(purse.take(purse.total))

    @rule(person=people, amount=amounts)
    def hold(self, person: int, amount: int) -> None:
        order = {"user_id": self.user_ids[person], "amount": amount}
        if self.model.wallets[person].total < amount:
            self.must_refuse(InsufficientSparks, "place_hold", **order)
            return
        _, hold = self.move("place_hold", "hold", **order)
        self.model.holds[hold] = (person, self.model.wallets[person].take(amount))

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data(), share=shares)
    def settle(self, data: st.DataObject, share: int) -> None:
        hold = data.draw(st.sampled_from(sorted(self.model.holds)))
        person, purse = self.model.holds.pop(hold)
        capture = purse.total * share // 100
        self.move("settle_hold", "settle", hold_id=hold, capture=capture)
        purse.take(capture)
        self.model.wallets[person].put(purse)
        self.model.resolved.append(hold)

    @precondition(lambda self: self.model.resolved)
    @rule(data=st.data())
    def settle_again(self, data: st.DataObject) -> None:
        hold = data.draw(st.sampled_from(self.model.resolved))
        self.must_refuse(HoldResolved, "settle_hold", hold_id=hold, capture=0)

    @precondition(lambda self: self.model.calls)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        verb, order = data.draw(st.sampled_from(self.model.calls))
        self.call(verb, **order)

    @precondition(lambda self: self.model.calls)
    @rule(data=st.data(), person=people)
    def reuse_key(self, data: st.DataObject, person: int) -> None:
        _, order = data.draw(st.sampled_from(self.model.calls))
        self.must_refuse(
            KeyReused,
            "reward",
            user_id=self.user_ids[person],
            amount=401,
            business_key=order["business_key"],
        )

    @invariant()
    def wallets_agree(self) -> None:
        if not hasattr(self, "user_ids"):
            return
        for person, purse in enumerate(self.model.wallets):
            found = queries.wallet(user_id=self.user_ids[person])
            held = sum(held.total for owner, held in self.model.holds.values() if owner == person)
            assert Kinds(found.earned, found.bought, found.income) == purse.kinds()
            assert (found.available, found.held) == (purse.total, held)
            assert min(found.earned, found.bought, found.income) >= 0

    @invariant()
    def escrows_equal_their_stakes(self) -> None:
        escrows: dict[str, int] = {}
        for key, (escrow, _, purse) in self.model.stakes.items():
            escrows[escrow] = escrows.get(escrow, 0) + purse.total
            found = {s.funding_business_key: s.remaining for s in queries.stakes(escrow=escrow)}
            assert found[key] == purse.kinds()
        for escrow, total in escrows.items():
            assert queries.escrow_balance(escrow=escrow) == total

    @invariant()
    def everything_adds_up(self) -> None:
        self.steps += 1
        if self.steps % self.verify_every == 0:
            assert queries.verify().findings == ()

    @override
    def teardown(self) -> None:
        assert queries.verify().findings == ()
