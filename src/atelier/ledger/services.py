"""Moving Sparks. Each verb posts one transfer, once per business key, and answers how the wallet of
the person concerned sees it.

Callers that touch several wallets in one transaction call :func:`lock_wallets` first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

from atelier.core import clock, db
from atelier.core.errors import Invalid
from atelier.core.ids import new_id
from atelier.ledger import queries
from atelier.ledger.models import Account, Balance, SparkKind, Transfer
from atelier.ledger.posting import Order, post
from atelier.ledger.records import Subject, TransferView

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Subject",
    "credit",
    "fund_escrow",
    "lock_wallets",
    "open_wallet",
    "pay",
    "pay_from_escrow",
    "place_hold",
    "refund_escrow",
    "reward",
    "settle_hold",
]


def open_wallet(*, user_id: int) -> None:
    """Gives a person an empty wallet; twice is once. Every movement does so too when needed."""
    with db.locking(), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_wallet_v1(%s, %s)", [user_id, clock.now()])


def lock_wallets(*, user_ids: Iterable[int]) -> None:
    """Locks wallets in the books' own order, for the rest of the present transaction.

    Two transactions that pay several of the same people one after the other would otherwise wait
    for each other in a ring.
    """
    wanted = sorted(set(user_ids))
    for user_id in wanted:
        open_wallet(user_id=user_id)
    accounts = Account.objects.filter(key__in=[f"user:{user_id}" for user_id in wanted])
    list(
        Balance.objects.filter(account__in=accounts)
        .order_by("account_id")
        .select_for_update(of=("self",), no_key=True)
    )


def reward(
    *, user_id: int, amount: int, reason: str, business_key: str, subject: Subject | None = None
) -> TransferView:
    """The site thanks somebody for taking part: earned Sparks."""
    transfer_id = post(
        Order(
            type="credit",
            platform="rewards",
            to_user=user_id,
            amount=amount,
            kind=SparkKind.EARNED,
            reason=reason,
            business_key=business_key,
            subject=subject,
        )
    )
    return queries.transfer_as_seen_by(user_id=user_id, transfer_id=transfer_id)


def credit(
    *,
    user_id: int,
    amount: int,
    kind: str,
    reason: str,
    business_key: str,
    actor: int | None = None,
) -> TransferView:
    """The operator gives somebody Sparks, earned or bought; income comes from people alone."""
    if kind not in {SparkKind.EARNED, SparkKind.BOUGHT}:
        raise Invalid.field("kind", "must be earned or bought")
    transfer_id = post(
        Order(
            type="credit",
            platform="operator",
            to_user=user_id,
            amount=amount,
            kind=kind,
            reason=reason,
            business_key=business_key,
            actor=actor,
        )
    )
    return queries.transfer_as_seen_by(user_id=user_id, transfer_id=transfer_id)


def pay(
    *,
    payer_id: int,
    payee_id: int,
    amount: int,
    reason: str,
    business_key: str,
    subject: Subject | None = None,
) -> TransferView:
    """From one wallet to another, as the payer sees it. What was bought arrives as income."""
    transfer_id = post(
        Order(
            type="pay",
            from_user=payer_id,
            to_user=payee_id,
            amount=amount,
            reason=reason,
            business_key=business_key,
            subject=subject,
            actor=payer_id,
        )
    )
    return queries.transfer_as_seen_by(user_id=payer_id, transfer_id=transfer_id)


def fund_escrow(
    *,
    escrow: str,
    payer_id: int,
    amount: int,
    reason: str,
    business_key: str,
    subject: Subject | None = None,
) -> TransferView:
    """Sets a stake aside in an escrow. ``business_key`` names the stake from then on."""
    if not escrow:
        raise Invalid.field("escrow", "must be named")
    transfer_id = post(
        Order(
            type="fund",
            from_user=payer_id,
            escrow=escrow,
            amount=amount,
            reason=reason,
            business_key=business_key,
            subject=subject,
            actor=payer_id,
        )
    )
    return queries.transfer_as_seen_by(user_id=payer_id, transfer_id=transfer_id)


def pay_from_escrow(
    *,
    escrow: str,
    stake: str,
    payee_id: int,
    reason: str,
    business_key: str,
    amount: int | None = None,
    subject: Subject | None = None,
    actor: int | None = None,
) -> TransferView:
    """Pays out of one stake, all that is left unless ``amount`` says less, as the payee sees it.

    ``stake`` is the business key that funded it. Earned stays earned, the rest arrives as income.
    """
    transfer_id = post(
        Order(
            type="release",
            escrow=escrow,
            stake=stake,
            to_user=payee_id,
            amount=amount,
            reason=reason,
            business_key=business_key,
            subject=subject,
            actor=actor,
        )
    )
    return queries.transfer_as_seen_by(user_id=payee_id, transfer_id=transfer_id)


def refund_escrow(
    *,
    escrow: str,
    payee_id: int,
    funding_business_key: str,
    reason: str,
    business_key: str,
    subject: Subject | None = None,
    actor: int | None = None,
) -> TransferView:
    """Gives what is left of a stake back to its owner, in exactly the kinds taken."""
    transfer_id = post(
        Order(
            type="refund",
            escrow=escrow,
            stake=funding_business_key,
            to_user=payee_id,
            amount=None,
            reason=reason,
            business_key=business_key,
            subject=subject,
            actor=actor,
        )
    )
    return queries.transfer_as_seen_by(user_id=payee_id, transfer_id=transfer_id)


def place_hold(
    *,
    user_id: int,
    amount: int,
    reason: str,
    business_key: str,
    subject: Subject | None = None,
) -> str:
    """Sets Sparks aside for a job and answers the hold's id, which :func:`settle_hold` wants."""
    transfer_id = post(
        Order(
            type="hold",
            from_user=user_id,
            amount=amount,
            hold=new_id("hld"),
            reason=reason,
            business_key=business_key,
            subject=subject,
            actor=user_id,
        )
    )
    key = Transfer.objects.values_list("target__key", flat=True).get(pk=transfer_id)
    return key.removeprefix("hold:")


def settle_hold(
    *,
    hold_id: str,
    capture: int,
    reason: str,
    business_key: str,
    subject: Subject | None = None,
) -> TransferView:
    """Ends a hold, exactly once: ``capture`` goes to the site, the rest back in the kinds taken."""
    transfer_id = post(
        Order(
            type="settle",
            hold=hold_id,
            platform="work",
            amount=capture,
            reason=reason,
            business_key=business_key,
            subject=subject,
        )
    )
    owner = Transfer.objects.values_list("source__user_id", flat=True).get(pk=transfer_id)
    return queries.transfer_as_seen_by(user_id=owner or 0, transfer_id=transfer_id)
