"""The numbers and words that every bounty keeps to."""

from __future__ import annotations

import datetime as dt

from django.db import models

MIN_AMOUNT_SPARKS = 500
MIN_CONTRIBUTION_SPARKS = 50
MAX_AMOUNT_SPARKS = 100_000_000
MIN_TITLE, MAX_TITLE = 3, 120
MAX_DESCRIPTION = 10_000
MAX_REASON = 2_000
MAX_IMAGES = 10
MAX_TAGS = 10
MAX_TAG = 40
MAX_LIVE_ENTRIES_PER_MAKER = 5

LONGEST = dt.timedelta(days=90)
JUDGING = dt.timedelta(hours=48)
# A bounty whose timer ran late (the site was down) still gets its full 48 hours of judging.
LATE = dt.timedelta(hours=1)
# After an award, contributors who judge for themselves have this long to give their own stake.
SETTLING = dt.timedelta(hours=48)
# Staff decide earlier; these only make sure that no Spark waits for ever.
DISPUTE_LASTS = dt.timedelta(days=14)
FREEZE_LASTS = dt.timedelta(days=30)
NEWCOMER = dt.timedelta(days=7)
NEWCOMER_OPEN_BOUNTIES = 1


class Status(models.TextChoices):
    """Where a bounty stands in its life."""

    DRAFT = "draft", "Draft"
    SCREENING = "screening", "In review"
    AWAITING_CONSENT = "awaiting_consent", "Awaiting consent"
    OPEN = "open", "Open"
    JUDGING = "judging", "Judging"
    AWARDED = "awarded", "Awarded"
    SETTLED = "settled", "Settled"
    REFUNDED = "refunded", "Refunded"
    CANCELLED = "cancelled", "Cancelled"
    DISPUTED = "disputed", "Disputed"
    FROZEN = "frozen", "Frozen"
    VOID_CONSENT = "void_consent", "Consent withdrawn"


FINAL = frozenset({Status.SETTLED, Status.REFUNDED, Status.CANCELLED, Status.VOID_CONSENT})
# Seen by the owner and staff alone (a frozen one also by those with a stake or an entry in it).
INVISIBLE = frozenset(
    {Status.DRAFT, Status.SCREENING, Status.AWAITING_CONSENT, Status.FROZEN, Status.VOID_CONSENT}
)
RUNNING = frozenset(
    {
        Status.SCREENING,
        Status.AWAITING_CONSENT,
        Status.OPEN,
        Status.JUDGING,
        Status.DISPUTED,
        Status.FROZEN,
    }
)


class Kind(models.TextChoices):
    """What is commissioned."""

    CHECKPOINT = "checkpoint", "Checkpoint"
    LORA = "lora", "LoRA"
    EMBEDDING = "embedding", "Embedding"
    DATASET = "dataset", "Dataset"
    IMAGES = "images", "Images"
    WORKFLOW = "workflow", "Workflow"
    OTHER = "other", "Something else"


# An entry to these is a model version of one of these types (the catalog's words).
MODEL_TYPES: dict[str, frozenset[str]] = {
    Kind.CHECKPOINT: frozenset({"Checkpoint"}),
    Kind.LORA: frozenset({"LORA", "LoCon", "DoRA"}),
    Kind.EMBEDDING: frozenset({"TextualInversion"}),
}


class Rule(models.TextChoices):
    """What happens when judging ends without an award; declared when the bounty opens."""

    REFUND = "refund", "Everyone gets their Sparks back"
    SPLIT_SHORTLIST = "split_shortlist", "Shortlisted entries share the Sparks equally"


class Judge(models.TextChoices):
    """Who decides where a contributor's stake goes."""

    CREATOR = "creator", "The bounty's creator"
    SELF = "self", "The contributor"


class StakeStatus(models.TextChoices):
    """A stake is in escrow until it is paid out or given back, once."""

    HELD = "held", "In escrow"
    PAID = "paid", "Paid"
    REFUNDED = "refunded", "Given back"


class EntryStatus(models.TextChoices):
    """Where an entry stands."""

    SCREENING = "screening", "In review"
    SUBMITTED = "submitted", "Submitted"
    AWARDED = "awarded", "Awarded"
    REJECTED = "rejected", "Not chosen"
    WITHDRAWN = "withdrawn", "Withdrawn"


LIVE_ENTRY = frozenset({EntryStatus.SCREENING, EntryStatus.SUBMITTED})
SHOWN_ENTRY = frozenset({EntryStatus.SUBMITTED, EntryStatus.AWARDED, EntryStatus.REJECTED})


class EventKind(models.TextChoices):
    """What a line of the timeline tells."""

    SENT_TO_REVIEW = "sent_to_review", "Sent to review"
    OPENED = "opened", "Opened"
    REVIEW_REFUSED = "review_refused", "Refused by review"
    EDITED = "edited", "Edited"
    EXTENDED = "extended", "Deadline extended"
    CONTRIBUTED = "contributed", "Contributed"
    ENTERED = "entered", "Entered"
    ENTRY_REFUSED = "entry_refused", "Entry refused by review"
    ENTRY_WITHDRAWN = "entry_withdrawn", "Entry withdrawn"
    ENTRY_REMOVED = "entry_removed", "Entry removed by staff"
    SHORTLISTED = "shortlisted", "Shortlisted"
    UNSHORTLISTED = "unshortlisted", "Taken off the shortlist"
    JUDGING = "judging", "Judging began"
    AWARDED = "awarded", "Awarded"
    PAID = "paid", "Paid"
    REFUNDED = "refunded", "Given back"
    PUBLISHED = "published", "Model published"
    DISPUTED = "disputed", "Disputed"
    DISPUTE_RESOLVED = "dispute_resolved", "Dispute decided"
    FROZEN = "frozen", "Frozen by staff"
    UNFROZEN = "unfrozen", "Unfrozen"
    CANCELLED = "cancelled", "Cancelled"
    CLOSED = "closed", "Closed"
