"""Everything that asks the judge, by name."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What somebody is about to do."""

    MEDIA_INTAKE = "media_intake"
    BOUNTY_CREATE = "bounty_create"
    BOUNTY_EDIT = "bounty_edit"
    CONTRIBUTE = "contribute"
    ENTRY_CREATE = "entry_create"
    AWARD = "award"
    PAYOUT = "payout"
    DATASET_INTAKE = "dataset_intake"
    TRAINING_START = "training_start"
    TRAINING_RUN = "training_run"
    TRAINING_PUBLISH = "training_publish"
    MODEL_CREATE = "model_create"
    MODEL_TEXT = "model_text"
    VERSION_PUBLISH = "version_publish"
    DOWNLOAD = "download"
    GENERATION_ENQUEUE = "generation_enqueue"
    GENERATION_START = "generation_start"
    GENERATION_RELEASE = "generation_release"
    POST_CREATE = "post_create"
    REMIX = "remix"
    COMMENT = "comment"
    REVIEW = "review"
    MESSAGE = "message"
    PROFILE_TEXT = "profile_text"
    WISH_CREATE = "wish_create"
    COLLECTION = "collection"


# A hold has a place to wait only here; everywhere else it is a refusal.
HOLDABLE = frozenset(
    {Action.BOUNTY_CREATE, Action.BOUNTY_EDIT, Action.ENTRY_CREATE, Action.WISH_CREATE}
)

# Words that say what somebody wants made, or what a thing is: names and relations end it.
COMMISSIONS = frozenset(
    {
        Action.BOUNTY_CREATE,
        Action.BOUNTY_EDIT,
        Action.ENTRY_CREATE,
        Action.CONTRIBUTE,
        Action.AWARD,
        Action.WISH_CREATE,
        Action.DATASET_INTAKE,
        Action.TRAINING_START,
        Action.TRAINING_RUN,
        Action.TRAINING_PUBLISH,
        Action.MODEL_CREATE,
        Action.MODEL_TEXT,
        Action.VERSION_PUBLISH,
        Action.COLLECTION,
    }
)
PROMPTS = frozenset(
    {
        Action.GENERATION_ENQUEUE,
        Action.GENERATION_START,
        Action.GENERATION_RELEASE,
        Action.POST_CREATE,
        Action.REMIX,
    }
)
TALK = frozenset({Action.COMMENT, Action.REVIEW, Action.MESSAGE})

# Where a picture of our own generator may show a face that nobody has: its resources were decided
# on. A model's samples and whatever a commission delivers may not, for there it would be a person.
GENERATED_FACES_PASS = frozenset(
    {
        Action.MEDIA_INTAKE,
        Action.GENERATION_RELEASE,
        Action.POST_CREATE,
        Action.REMIX,
        Action.COLLECTION,
        Action.PROFILE_TEXT,
    }
)

SWITCHED_BY: dict[str, frozenset[Action]] = {
    "uploads": frozenset({Action.MEDIA_INTAKE, Action.DATASET_INTAKE, Action.MODEL_CREATE}),
    "training": frozenset(
        {
            Action.DATASET_INTAKE,
            Action.TRAINING_START,
            Action.TRAINING_RUN,
            Action.TRAINING_PUBLISH,
        }
    ),
    "generation": frozenset(
        {Action.GENERATION_ENQUEUE, Action.GENERATION_START, Action.GENERATION_RELEASE}
    ),
}
