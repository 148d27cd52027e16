"""Joining, tipping, and what people say about themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atelier.accounts import services as accounts
from atelier.core import db, outbox
from atelier.core.errors import Invalid
from atelier.core.ids import new_id
from atelier.ledger import services as ledger
from atelier.likeness import services as likeness
from atelier.likeness.actions import Action
from atelier.social import rewards, targets
from atelier.social.models import Tip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atelier.accounts.models import User
    from atelier.ledger.records import TransferView

MAX_KEY = 60


def join(*, user: User) -> TransferView:
    """Makes an account a member: its wallet opens with the welcome Sparks. Twice is once.

    Called in the transaction that makes the account, so there is no member without a wallet.
    """
    with db.locking():
        ledger.open_wallet(user_id=user.pk)
        return rewards.welcome(user_id=user.pk)


def tip(
    *,
    payer: User,
    payee: User,
    amount: int,
    key: str = "",
    target_kind: str = "",
    target_id: str = "",
) -> Tip:
    """Gives somebody Sparks, perhaps for a thing that they made.

    ``key`` names the act: the same key again, as by a double click, is the same tip.
    """
    accounts.require_active(payer)
    if payer.pk == payee.pk:
        raise Invalid.field("to", "must be somebody else")
    if len(key) > MAX_KEY or "\0" in key:
        raise Invalid.field("key", f"must be at most {MAX_KEY} characters")
    if target_kind:
        target = targets.find(kind=target_kind, target_id=target_id, viewer=payer)
        if target.owner_id != payee.pk:
            raise Invalid.field("to", "is not whose this is")
    named = key or new_id("key")
    with db.locking():
        transfer = ledger.pay(
            payer_id=payer.pk,
            payee_id=payee.pk,
            amount=amount,
            reason=f"Tip from {payer.username} to {payee.username}",
            business_key=f"tip:{payer.pk}:{named}",
            subject=ledger.Subject(target_kind, target_id)
            if target_kind
            else ledger.Subject("user", payee.username),
        )
        given, created = Tip.objects.get_or_create(
            payer=payer,
            key=named,
            defaults={
                "payee": payee,
                "amount": amount,
                "target_kind": target_kind,
                "target_id": target_id,
                "transfer_id": transfer.id,
            },
        )
        if created:
            outbox.publish(
                "social.tipped",
                {
                    "tip_id": given.id,
                    "payer_id": payer.pk,
                    "payee_id": payee.pk,
                    "amount": amount,
                    "transfer_id": transfer.id,
                },
            )
    return given


def update_profile(
    *,
    user: User,
    display_name: str | None = None,
    bio: str | None = None,
    links: Sequence[str] | None = None,
    browsing_level: int | None = None,
) -> User:
    """Changes a profile, once its words were found fit to show."""
    accounts.require_active(user)
    changed: dict[str, Any] = {"display_name": display_name, "bio": bio, "links": links}
    texts = {
        name: value.strip()
        for name, value in (("display_name", display_name), ("bio", bio))
        if value is not None and value.strip() and value.strip() != getattr(user, name)
    }
    if texts:
        likeness.decide(action=Action.PROFILE_TEXT, actor_id=user.pk, texts=texts)
    return accounts.update_profile(user=user, browsing_level=browsing_level, **changed)
