"""What the database refuses to anyone, our own code included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import DatabaseError, connection, transaction
from tests.factories import accounts as make
from tests.factories import ledger as sparks

from atelier.ledger import queries
from atelier.ledger import services as ledger
from atelier.ledger.models import Account, Balance, Posting, Transfer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db
TABLES = ("ledger_account", "ledger_balance", "ledger_transfer", "ledger_posting")


@pytest.fixture
def ada() -> int:
    user_id = make.user("ada").pk
    sparks.earned(user_id, 10)
    sparks.bought(user_id, 10)
    check_deferred()
    return user_id


@pytest.fixture(autouse=True)
def books_are_true() -> Iterator[None]:
    yield
    assert queries.verify().findings == ()


def execute(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(values))


def refused(*statements: tuple[Any, ...], says: str) -> None:
    """The statements fail, at the latest when they would commit."""

    def attempt() -> None:
        with transaction.atomic():
            for sql, *values in statements:
                execute(sql, *values)
            check_deferred()

    with pytest.raises(DatabaseError, match=says):
        attempt()


def check_deferred() -> None:
    """What a commit would check."""
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("SET CONSTRAINTS ALL DEFERRED")


def dump() -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608 -- our own names
            rows.extend(cursor.fetchall())
    return rows


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_transfer SET amount = amount + 1",
        "UPDATE ledger_transfer SET reason = 'something else'",
        "DELETE FROM ledger_transfer",
        "TRUNCATE ledger_transfer CASCADE",
        "UPDATE ledger_posting SET earned = earned + 1",
        "DELETE FROM ledger_posting",
        "TRUNCATE ledger_posting",
        "UPDATE ledger_account SET user_id = NULL",
        "DELETE FROM ledger_account",
        "TRUNCATE ledger_account CASCADE",
        "DELETE FROM ledger_balance",
        "TRUNCATE ledger_balance",
    ],
)
def test_history_cannot_change(ada: int, statement: str) -> None:
    before = dump()
    refused((statement,), says="append-only")
    assert dump() == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_balance SET earned = earned + 1",
        "UPDATE ledger_balance SET bought = 1000000",
        """INSERT INTO ledger_balance (account_id, earned, bought, income)
           SELECT id, 5, 0, 0 FROM ledger_account WHERE kind = 'platform' LIMIT 1""",
    ],
)
def test_balances_change_by_postings_alone(ada: int, statement: str) -> None:
    before = dump()
    refused((statement,), says="by postings alone")
    assert dump() == before


TRANSFER = (
    "INSERT INTO ledger_transfer (id, business_key, type, source_id, target_id, amount, "
    "fingerprint, reason, subject_kind, subject_id, created_at) "
    "VALUES (%s, %s, %s, %s, %s, %s, '', 'x', '', '', now())"
)
ROW = "(%s, %s, %s, %s, %s)"
POSTING = "INSERT INTO ledger_posting (transfer_id, account_id, earned, bought, income) VALUES "


def postings(name: str, *lines: tuple[str, int, int, int]) -> tuple[Any, ...]:
    """One statement with all of a transfer's postings."""
    values = [value for key, *figures in lines for value in (name, account(key), *figures)]
    return (POSTING + ", ".join([ROW] * len(lines)), *values)


def account(key: str) -> int:
    return Account.objects.values_list("pk", flat=True).get(key=key)


def by_hand(
    ada: int, *lines: tuple[str, int, int, int], kind: str = "credit", amount: int = 5
) -> list[tuple[Any, ...]]:
    source, target = account("platform:rewards"), account(f"user:{ada}")
    return [
        (TRANSFER, "trf_hand", "by hand", kind, source, target, amount),
        *([postings("trf_hand", *lines)] if lines else []),
    ]


def test_a_balanced_transfer_by_hand_is_a_transfer(ada: int) -> None:
    for sql, *values in by_hand(ada, ("platform:rewards", -5, 0, 0), (f"user:{ada}", 5, 0, 0)):
        execute(sql, *values)
    check_deferred()
    assert queries.wallet(user_id=ada).earned == 15


@pytest.mark.parametrize(
    "figures",
    [
        pytest.param([(-5, 0, 0), (6, 0, 0)], id="more arrives than leaves"),
        pytest.param([(-5, 0, 0), (4, 0, 0)], id="less arrives than leaves"),
        pytest.param([(-5, 0, 0), (0, 5, 0)], id="earned becomes bought"),
        pytest.param([(-5, 0, 0), (0, 0, 5)], id="earned becomes income"),
        pytest.param([(0, 0, -5), (0, 5, 0)], id="income becomes bought"),
        pytest.param([(0, 0, -5), (5, 0, 0)], id="income becomes earned"),
    ],
)
def test_an_unbalanced_transfer_is_refused(ada: int, figures: list[tuple[int, int, int]]) -> None:
    before = dump()
    keys = ("platform:rewards", f"user:{ada}")
    lines = [(key, *line) for key, line in zip(keys, figures, strict=True)]
    refused(*by_hand(ada, *lines), says="does not balance")
    assert dump() == before


def test_a_transfer_without_or_with_one_posting_is_refused(ada: int) -> None:
    before = dump()
    refused(*by_hand(ada), says="does not balance")
    refused(*by_hand(ada, (f"user:{ada}", 5, 0, 0)), says="does not balance")
    assert dump() == before


def test_postings_come_all_at_once(ada: int) -> None:
    before = dump()
    refused(
        by_hand(ada)[0],
        postings("trf_hand", ("platform:rewards", -5, 0, 0)),
        postings("trf_hand", (f"user:{ada}", 5, 0, 0)),
        says="does not balance",
    )
    assert dump() == before


def test_an_old_transfer_takes_no_new_posting(ada: int) -> None:
    other = make.user("bob").pk
    ledger.open_wallet(user_id=other)
    old = Transfer.objects.order_by("id").values_list("id", flat=True)[0]
    mine, theirs = f"user:{ada}", f"user:{other}"
    refused(postings(old, (theirs, 5, 0, 0)), says="does not balance")
    refused(postings(old, (mine, 5, 0, 0)), says="ledger_posting_once")
    both = [(theirs, 5, 0, 0), ("platform:work", -5, 0, 0)]
    refused(postings(old, *both), says="does not balance")


@pytest.mark.parametrize("figures", [(-11, 0, 0), (0, -11, 0), (0, 0, -1)])
def test_no_kind_of_balance_goes_below_zero(ada: int, figures: tuple[int, int, int]) -> None:
    back = tuple(-figure for figure in figures)
    refused(
        *by_hand(ada, (f"user:{ada}", *figures), ("platform:rewards", *back)),
        says="not_negative",
    )


def test_a_posting_moves_something_between_accounts_that_exist(ada: int) -> None:
    refused(*by_hand(ada, (f"user:{ada}", 0, 0, 0)), says="ledger_posting_moves")
    old = Transfer.objects.order_by("id").values_list("id", flat=True)[0]
    refused((POSTING + ROW, old, 10**9, 5, 0, 0), says="does not balance")
    nowhere = postings("trf_none", (f"user:{ada}", 5, 0, 0), ("platform:work", -5, 0, 0))
    refused(nowhere, says="foreign key")


def test_a_business_key_happens_once(ada: int) -> None:
    key = Transfer.objects.values_list("business_key", flat=True)[0]
    refused(
        (
            TRANSFER,
            "trf_twin",
            key,
            "credit",
            account("platform:rewards"),
            account(f"user:{ada}"),
            5,
        ),
        says="business_key",
    )


def test_a_hold_is_settled_once_and_whole(ada: int) -> None:
    hold = ledger.place_hold(user_id=ada, amount=8, reason="x", business_key="h")
    source, target = account(f"hold:{hold}"), account("platform:work")

    def settle(number: int, *lines: tuple[str, int]) -> list[tuple[Any, ...]]:
        name = f"trf_end{number}"
        return [
            (TRANSFER, name, name, "settle", source, target, 4),
            *([postings(name, *((key, earned, 0, 0) for key, earned in lines))] if lines else []),
        ]

    refused(
        *settle(1, (f"hold:{hold}", -4), ("platform:work", 4)), says="leaves a part of its hold"
    )
    ledger.settle_hold(hold_id=hold, capture=4, reason="x", business_key="end")
    refused(*settle(2), says="ledger_settle_once")
    refused(
        (TRANSFER, "trf_again", "again", "hold", account(f"user:{ada}"), source, 4),
        says="ledger_fill_once",
    )


def test_only_wallets_stakes_and_holds_have_a_balance(ada: int) -> None:
    ledger.fund_escrow(escrow="e", payer_id=ada, amount=1, reason="x", business_key="s")
    ledger.place_hold(user_id=ada, amount=1, reason="x", business_key="h")
    kinds = set(Balance.objects.values_list("account__kind", flat=True))
    assert kinds == {"wallet", "stake", "hold"}
    assert Posting.objects.filter(account__kind="platform").exists()


def test_accounts_of_people_have_owners_and_stakes_an_escrow(ada: int) -> None:
    insert = (
        "INSERT INTO ledger_account (kind, key, user_id, escrow, created_at) "
        "VALUES (%s, %s, %s, %s, now())"
    )
    for kind, user, escrow, rule in [
        ("wallet", None, "", "ledger_account_owner"),
        ("stake", ada, "", "ledger_account_escrow"),
        ("hold", ada, "e", "ledger_account_escrow"),
        ("wallet", ada, "", "ledger_one_wallet"),
    ]:
        refused((insert, kind, f"key {kind} {rule}", user, escrow), says=rule)


def test_verification_sees_books_that_were_tampered_with(ada: int) -> None:
    with transaction.atomic():
        # As somebody could who owns the database: the rule switched off; the rollback puts it back.
        execute("ALTER TABLE ledger_balance DISABLE TRIGGER ledger_balance_guard")
        execute(
            "UPDATE ledger_balance SET earned = 11 WHERE account_id = %s", account(f"user:{ada}")
        )
        found = queries.verify()
        assert (found.ok, found.differences) == (False, 1)
        assert found.findings == (f"account user:{ada} holds 11/10/0 and its postings say 10/10/0",)
        transaction.set_rollback(True)
