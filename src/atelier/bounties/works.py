"""The model version of an entry: claimed while it is on offer, handed over when it is paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atelier.bounties.rules import MODEL_TYPES, Kind
from atelier.catalog import queries as catalog_queries
from atelier.catalog import services as catalog
from atelier.catalog.models import Access, Clearance, ModelVersion, Status
from atelier.catalog.vocabulary import ModelType
from atelier.core.errors import Invalid, NotOwner, WrongState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atelier.accounts.models import User
    from atelier.bounties.models import Bounty, Entry

_TYPE_OF_NEW: dict[str, ModelType] = {
    Kind.CHECKPOINT: ModelType.CHECKPOINT,
    Kind.LORA: ModelType.LORA,
    Kind.EMBEDDING: ModelType.TEXTUAL_INVERSION,
}


def find(reference: int | str, *, bounty: Bounty, maker: User) -> ModelVersion:
    """The maker's own draft that an entry names, of a type that the bounty asks for."""
    version = catalog_queries.resolve(reference)
    if version.model.owner_id != maker.pk:
        raise NotOwner("This version is not yours. Enter with work of your own.")
    if version.status != Status.DRAFT:
        raise WrongState(
            "This version is public already. A bounty pays for work that is handed over with the "
            "award, so enter with a version that is not published."
        )
    wanted = MODEL_TYPES.get(bounty.kind)
    if wanted is not None and version.model.type not in wanted:
        raise Invalid.field(
            "version",
            f"is a {version.model.type}, and this bounty asks for a {Kind(bounty.kind).label}",
        )
    return version


def from_uploads(
    upload_ids: Sequence[str], *, bounty: Bounty, maker: User, description: str
) -> ModelVersion:
    """A draft made of uploaded files. It is quarantined, so the entry waits until it is cleared."""
    model = catalog.create_model(
        owner=maker,
        name=bounty.title[:100],
        type=_TYPE_OF_NEW.get(bounty.kind, ModelType.OTHER),
        description=description,
        tags=bounty.tags,
    )
    version = catalog.create_version(model=model, actor=maker, name="Entry", base_model="Other")
    for upload_id in dict.fromkeys(upload_ids):
        catalog.add_file_from_upload(version=version, actor=maker, upload_id=upload_id)
    version.refresh_from_db()
    return version


def is_cleared(version: ModelVersion) -> bool:
    """Whether anybody may be given the weights."""
    return version.clearance == Clearance.CLEARED


def claim(version: ModelVersion, *, maker: User) -> None:
    """Locks the files: strangers see the samples, nobody but the maker has the weights."""
    catalog.lock(version=version, owner=maker)


def release(entry: Entry) -> None:
    """Gives the version back to its maker as an ordinary draft; unlocked files stay unlocked."""
    if entry.version is not None and entry.version.access == Access.LOCKED:
        catalog.open_lock(version=entry.version)


def hand_over(entry: Entry, *, to: Sequence[User]) -> None:
    """Those who paid may have the files, for good."""
    if entry.version is None:
        return
    for user in to:
        catalog.unlock_for(
            version=entry.version, user=user, reason=f"Paid for in bounty {entry.bounty_id}"
        )


def publish(entry: Entry) -> ModelVersion | None:
    """What the bounty paid for becomes a model that everybody can use."""
    if entry.version is None:
        return None
    catalog.open_lock(version=entry.version)
    return catalog.publish(version=entry.version, actor=None)
