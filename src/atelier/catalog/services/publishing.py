"""Making versions public, and taking models down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atelier.catalog import locks
from atelier.catalog.errors import Quarantined
from atelier.catalog.models import Access, AiModel, Clearance, ModelVersion, Status
from atelier.core import clock, db, outbox
from atelier.core.errors import Invalid, NotOwner, WrongState
from atelier.likeness import services as likeness
from atelier.likeness.actions import Action
from atelier.likeness.refs import Ref
from atelier.media import services as media

if TYPE_CHECKING:
    from atelier.accounts.models import User


def publish(*, version: ModelVersion, actor: User | None) -> ModelVersion:
    """Makes a version, and with it its model, public; a public one stays as it is.

    ``actor`` is the owner, or ``None`` when an award publishes what it bought.
    """
    with db.locking():
        model, row = locks.version(version.pk)
        if actor is not None and model.owner_id != actor.pk:
            raise NotOwner("Only its maker can publish this version.")
        if row.status == Status.PUBLISHED:
            return row
        _require_publishable(model, row)
        likeness.decide(
            action=Action.VERSION_PUBLISH,
            actor_id=model.owner_id,
            subjects=[
                Ref("version", row.pk),
                Ref("model", model.pk),
                *(Ref("media", sample) for sample in row.sample_media_ids),
            ],
            texts={
                "name": f"{model.name} {row.name}",
                "description": f"{model.description}\n{row.description}",
                "trained_words": ", ".join(row.trained_words),
            },
        )
        now = clock.now()
        row.status = Status.PUBLISHED
        row.published_at = row.published_at or now
        row.updated_at = now
        row.save(update_fields=["status", "published_at", "updated_at"])
        model.status = Status.PUBLISHED
        model.published_at = model.published_at or now
        model.last_version_at = now
        model.updated_at = now
        model.save(update_fields=["status", "published_at", "last_version_at", "updated_at"])
        media.publish(media_ids=row.sample_media_ids)
        outbox.publish(
            "catalog.version_published",
            {"version_id": row.pk, "model_id": model.pk, "owner_id": model.owner_id},
        )
    return row


def _require_publishable(model: AiModel, version: ModelVersion) -> None:
    if Status.HIDDEN in {model.status, version.status}:
        raise WrongState("Staff took this down; it cannot be published.")
    if Status.REMOVED in {model.status, version.status}:
        raise WrongState("This was removed; it cannot be published.")
    if not version.files.exists():
        raise Invalid("Add a file before you publish this version.")
    if version.clearance == Clearance.REFUSED:
        raise Quarantined(f"These weights were refused: {version.clearance_reason}")
    if version.clearance != Clearance.CLEARED:
        raise Quarantined(
            "Weights from elsewhere wait for a review before anybody can have them. You will hear "
            "when it is done."
        )
    if version.access == Access.LOCKED:
        raise WrongState("This version is submitted to a bounty; it opens when that is decided.")


def unpublish(*, version: ModelVersion, actor: User) -> ModelVersion:
    """Takes a version back to a draft; the model follows when nothing of it is public."""
    with db.locking():
        model, row = locks.version(version.pk)
        if model.owner_id != actor.pk:
            raise NotOwner("Only its maker can take this version back.")
        if row.status != Status.PUBLISHED:
            raise WrongState("This version is not public.")
        row.status = Status.DRAFT
        row.updated_at = clock.now()
        row.save(update_fields=["status", "updated_at"])
        if (
            model.status == Status.PUBLISHED
            and not model.versions.filter(status=Status.PUBLISHED).exists()
        ):
            model.status = Status.DRAFT
            model.save(update_fields=["status"])
    return row


def hide_model(*, model_id: int) -> AiModel:
    """Takes a model away from everybody but staff; :func:`unhide_model` brings it back."""
    return _take_down(model_id, Status.HIDDEN)


def remove_model(*, model_id: int) -> AiModel:
    """Takes a model away for good."""
    return _take_down(model_id, Status.REMOVED)


def _take_down(model_id: int, status: Status) -> AiModel:
    with db.locking():
        row = locks.model(model_id)
        if row.status != Status.REMOVED:
            row.status = status
            row.updated_at = clock.now()
            row.save(update_fields=["status", "updated_at"])
    return row


def unhide_model(*, model_id: int) -> AiModel:
    """Gives a hidden model back as it was."""
    with db.locking():
        row = locks.model(model_id)
        if row.status != Status.HIDDEN:
            raise WrongState("This model is not hidden.")
        public = row.versions.filter(status=Status.PUBLISHED).exists()
        row.status = Status.PUBLISHED if public else Status.DRAFT
        row.updated_at = clock.now()
        row.save(update_fields=["status", "updated_at"])
    return row
