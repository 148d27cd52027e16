"""The way into the database's one posting function, and what its refusals mean."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from django.db import connection

from atelier.core import clock, db
from atelier.core.errors import Invalid, NotFound
from atelier.core.ids import new_id
from atelier.ledger.errors import HoldResolved, InsufficientSparks, KeyReused, StakeSpent

if TYPE_CHECKING:
    from atelier.ledger.records import Subject

MOST = 10**12  # far beyond any balance, far below where sums of 64 bits overflow
MAX_REASON = 200
MAX_KEY = 200

_POST = """
SELECT status, transfer_id FROM ledger_post_v1(
  %(type)s, %(id)s, %(business_key)s, %(from_user)s, %(to_user)s, %(amount)s, %(kind)s,
  %(platform)s, %(escrow)s, %(stake)s, %(hold)s, %(reason)s, %(subject_kind)s, %(subject_id)s,
  %(actor)s, %(at)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A movement asked for; ``amount`` of ``None`` is all that is left of a stake."""

    type: str
    business_key: str
    reason: str
    amount: int | None
    from_user: int | None = None
    to_user: int | None = None
    kind: str = ""
    platform: str = ""
    escrow: str = ""
    stake: str = ""
    hold: str = ""
    subject: Subject | None = None
    actor: int | None = None


def post(order: Order) -> str:
    """Carries out a movement and answers its transfer's id; a replay answers the first one's.

    Raises without having changed anything.
    """
    _check(order)
    values = asdict(order)
    del values["subject"]
    subject = order.subject
    with db.locking(), connection.cursor() as cursor:
        cursor.execute(
            _POST,
            {
                **values,
                "id": new_id("trf"),
                "reason": order.reason.strip(),
                "subject_kind": subject.kind if subject else "",
                "subject_id": subject.id if subject else "",
                "at": clock.now(),
            },
        )
        status, transfer_id = cursor.fetchone()
        if status not in {"posted", "replayed"}:
            # Raised inside the transaction, so that even an account opened on the way is gone.
            raise _refusal(status, order)
    return str(transfer_id)


def _check(order: Order) -> None:
    lowest = 0 if order.type == "settle" else 1
    if order.amount is not None and not lowest <= order.amount <= MOST:
        raise Invalid.field("amount", f"must be a whole number of Sparks from {lowest}")
    if not 1 <= len(order.reason.strip()) <= MAX_REASON:
        raise Invalid.field("reason", f"must be 1 to {MAX_REASON} characters")
    if not 1 <= len(order.business_key) <= MAX_KEY:
        raise Invalid.field("business_key", f"must be 1 to {MAX_KEY} characters")
    if order.from_user is not None and order.from_user == order.to_user:
        raise Invalid.field("to", "must be somebody else")


def _refusal(status: str, order: Order) -> Exception:
    if status == "conflict":
        return KeyReused("These Sparks moved already, with another amount or between others.")
    if status == "unknown":
        return NotFound("There is no such hold or stake.")
    if order.type in {"release", "refund"}:
        return StakeSpent("Not that much is left of this stake.")
    if status == "spent":
        return HoldResolved("This hold was settled already.")
    if order.type == "settle":
        return Invalid.field("capture", "must not be more than the hold")
    return InsufficientSparks(
        f"This takes {order.amount:,} Sparks, and the wallet does not hold that many."
    )
