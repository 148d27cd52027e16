"""A bounty, the stakes in its escrow, the entries to it, and its timeline."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from typing_extensions import override

from atelier.bounties.querysets import BountyQuerySet, EntryQuerySet
from atelier.bounties.rules import (
    FINAL,
    MAX_TAG,
    MAX_TITLE,
    MIN_AMOUNT_SPARKS,
    MIN_CONTRIBUTION_SPARKS,
    EntryStatus,
    EventKind,
    Judge,
    Kind,
    Rule,
    StakeStatus,
    Status,
)
from atelier.core import clock
from atelier.core.ids import OpaqueIdField

BountyManager = models.Manager.from_queryset(BountyQuerySet)
EntryManager = models.Manager.from_queryset(EntryQuerySet)


class Bounty(models.Model):
    """A commission: what is wanted, what it pays, and until when.

    ``due_at`` is when the present state's timer acts; every state that is not final has one.
    The three sums say where the Sparks of all stakes are; what is left is in escrow.
    """

    id = OpaqueIdField(prefix="bty")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="bounties"
    )
    title = models.CharField(max_length=MAX_TITLE)
    description = models.TextField()
    description_html = models.TextField()
    kind = models.CharField(max_length=20, choices=Kind.choices)
    rule = models.CharField(max_length=20, choices=Rule.choices, default=Rule.REFUND)
    tags = ArrayField(models.CharField(max_length=MAX_TAG), default=list, blank=True)
    rating = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(max_length=20, choices=Status.choices)
    # Where a bounty returns to from a review of its edit, a dispute or a freeze.
    previous_status = models.CharField(max_length=20, choices=Status.choices, blank=True)
    amount_sparks = models.PositiveIntegerField()
    staked_sparks = models.PositiveBigIntegerField(default=0)
    paid_sparks = models.PositiveBigIntegerField(default=0)
    refunded_sparks = models.PositiveBigIntegerField(default=0)
    deadline = models.DateTimeField()
    extended_at = models.DateTimeField(null=True)
    judging_ends_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    decision_id = models.CharField(max_length=40)
    # Staff read these words and cleared them; a doubt about them is answered until they change.
    reviewed_at = models.DateTimeField(null=True)
    closed_reason = models.CharField(max_length=40, blank=True)
    awarded_entry = models.ForeignKey(
        "bounties.Entry", on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now)
    opened_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    # It ended where nobody could see it, so it stays unseen by those without a part in it.
    hidden_at = models.DateTimeField(null=True)

    references = models.ManyToManyField(
        "media.Media", through="bounties.Reference", related_name="+"
    )

    objects = BountyManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_sparks__gte=MIN_AMOUNT_SPARKS), name="bounty_amount_enough"
            ),
            models.CheckConstraint(
                condition=Q(staked_sparks__gte=F("paid_sparks") + F("refunded_sparks")),
                name="bounty_escrow_not_negative",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=sorted(FINAL))
                | Q(staked_sparks=F("paid_sparks") + F("refunded_sparks")),
                name="bounty_closed_is_empty",
            ),
            models.CheckConstraint(
                condition=Q(status__in=sorted(FINAL)) ^ Q(due_at__isnull=False),
                name="bounty_has_a_timer_until_closed",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="bounty_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["-created_at", "-id"], name="bounty_latest"),
            models.Index(fields=["status", "-created_at", "-id"], name="bounty_newest"),
            models.Index(fields=["status", "deadline", "id"], name="bounty_ending"),
            models.Index(fields=["status", "-staked_sparks", "-id"], name="bounty_highest"),
            models.Index(fields=["owner", "-created_at"], name="bounty_of_owner"),
        ]

    @override
    def __str__(self) -> str:
        return self.title

    @property
    def escrow_key(self) -> str:
        """The name of this bounty's own escrow account."""
        return f"bounty:{self.id}"

    @property
    def escrow_sparks(self) -> int:
        """What is in escrow now."""
        return self.staked_sparks - self.paid_sparks - self.refunded_sparks

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status in FINAL

    @property
    def is_entered_in_time(self) -> bool:
        """Whether an entry or a stake would still be in time."""
        return clock.now() < self.deadline


class Reference(models.Model):
    """A picture that shows what is wanted."""

    bounty = models.ForeignKey(Bounty, on_delete=models.CASCADE, related_name="reference_rows")
    media = models.ForeignKey("media.Media", on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["bounty", "media"], name="bounty_reference_once")
        ]


class Entry(models.Model):
    """Work submitted to a bounty: pictures that all may see, a version locked until it is paid."""

    id = OpaqueIdField(prefix="ent")
    bounty = models.ForeignKey(Bounty, on_delete=models.PROTECT, related_name="entries")
    maker = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="bounty_entries"
    )
    description = models.TextField(blank=True)
    description_html = models.TextField(blank=True)
    version = models.ForeignKey(
        "catalog.ModelVersion", on_delete=models.PROTECT, null=True, related_name="bounty_entries"
    )
    status = models.CharField(max_length=20, choices=EntryStatus.choices)
    # Why it waits in review, while it does: the decision asked for it, or its file is not cleared.
    review_reason = models.CharField(max_length=40, blank=True)
    reviewed_at = models.DateTimeField(null=True)
    decision_id = models.CharField(max_length=40)
    paid_sparks = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True)

    pictures = models.ManyToManyField("media.Media", through="bounties.Picture", related_name="+")

    objects = EntryManager()

    class Meta:
        verbose_name_plural = "entries"
        constraints = [
            # A version is on offer in one place at a time: it can be sold once.
            models.UniqueConstraint(
                fields=["version"],
                name="entry_version_offered_once",
                condition=Q(status__in=["screening", "submitted", "awarded"]),
            ),
        ]
        indexes = [
            models.Index(fields=["bounty", "created_at", "id"], name="entry_of_bounty"),
            models.Index(fields=["maker", "-created_at"], name="entry_of_maker"),
        ]


class Picture(models.Model):
    """A picture of an entry."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="picture_rows")
    media = models.ForeignKey("media.Media", on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["entry", "media"], name="entry_picture_once")
        ]


class Contribution(models.Model):
    """A benefactor's stake. It leaves escrow once: to a maker, or back to where it came from."""

    id = OpaqueIdField(prefix="con")
    bounty = models.ForeignKey(Bounty, on_delete=models.PROTECT, related_name="contributions")
    contributor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="contributions"
    )
    amount_sparks = models.PositiveIntegerField()
    judge = models.CharField(max_length=10, choices=Judge.choices, default=Judge.CREATOR)
    status = models.CharField(max_length=10, choices=StakeStatus.choices, default=StakeStatus.HELD)
    given_to = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, related_name="stakes")
    funding_transfer_id = models.CharField(max_length=40)
    resolving_transfer_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_sparks__gte=MIN_CONTRIBUTION_SPARKS),
                name="contribution_amount_enough",
            ),
            models.CheckConstraint(
                condition=Q(status="held", resolving_transfer_id="", resolved_at__isnull=True)
                | (
                    Q(status__in=["paid", "refunded"], resolved_at__isnull=False)
                    & ~Q(resolving_transfer_id="")
                ),
                name="contribution_resolved_once",
            ),
        ]
        indexes = [
            models.Index(fields=["bounty", "created_at", "id"], name="contribution_of_bounty"),
            models.Index(fields=["contributor", "-created_at"], name="contribution_of_user"),
        ]

    @property
    def business_key(self) -> str:
        """The one name under which this stake entered escrow."""
        return f"{self.bounty.escrow_key}:stake:{self.id}"


class Shortlisting(models.Model):
    """Somebody with a stake finds this entry worth a share, should judging end without an award."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="shortlistings")
    contributor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "contributor"], name="shortlisted_once")
        ]


class Dispute(models.Model):
    """Somebody with a stake or an entry asks staff to decide; one may be open at a time."""

    id = OpaqueIdField(prefix="dsp")
    bounty = models.ForeignKey(Bounty, on_delete=models.PROTECT, related_name="disputes")
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField()
    created_at = models.DateTimeField(default=clock.now)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    outcome = models.CharField(max_length=20, blank=True)
    answer = models.TextField(blank=True)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bounty"], name="dispute_open_once", condition=Q(resolved_at__isnull=True)
            )
        ]


class BountyEvent(models.Model):
    """A line of the timeline. Lines are added, never changed: the database refuses."""

    id = models.BigAutoField(primary_key=True)
    bounty = models.ForeignKey(Bounty, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20, choices=EventKind.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, related_name="+")
    contribution = models.ForeignKey(
        Contribution, on_delete=models.PROTECT, null=True, related_name="+"
    )
    amount_sparks = models.PositiveBigIntegerField(null=True)
    transfer_id = models.CharField(max_length=40, blank=True)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["bounty", "id"], name="bounty_timeline")]
