"""Staff's word on weights from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atelier.catalog import locks
from atelier.catalog.models import Clearance, ModelVersion, Status
from atelier.core import clock, db, outbox
from atelier.core.errors import Forbidden, Invalid, WrongState
from atelier.likeness import services as likeness

if TYPE_CHECKING:
    from atelier.accounts.models import User


def clear_version(*, version_id: int, actor: User) -> ModelVersion:
    """Lets weights out of quarantine; their owner may publish them now."""
    _require_staff(actor)
    with db.locking():
        model, row = locks.version(version_id)
        if row.clearance == Clearance.CLEARED:
            return row
        if not row.files.exists():
            raise WrongState("This version has no file that could be cleared.")
        row.clearance = Clearance.CLEARED
        row.clearance_reason = ""
        row.updated_at = clock.now()
        row.save(update_fields=["clearance", "clearance_reason", "updated_at"])
        likeness.register_resource(
            kind="version", ref=str(row.pk), owner_id=model.owner_id, detected_class="none"
        )
        outbox.publish(
            "catalog.version_cleared",
            {"version_id": row.pk, "model_id": model.pk, "owner_id": model.owner_id},
        )
    return row


def refuse_version(*, version_id: int, actor: User, reason: str) -> ModelVersion:
    """Keeps weights away from everybody for good, and says why to their owner."""
    _require_staff(actor)
    if not reason.strip():
        raise Invalid.field("reason", "is needed: the owner reads it")
    with db.locking():
        model, row = locks.version(version_id)
        row.clearance = Clearance.REFUSED
        row.clearance_reason = reason.strip()
        if row.status == Status.PUBLISHED:
            row.status = Status.HIDDEN
        row.updated_at = clock.now()
        row.save(update_fields=["clearance", "clearance_reason", "status", "updated_at"])
        outbox.publish(
            "catalog.version_refused",
            {
                "version_id": row.pk,
                "model_id": model.pk,
                "owner_id": model.owner_id,
                "reason": row.clearance_reason,
            },
        )
    return row


def _require_staff(actor: User) -> None:
    if not actor.is_staff:
        raise Forbidden("Only staff decide about weights from elsewhere.")
