"""Bounties and books as a state machine: a model in plain Python beside the real ones.

Run by the tests for some thousand steps and by ``bench/bounty_machine.py`` for more, with crashes.
Amounts are compared in total; the ledger's own machine compares the kinds of Sparks.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Sum
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from atelier.bounties import services
from atelier.bounties.models import Bounty, Contribution, Entry
from atelier.bounties.rules import FINAL, Status
from atelier.core import clock
from atelier.core.errors import DomainError
from atelier.ledger import queries as ledger
from atelier.ledger import services as sparks

if TYPE_CHECKING:
    from atelier.accounts.models import User

PEOPLE = 5
START = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
PURSE = 2500
FREEZABLE = (Status.DISPUTED, Status.AWARDED, Status.JUDGING, Status.OPEN)
people = st.integers(min_value=0, max_value=PEOPLE - 1)
choices = st.integers(min_value=0, max_value=10_000)
DOUBTFUL = "I love @silver_fox_arts. A fox in that spirit."


@dataclass
class World:
    """Who takes part: five people with a picture each, and two members of staff."""

    people: list[User]
    pictures: list[str]
    staff: User


@dataclass
class Model:
    """What the totals must be: Sparks in wallets, and stakes in escrow by bounty."""

    given_out: int = 0
    stakes: dict[str, dict[str, int]] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)


class Bounties(RuleBasedStateMachine):
    """Rules act as people, staff and time; invariants compare bounties, stakes and books."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.model = Model()
        self.states: Counter[str] = Counter()

    def open_world(self) -> World:
        """The people of this run; whoever runs the machine makes them."""
        raise NotImplementedError

    def check_deferred(self) -> None:
        """Has the database check what it checks at commit; for runs that never commit."""

    def call(self, verb: str, **arguments: Any) -> Any:
        """Carries out one act; a subclass may have it crash, or arrive twice at once."""
        return getattr(services, verb)(**arguments)

    def try_to(self, verb: str, **arguments: Any) -> Any:
        """The answer, or ``None`` for a refusal: which of the two is right, the invariants know."""
        with clock.frozen(self.now):
            try:
                return self.call(verb, **arguments)
            except DomainError:
                return None

    @initialize()
    def start(self) -> None:
        self.prepare()

    def prepare(self) -> None:
        """People with Sparks, and bounties in several states; a subclass may have them already."""
        with clock.frozen(self.now):
            self.world = self.open_world()
            for person in self.world.people:
                sparks.credit(
                    user_id=person.pk,
                    amount=PURSE,
                    kind="bought",
                    reason="machine",
                    business_key=f"machine:{person.pk}",
                )
                self.model.given_out += PURSE
        self.begin(0, days=2)
        self.begin(1, days=3, rule="split_shortlist")
        self.begin(2, days=1, rule="split_shortlist")
        self.begin(3, days=4, is_bare=True)
        self.begin(4, days=2, is_bare=True, description=DOUBTFUL)
        self.now += 25 * HOUR
        self.try_to("sweep")

    def begin(self, number: int, *, days: int, is_bare: bool = False, **fields: Any) -> None:
        """A bounty, with two entries and two backers unless it is bare."""
        bounty = self.try_to(
            "create",
            **{
                "owner": self.person(number),
                "title": "A fox in a scarf",
                "description": "Drawn, orange, friendly.",
                "kind": "images",
                "amount": 600,
                "deadline": self.now + days * 24 * HOUR,
                **fields,
            },
        )
        assert bounty is not None
        for step, judge in ((1, "self"), (2, "creator")) if not is_bare else ():
            self.try_to(
                "contribute",
                bounty_id=bounty.id,
                contributor=self.person((number + step) % PEOPLE),
                amount=100,
                judge=judge,
            )
        for step in (3, 4) if not is_bare else ():
            maker = (number + step) % PEOPLE
            self.try_to(
                "enter",
                bounty_id=bounty.id,
                maker=self.person(maker),
                image_ids=[self.world.pictures[maker]],
            )

    def has(self, *statuses: str) -> bool:
        """Whether some bounty was in one of these states after the last step."""
        return any(self.states[status] for status in statuses)

    def person(self, number: int) -> User:
        return self.world.people[number]

    def pick(self, choice: int, *statuses: str) -> Bounty | None:
        """Some bounty, preferably in one of these states."""
        rows = Bounty.objects.filter(owner__in=self.world.people).order_by("id")
        wanted = list(rows.filter(status__in=statuses)) if statuses else []
        found = wanted or list(rows)
        return found[choice % len(found)] if found else None

    def pick_entry(self, bounty: Bounty, choice: int) -> Entry | None:
        found = list(bounty.entries.order_by("id"))
        return found[choice % len(found)] if found else None

    @rule(
        owner=people,
        amount=st.integers(400, 1500),
        days=st.integers(1, 5),
        splits=st.booleans(),
        is_doubtful=st.sampled_from([False, False, False, True]),
    )
    def create(self, owner: int, amount: int, days: int, splits: bool, is_doubtful: bool) -> None:
        made = self.try_to(
            "create",
            owner=self.person(owner),
            title="A fox in a scarf",
            description=DOUBTFUL if is_doubtful else "Drawn, orange, friendly.",
            kind="images",
            amount=amount,
            deadline=self.now + days * 24 * HOUR,
            rule="split_shortlist" if splits else "refund",
        )
        if amount < 500:
            assert made is None
        if made is not None:
            assert made.status == ("screening" if is_doubtful else "open")

    @precondition(lambda self: self.has(Status.SCREENING))
    @rule(choice=choices, opens=st.booleans())
    def review(self, choice: int, opens: bool) -> None:
        bounty = self.pick(choice, Status.SCREENING)
        if bounty is None:
            return
        if opens:
            self.try_to("open_screened", bounty_id=bounty.id, actor=self.world.staff)
        else:
            self.try_to(
                "refuse_screened", bounty_id=bounty.id, actor=self.world.staff, reason="No."
            )

    @precondition(lambda self: self.has(Status.OPEN))
    @rule(
        choice=choices,
        who=people,
        amount=st.integers(30, 400),
        judge=st.sampled_from(["creator", "self"]),
        times=st.integers(1, 2),
    )
    def contribute(self, choice: int, who: int, amount: int, judge: str, times: int) -> None:
        bounty = self.pick(choice, Status.OPEN)
        for _ in range(times if bounty else 0):
            assert bounty is not None
            self.try_to(
                "contribute",
                bounty_id=bounty.id,
                contributor=self.person(who),
                amount=amount,
                judge=judge,
            )

    @precondition(lambda self: self.has(Status.OPEN))
    @rule(choice=choices, who=people)
    def enter(self, choice: int, who: int) -> None:
        if bounty := self.pick(choice, Status.OPEN):
            made = self.try_to(
                "enter",
                bounty_id=bounty.id,
                maker=self.person(who),
                image_ids=[self.world.pictures[who]],
            )
            if made is not None:
                assert bounty.owner_id != self.person(who).pk
                assert self.now < bounty.deadline

    @precondition(lambda self: self.has(Status.OPEN, Status.JUDGING))
    @rule(choice=choices, other=choices)
    def withdraw(self, choice: int, other: int) -> None:
        bounty = self.pick(choice, Status.OPEN, Status.JUDGING)
        if bounty and (entry := self.pick_entry(bounty, other)):
            self.try_to("withdraw", bounty_id=bounty.id, entry_id=entry.id, actor=entry.maker)

    @precondition(lambda self: self.has(Status.OPEN, Status.JUDGING))
    @rule(choice=choices, other=choices, who=people, times=st.integers(1, 2))
    def award(self, choice: int, other: int, who: int, times: int) -> None:
        """By the owner, or by a stranger, who is never let; a second one is never paid."""
        bounty = self.pick(choice, Status.JUDGING, Status.OPEN)
        entry = self.pick_entry(bounty, other) if bounty else None
        if bounty is None or entry is None:
            return
        actor = bounty.owner if other % 3 else self.person(who)
        answers = [
            self.try_to("award", bounty_id=bounty.id, entry_id=entry.id, actor=actor)
            for _ in range(times)
        ]
        assert sum(answer is not None for answer in answers) <= 1
        if actor.pk != bounty.owner_id:
            assert answers == [None] * times

    @precondition(lambda self: self.has(Status.OPEN, Status.JUDGING, Status.AWARDED))
    @rule(choice=choices, other=choices)
    def give(self, choice: int, other: int) -> None:
        bounty = self.pick(choice, Status.AWARDED, Status.JUDGING, Status.OPEN)
        if bounty is None:
            return
        own = list(bounty.contributions.filter(judge="self").order_by("id"))
        entry = self.pick_entry(bounty, other)
        if own and entry:
            stake = own[other % len(own)]
            self.try_to(
                "give",
                bounty_id=bounty.id,
                contribution_id=stake.id,
                entry_id=entry.id,
                actor=stake.contributor,
            )

    @precondition(lambda self: self.has(Status.OPEN, Status.JUDGING))
    @rule(choice=choices, other=choices, is_on=st.booleans())
    def shortlist(self, choice: int, other: int, is_on: bool) -> None:
        bounty = self.pick(choice, Status.JUDGING, Status.OPEN)
        if bounty and (entry := self.pick_entry(bounty, other)):
            stakes = list(bounty.contributions.order_by("id"))
            self.try_to(
                "shortlist",
                bounty_id=bounty.id,
                entry_id=entry.id,
                actor=stakes[other % len(stakes)].contributor,
                is_on=is_on,
            )

    @precondition(lambda self: self.has(Status.OPEN, Status.SCREENING))
    @rule(choice=choices, who=people)
    def cancel(self, choice: int, who: int) -> None:
        if bounty := self.pick(choice, Status.OPEN, Status.SCREENING):
            had_entries = bounty.entries.filter(status__in=["screening", "submitted"]).exists()
            actor = bounty.owner if choice % 2 else self.person(who)
            done = self.try_to("cancel", bounty_id=bounty.id, actor=actor)
            assert done is None or (actor.pk == bounty.owner_id and not had_entries)

    @precondition(lambda self: self.has(Status.OPEN))
    @rule(choice=choices, is_doubtful=st.booleans())
    def edit(self, choice: int, is_doubtful: bool) -> None:
        if bounty := self.pick(choice, Status.OPEN):
            self.try_to(
                "edit",
                bounty_id=bounty.id,
                actor=bounty.owner,
                description=DOUBTFUL if is_doubtful else "Drawn, blue, friendly.",
            )

    @precondition(lambda self: self.has(Status.OPEN))
    @rule(choice=choices, days=st.integers(1, 5))
    def extend(self, choice: int, days: int) -> None:
        if bounty := self.pick(choice, Status.OPEN):
            later = bounty.deadline + days * 24 * HOUR
            self.try_to("extend", bounty_id=bounty.id, actor=bounty.owner, deadline=later)

    @precondition(lambda self: self.has(Status.JUDGING))
    @rule(choice=choices, who=people)
    def dispute(self, choice: int, who: int) -> None:
        if bounty := self.pick(choice, Status.JUDGING):
            self.try_to("open_dispute", bounty_id=bounty.id, actor=self.person(who), reason="Look.")

    @precondition(lambda self: self.has(Status.DISPUTED))
    @rule(choice=choices, other=choices, outcome=st.sampled_from(["resume", "refund", "award"]))
    def resolve(self, choice: int, other: int, outcome: str) -> None:
        bounty = self.pick(choice, Status.DISPUTED)
        entry = self.pick_entry(bounty, other) if bounty else None
        if bounty is not None:
            self.try_to(
                "resolve_dispute",
                bounty_id=bounty.id,
                actor=self.world.staff,
                outcome=outcome,
                answer="Seen.",
                entry_id=entry.id if entry else "",
            )

    @precondition(
        lambda self: self.has(Status.OPEN, Status.JUDGING, Status.DISPUTED, Status.AWARDED)
    )
    @rule(choice=choices)
    def freeze(self, choice: int) -> None:
        if bounty := self.pick(choice, *FREEZABLE[choice % 4 :]):
            self.try_to("freeze", bounty_id=bounty.id, actor=self.world.staff, reason="Look.")

    @precondition(lambda self: self.has(Status.FROZEN))
    @rule(choice=choices, goes_on=st.booleans())
    def end_freeze(self, choice: int, goes_on: bool) -> None:
        if bounty := self.pick(choice, Status.FROZEN):
            if goes_on:
                self.try_to("unfreeze", bounty_id=bounty.id, actor=self.world.staff)
            else:
                self.try_to(
                    "refund_frozen", bounty_id=bounty.id, actor=self.world.staff, reason="No."
                )

    @rule(choice=choices)
    def void(self, choice: int) -> None:
        bounty = self.pick(choice)
        if bounty is not None and choice % 9 == 0:
            self.try_to("void_consent", bounty_id=bounty.id, reason="Withdrawn.")

    @rule(hours=st.sampled_from([1, 6, 12, 24, 48]))
    def time_passes(self, hours: int) -> None:
        self.now += hours * HOUR
        self.try_to("sweep")

    @rule(choice=choices)
    def timer_fires_again(self, choice: int) -> None:
        if bounty := self.pick(choice):
            self.try_to("tick", bounty_id=bounty.id)

    @invariant()
    def every_bounty_agrees_with_its_stakes_and_the_books(self) -> None:
        if not hasattr(self, "world"):
            return
        self.states = Counter()
        for bounty in Bounty.objects.filter(owner__in=self.world.people):
            self.states[bounty.status] += 1
            stakes = list(bounty.contributions.all())
            held = sum(one.amount_sparks for one in stakes if one.status == "held")
            assert bounty.staked_sparks == sum(one.amount_sparks for one in stakes)
            assert held == bounty.escrow_sparks
            assert held == ledger.escrow_balance(escrow=bounty.escrow_key)
            assert bounty.staked_sparks == held + bounty.paid_sparks + bounty.refunded_sparks
            paid = bounty.entries.aggregate(total=Sum("paid_sparks"))["total"] or 0
            assert paid == bounty.paid_sparks
            assert (bounty.status in FINAL) == (bounty.due_at is None)
            if bounty.status in FINAL:
                assert held == 0
                live = bounty.entries.filter(status__in=["screening", "submitted"])
                assert not live.exists()

    @invariant()
    def no_spark_is_lost_or_made(self) -> None:
        if not hasattr(self, "world"):
            return
        wallets = [ledger.wallet(user_id=person.pk) for person in self.world.people]
        assert all(min(w.earned, w.bought, w.income) >= 0 for w in wallets)
        escrow = sum(
            one.amount_sparks
            for one in Contribution.objects.filter(status="held", contributor__in=self.world.people)
        )
        assert sum(w.available for w in wallets) + escrow == self.model.given_out

    @invariant()
    def what_ended_stays_ended(self) -> None:
        if not hasattr(self, "world"):
            return
        ended = {
            bounty.id: bounty.status
            for bounty in Bounty.objects.filter(owner__in=self.world.people, status__in=FINAL)
        }
        assert self.model.closed <= set(ended)
        self.model.closed = set(ended)

    @invariant()
    def everything_adds_up(self) -> None:
        self.check_deferred()
        assert ledger.verify().findings == ()

    def run_out(self) -> None:
        """Nobody acts any more: time alone ends everything, and no Spark stays behind."""
        for _ in range(4):
            self.now += 100 * 24 * HOUR
            self.try_to("sweep")
        left = Bounty.objects.filter(owner__in=self.world.people).exclude(status__in=FINAL)
        assert not left.exists()
        assert (
            sum(ledger.available(user_id=person.pk) for person in self.world.people)
            == self.model.given_out
        )
