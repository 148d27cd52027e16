"""The books: double entry, integers, append-only, kept true by the database itself.

Every Spark lies in exactly one account. Wallets, stakes (a share in an escrow) and holds carry a
balance row that never goes below zero; the site's own accounts carry none, so that no row is hot.
A transfer is a set of postings that sum to zero. Balance rows change only through postings, and
transfers and postings never change at all: triggers in the migrations refuse anything else.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from atelier.core import clock
from atelier.core.ids import OpaqueIdField


class AccountKind(models.TextChoices):
    """Whose Sparks an account holds."""

    WALLET = "wallet"
    STAKE = "stake"
    HOLD = "hold"
    PLATFORM = "platform"


class SparkKind(models.TextChoices):
    """Where Sparks came from, which decides what they can become."""

    EARNED = "earned"
    BOUGHT = "bought"
    INCOME = "income"


class TransferType(models.TextChoices):
    """The movements that exist."""

    CREDIT = "credit"  # the site to a wallet
    PAY = "pay"  # a wallet to a wallet
    FUND = "fund"  # a wallet to a new stake
    RELEASE = "release"  # a stake to the wallet it is paid to
    REFUND = "refund"  # a stake back to its owner's wallet
    HOLD = "hold"  # a wallet to a new hold
    SETTLE = "settle"  # a hold to the site, the rest back to its owner's wallet


class Account(models.Model):
    """A place where Sparks can be. ``escrow`` names the escrow that a stake belongs to."""

    kind = models.CharField(max_length=10, choices=AccountKind)
    key = models.CharField(max_length=240, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    escrow = models.CharField(max_length=120, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=AccountKind.PLATFORM, user=None) | Q(user__isnull=False),
                name="ledger_account_owner",
            ),
            models.CheckConstraint(
                condition=Q(kind=AccountKind.STAKE) & ~Q(escrow="")
                | ~Q(kind=AccountKind.STAKE) & Q(escrow=""),
                name="ledger_account_escrow",
            ),
            models.UniqueConstraint(
                fields=["user"], condition=Q(kind=AccountKind.WALLET), name="ledger_one_wallet"
            ),
        ]
        indexes = [
            models.Index(fields=["escrow"], condition=~Q(escrow=""), name="ledger_escrow"),
        ]


class Balance(models.Model):
    """What lies in a wallet, a stake or a hold, by kind; changed by postings alone."""

    account = models.OneToOneField(
        Account, primary_key=True, on_delete=models.PROTECT, related_name="balance"
    )
    earned = models.BigIntegerField(default=0)
    bought = models.BigIntegerField(default=0)
    income = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(earned__gte=0), name="ledger_earned_not_negative"),
            models.CheckConstraint(condition=Q(bought__gte=0), name="ledger_bought_not_negative"),
            models.CheckConstraint(condition=Q(income__gte=0), name="ledger_income_not_negative"),
        ]


class Transfer(models.Model):
    """One business event that moved Sparks; its ``business_key`` happens once.

    ``fingerprint`` holds the parties and amounts that were asked for, so that a replay with other
    ones is told apart from a replay.
    """

    id = OpaqueIdField(prefix="trf")
    business_key = models.CharField(max_length=200, unique=True)
    type = models.CharField(max_length=10, choices=TransferType)
    source = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    target = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    amount = models.BigIntegerField()
    fingerprint = models.TextField()
    reason = models.CharField(max_length=200)
    subject_kind = models.CharField(max_length=30, blank=True)
    subject_id = models.CharField(max_length=80, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0) | Q(type=TransferType.SETTLE, amount=0),
                name="ledger_amount_positive",
            ),
            # A hold is placed once and resolved once; a stake is funded once.
            models.UniqueConstraint(
                fields=["source"], condition=Q(type=TransferType.SETTLE), name="ledger_settle_once"
            ),
            models.UniqueConstraint(
                fields=["target"],
                condition=Q(type__in=[TransferType.HOLD, TransferType.FUND]),
                name="ledger_fill_once",
            ),
        ]


class Posting(models.Model):
    """What a transfer did to one account, by kind; signed."""

    transfer = models.ForeignKey(
        Transfer, on_delete=models.PROTECT, related_name="postings", db_index=False
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    earned = models.BigIntegerField(default=0)
    bought = models.BigIntegerField(default=0)
    income = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["transfer", "account"], name="ledger_posting_once"),
            models.CheckConstraint(
                condition=~Q(earned=0, bought=0, income=0), name="ledger_posting_moves"
            ),
        ]
        indexes = [models.Index(fields=["account", "-id"], name="ledger_history")]
