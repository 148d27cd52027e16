"""Sparks for tests, posted through the services."""

from __future__ import annotations

import itertools

from atelier.ledger import services as ledger

_numbers = itertools.count(1)


def key(prefix: str = "test") -> str:
    """A business key that nothing else has."""
    return f"{prefix}:{next(_numbers)}"


def earned(user_id: int, amount: int) -> None:
    """Puts earned Sparks into a wallet."""
    ledger.reward(user_id=user_id, amount=amount, reason="For a test", business_key=key())


def bought(user_id: int, amount: int) -> None:
    """Puts bought Sparks into a wallet."""
    ledger.credit(
        user_id=user_id, amount=amount, kind="bought", reason="For a test", business_key=key()
    )


def income(user_id: int, amount: int, *, payer_id: int) -> None:
    """Puts income into a wallet, from somebody who bought Sparks for it."""
    bought(payer_id, amount)
    ledger.pay(
        payer_id=payer_id,
        payee_id=user_id,
        amount=amount,
        reason="For a test",
        business_key=key(),
    )
