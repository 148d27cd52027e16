"""Reading the books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import F, Q, QuerySet, Sum

from atelier.core.errors import NotFound
from atelier.core.pagination import Page, paginate
from atelier.ledger.models import Account, AccountKind, Balance, Posting, Transfer, TransferType
from atelier.ledger.records import (
    Kinds,
    PostingView,
    Stake,
    Story,
    Subject,
    TransferView,
    Verification,
    Wallet,
)

if TYPE_CHECKING:
    import datetime as dt

MAX_FINDINGS = 50
_TOTAL = F("earned") + F("bought") + F("income")


def wallet(*, user_id: int) -> Wallet:
    """What somebody can spend, what their running jobs hold, and where it came from."""
    row = (
        Balance.objects.filter(account__key=f"user:{user_id}")
        .values_list("earned", "bought", "income")
        .first()
    )
    earned, bought, income = row or (0, 0, 0)
    held = Balance.objects.filter(
        account__user_id=user_id, account__kind=AccountKind.HOLD
    ).aggregate(total=Sum(_TOTAL))["total"]
    return Wallet(
        available=earned + bought + income,
        held=held or 0,
        earned=earned,
        bought=bought,
        income=income,
    )


def available(*, user_id: int) -> int:
    """What somebody can spend now: one row, for the figure on every page."""
    return (
        Balance.objects.filter(account__key=f"user:{user_id}")
        .values_list(_TOTAL, flat=True)
        .first()
        or 0
    )


def transfers(
    *, user_id: int, after: str | None = None, limit: int | None = None, direction: str = ""
) -> Page[TransferView]:
    """What moved in somebody's wallet, newest first. ``direction`` is ``in``, ``out`` or empty."""
    rows = _lines().filter(account__key=f"user:{user_id}")
    if direction in {"in", "out"}:
        total = rows.alias(total=_TOTAL)
        rows = total.filter(total__gt=0) if direction == "in" else total.filter(total__lt=0)
    page = paginate(rows, order=("-id",), after=after, limit=limit)
    return Page(items=[_seen(line.transfer, line, user_id) for line in page.items], next=page.next)


def _lines() -> QuerySet[Posting]:
    return Posting.objects.select_related("transfer__source", "transfer__target")


def transfer_as_seen_by(*, user_id: int, transfer_id: str) -> TransferView:
    """One movement from the side of one wallet, whether or not it touched it."""
    transfer = Transfer.objects.select_related("source", "target").get(pk=transfer_id)
    line = Posting.objects.filter(transfer=transfer, account__key=f"user:{user_id}").first()
    return _seen(transfer, line, user_id)


def _seen(transfer: Transfer, line: Posting | None, user_id: int) -> TransferView:
    kinds = Kinds(line.earned, line.bought, line.income) if line else Kinds()
    others = [
        account.user_id
        for account in (transfer.source, transfer.target)
        if account.user_id is not None and account.user_id != user_id
    ]
    return TransferView(
        id=transfer.id,
        type=transfer.type,
        amount=kinds.total,
        kinds=kinds,
        reason=transfer.reason,
        subject=_subject(transfer),
        counterparty_id=others[0] if others else None,
        created_at=transfer.created_at,
    )


def _subject(transfer: Transfer) -> Subject | None:
    if not transfer.subject_kind:
        return None
    return Subject(transfer.subject_kind, transfer.subject_id)


def story(*, user_id: int, transfer_id: str) -> Story:
    """A movement with all its lines, for somebody whose Sparks it moved.

    To anyone else it does not exist, so ids tell nothing.
    """
    transfer = (
        Transfer.objects.select_related("source", "target")
        .filter(Q(source__user_id=user_id) | Q(target__user_id=user_id), pk=transfer_id)
        .first()
    )
    if transfer is None:
        raise NotFound("There is no such movement in your wallet.")
    lines = list(Posting.objects.filter(transfer=transfer).select_related("account").order_by("id"))
    own = next((line for line in lines if line.account.key == f"user:{user_id}"), None)
    return Story(
        transfer=_seen(transfer, own, user_id),
        business_key=transfer.business_key,
        actor_id=transfer.actor_id,
        postings=tuple(
            PostingView(
                place=line.account.kind,
                user_id=line.account.user_id,
                amount=line.earned + line.bought + line.income,
                kinds=Kinds(line.earned, line.bought, line.income),
            )
            for line in lines
        ),
    )


def escrow_balance(*, escrow: str) -> int:
    """What lies in an escrow: the sum of what is left of its stakes."""
    total = Balance.objects.filter(account__escrow=escrow).exclude(account__escrow="")
    return total.aggregate(total=Sum(_TOTAL))["total"] or 0


def stakes(*, escrow: str) -> list[Stake]:
    """The stakes in an escrow, oldest first, spent ones included."""
    accounts = Account.objects.filter(escrow=escrow).exclude(escrow="").order_by("id")
    funded = dict(
        Transfer.objects.filter(type=TransferType.FUND, target__in=accounts).values_list(
            "target_id", "amount"
        )
    )
    return [
        Stake(
            funding_business_key=account.key.removeprefix("stake:"),
            user_id=account.user_id or 0,
            funded=funded[account.pk],
            remaining=Kinds(account.balance.earned, account.balance.bought, account.balance.income),
        )
        for account in accounts.select_related("balance")
    ]


def open_holds(*, user_id: int) -> list[tuple[TransferView, int]]:
    """What is set aside for running jobs: the movement that did it, and the amount."""
    held = (
        Transfer.objects.filter(type=TransferType.HOLD, target__user_id=user_id)
        .exclude(target__balance__earned=0, target__balance__bought=0, target__balance__income=0)
        .select_related("source", "target")
        .order_by("-created_at")
    )
    return [(_seen(transfer, None, user_id), transfer.amount) for transfer in held]


def rewarded_on(*, user_id: int, prefix: str) -> int:
    """How many transfers carry a business key that starts with ``prefix``, for daily caps."""
    return Transfer.objects.filter(
        business_key__startswith=prefix, target__key=f"user:{user_id}"
    ).count()


def happened_at(*, business_key: str) -> dt.datetime | None:
    """When the business event with this key moved Sparks, if it did."""
    return (
        Transfer.objects.filter(business_key=business_key)
        .values_list("created_at", flat=True)
        .first()
    )


# One statement is one snapshot, so the books may be checked while people spend.
_VERIFY = """
WITH posted AS (
  SELECT account_id, sum(earned) AS earned, sum(bought) AS bought, sum(income) AS income
    FROM ledger_posting GROUP BY account_id
), balanced AS (
  SELECT t.id, t.type, t.amount, t.source_id, t.target_id,
         coalesce(sum(p.earned), 0) AS earned, coalesce(sum(p.bought), 0) AS bought,
         coalesce(sum(p.income), 0) AS income, count(p.id) AS postings,
         coalesce(sum(p.earned + p.bought + p.income)
                  FILTER (WHERE p.account_id = t.source_id), 0) AS given,
         coalesce(sum(p.earned + p.bought + p.income)
                  FILTER (WHERE p.account_id = t.target_id), 0) AS got
    FROM ledger_transfer t LEFT JOIN ledger_posting p ON p.transfer_id = t.id GROUP BY t.id
), findings AS (
  SELECT format('transfer %%s does not balance', id) AS finding FROM balanced
   WHERE postings < 2 OR earned <> 0 OR bought + income <> 0 OR bought > 0
  UNION ALL
  SELECT format('transfer %%s moved %%s of %%s', id, got, amount) FROM balanced
   WHERE got <> amount OR (type <> 'settle' AND given <> -amount) OR given > -amount
  UNION ALL
  SELECT format('account %%s holds %%s/%%s/%%s and its postings say %%s/%%s/%%s', a.key,
                b.earned, b.bought, b.income, p.earned, p.bought, p.income)
    FROM ledger_account a
    LEFT JOIN ledger_balance b ON b.account_id = a.id
    LEFT JOIN posted p ON p.account_id = a.id
   WHERE a.kind <> 'platform'
     AND (b.account_id IS NULL
          OR (b.earned, b.bought, b.income)
             <> (coalesce(p.earned, 0), coalesce(p.bought, 0), coalesce(p.income, 0))
          OR least(b.earned, b.bought, b.income) < 0)
  UNION ALL
  SELECT format('account %%s is the site''s and has a balance row', a.key)
    FROM ledger_account a JOIN ledger_balance b ON b.account_id = a.id WHERE a.kind = 'platform'
  UNION ALL
  SELECT format('%%s was filled %%s times', a.key, count(t.id))
    FROM ledger_account a
    LEFT JOIN ledger_transfer t ON t.target_id = a.id
   WHERE a.kind IN ('hold', 'stake') GROUP BY a.id HAVING count(t.id) <> 1
  UNION ALL
  SELECT format('%%s was settled %%s times and holds %%s', a.key, count(t.id),
                max(b.earned + b.bought + b.income))
    FROM ledger_account a
    JOIN ledger_balance b ON b.account_id = a.id
    LEFT JOIN ledger_transfer t ON t.source_id = a.id
   WHERE a.kind = 'hold' GROUP BY a.id
  HAVING count(t.id) > 1 OR (count(t.id) = 1) <> (max(b.earned + b.bought + b.income) = 0)
  UNION ALL
  SELECT format('stake %%s gave %%s to others than it says', a.key, t.id)
    FROM ledger_account a
    JOIN ledger_transfer t ON t.source_id = a.id AND t.type = 'refund'
    JOIN ledger_account w ON w.id = t.target_id
   WHERE a.kind = 'stake' AND w.user_id <> a.user_id
)
SELECT (SELECT count(*) FROM ledger_transfer), count(*),
       coalesce((array_agg(finding))[1:%s], '{}') FROM findings
"""


def verify() -> Verification:
    """Adds everything up again from the postings; finds zero differences, or says what differs."""
    with connection.cursor() as cursor:
        cursor.execute(_VERIFY, [MAX_FINDINGS])
        row = cursor.fetchone()
    count, differences, findings = row
    return Verification(
        ok=differences == 0,
        differences=differences,
        transfers=count,
        findings=tuple(findings),
    )
