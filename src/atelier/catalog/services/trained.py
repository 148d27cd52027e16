"""From an epoch of a training here to a draft version with its samples, settings and origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection

from atelier.catalog import hashing, locks, safetensors_header
from atelier.catalog.models import AiModel, Clearance, ModelVersion, Source, Status
from atelier.catalog.services import making
from atelier.catalog.services.files import attach
from atelier.catalog.vocabulary import ATELIER_BASE, ModelType
from atelier.core import db, storage
from atelier.core.errors import Invalid, NotOwner, WrongState
from atelier.likeness import services as likeness
from atelier.likeness.refs import Ref

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from atelier.accounts.models import User


def register_trained_version(
    *,
    owner: User,
    name: str,
    trigger_words: Sequence[str],
    training_settings: Mapping[str, Any],
    sample_media_ids: Sequence[str],
    training_id: str,
    epoch: int,
    safetensors_path: Path | None = None,
    blob_sha256: str = "",
    base_model: str = ATELIER_BASE,
    dataset_ref: str = "",
    model: AiModel | None = None,
    version_name: str = "",
    description: str = "",
    tags: Sequence[str] = (),
    parents: Sequence[Ref] = (),
) -> ModelVersion:
    """A cleared draft made of an epoch; the same epoch again answers the version it became.

    Without ``model`` a draft model called ``name`` is made. The weights are the file at
    ``safetensors_path``, which stays where it is, or a blob that is stored already.
    """
    if not training_id or epoch < 1:
        raise Invalid.field("epoch", "a trained version names its training and epoch")
    made_before = _made_before(owner, training_id, epoch)
    if made_before is not None:
        return made_before
    sha256 = blob_sha256
    if safetensors_path is not None:
        with safetensors_path.open("rb") as stream:
            sha256 = storage.blobs().put(stream).sha256
    with storage.blobs().open(sha256) as stream:
        hashes = hashing.hash_stream(stream)
    with storage.blobs().open(sha256) as stream:
        header = safetensors_header.read(stream, size=hashes.size)
    with db.locking():
        # Before the model exists there is no row to lock, so the training's name is the lock.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [training_id])
        made_before = _made_before(owner, training_id, epoch)
        if made_before is not None:
            return made_before
        if model is None:
            made = making.create_model(
                owner=owner,
                name=name,
                type=ModelType.LORA,
                base_model=base_model,
                description=description,
                tags=tags,
            )
            parent = locks.model(made.pk)
        else:
            parent = locks.model(model.pk)
            if parent.owner_id != owner.pk:
                raise NotOwner("This model is not yours.")
            if parent.status in {Status.HIDDEN, Status.REMOVED}:
                raise WrongState("Staff took this model down, so it gets no new versions now.")
        version = ModelVersion.objects.create(
            model=parent,
            index=making.next_index(parent),
            name=(version_name or f"Epoch {epoch}")[: making.MAX_VERSION_NAME],
            base_model=making.check_base_model(base_model),
            trained_words=making.check_words(trigger_words),
            source=Source.TRAINED,
            clearance=Clearance.CLEARED,
            training_id=training_id,
            training_epoch=epoch,
            training_settings=dict(training_settings),
            dataset_ref=dataset_ref,
            sample_media_ids=list(sample_media_ids),
        )
        attach(
            model=parent,
            version=version,
            header=header,
            hashes=hashes,
            uploaded_name=f"{parent.slug}.safetensors",
        )
        likeness.register_resource(
            kind="version",
            ref=str(version.pk),
            owner_id=owner.pk,
            detected_class="none",
            parents=[Ref("training", training_id), *parents],
        )
    return version


def _made_before(owner: User, training_id: str, epoch: int) -> ModelVersion | None:
    version = (
        ModelVersion.objects.select_related("model")
        .filter(training_id=training_id, training_epoch=epoch)
        .first()
    )
    if version is not None and version.model.owner_id != owner.pk:
        raise NotOwner("This epoch became somebody else's version.")
    return version
