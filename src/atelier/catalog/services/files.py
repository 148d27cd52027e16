"""From an upload to a file of a version: checked, hashed, stored, quarantined."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from atelier.catalog import detection, hashing, locks, safetensors_header, uploads
from atelier.catalog.errors import FileRefused
from atelier.catalog.models import (
    Access,
    AiModel,
    Clearance,
    FileHash,
    ModelFile,
    ModelVersion,
    Source,
    Status,
    Upload,
)
from atelier.catalog.services import making
from atelier.catalog.vocabulary import FileType, ModelType
from atelier.core import clock, db, outbox, storage
from atelier.core.errors import Duplicate, Forbidden, Invalid, NotOwner, WrongState
from atelier.likeness import queries as likeness_queries
from atelier.likeness import services as likeness

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from atelier.accounts.models import User
    from atelier.catalog.hashing import FileHashes
    from atelier.catalog.safetensors_header import Header
    from atelier.catalog.services.making import Permissions

MAX_FILES = 20
MAX_METADATA_VALUE = 4_000
MAX_METADATA_TOTAL = 64_000
EXTENSION = ".safetensors"
# A primary file is one that can be loaded as the model itself.
PRIMARY_TYPES = frozenset(
    {FileType.MODEL, FileType.PRUNED_MODEL, FileType.DIFFUSION_MODEL, FileType.UNET}
)
_UNSAFE = re.compile(r"[^\w.\-]+")


def add_file_from_upload(
    *,
    version: ModelVersion,
    actor: User,
    upload_id: str,
    type: str = FileType.MODEL,  # noqa: A002 - the contract's word
) -> ModelFile:
    """Takes a finished upload as a file of a draft version, which is quarantined from then on.

    A file that is not sound safetensors is refused with what it is instead; the upload stays, so
    nothing is lost and nothing changed.
    """
    if type not in FileType.values:
        raise Invalid.field("type", f"must be one of {', '.join(FileType.values)}")
    if "uploads" in likeness_queries.stopped():
        raise Forbidden("Uploads are stopped for now. Try again later.")
    _require_open(version, actor)
    upload = uploads.find(upload_id=upload_id, owner=actor)
    uploads.require_finished(upload)
    with uploads.held(upload):
        path = uploads.path_of(upload)
        header = check(path=path, name=upload.filename)
        hashes = hashing.hash_file(path)
        with db.locking():
            model, row = locks.version(version.pk)
            _require_open(row, actor)
            made = attach(
                model=model,
                version=row,
                header=header,
                hashes=hashes,
                uploaded_name=upload.filename,
                type=type,
            )
            row.clearance = Clearance.QUARANTINED
            row.updated_at = clock.now()
            row.save(update_fields=["clearance", "updated_at"])
            likeness.register_resource(
                kind="version",
                ref=str(row.pk),
                owner_id=model.owner_id,
                detected_class="unscanned",
            )
            outbox.publish(
                "catalog.version_quarantined",
                {"version_id": row.pk, "model_id": model.pk, "owner_id": model.owner_id},
            )
            Upload.objects.filter(pk=upload.pk).update(state=Upload.State.USED)
            # Last, because a file that moved does not come back when the database refuses.
            storage.blobs().adopt(path, hashes.sha256)
    return made


def share(
    *,
    owner: User,
    upload_id: str,
    name: str,
    type: str,  # noqa: A002 - the contract's word
    base_model: str,
    version_name: str = "v1",
    description: str = "",
    tags: Sequence[str] = (),
    trained_words: Sequence[str] = (),
    permissions: Permissions | None = None,
) -> ModelVersion:
    """A model, its first version and its file in one act: when one is refused, none is made."""
    with db.locking():
        model = making.create_model(
            owner=owner,
            name=name,
            type=type,
            base_model=base_model,
            description=description,
            tags=tags,
            permissions=permissions,
        )
        version = making.create_version(
            model=model, actor=owner, name=version_name, trained_words=trained_words
        )
        return add_file_from_upload(version=version, actor=owner, upload_id=upload_id).version


def check(*, path: Path, name: str) -> Header:
    """The header of a sound file; raises :class:`FileRefused` saying what is wrong with it."""
    with path.open("rb") as stream:
        header = safetensors_header.read(stream, size=path.stat().st_size)
    if not name.lower().endswith(EXTENSION):
        raise FileRefused(f"The name must end in {EXTENSION}.")
    return header


def attach(
    *,
    model: AiModel,
    version: ModelVersion,
    header: Header,
    hashes: FileHashes,
    uploaded_name: str,
    type: str = FileType.MODEL,  # noqa: A002 - the contract's word
) -> ModelFile:
    """The rows of a file that is checked and hashed. The caller holds the version's lock."""
    existing = list(version.files.values_list("sha256", "is_primary"))
    if any(sha256 == hashes.sha256 for sha256, _ in existing):
        raise Duplicate("This version has that very file already.")
    if len(existing) >= MAX_FILES:
        raise Invalid.field("files", f"a version has at most {MAX_FILES}")
    found = detection.detect(header)
    made = ModelFile.objects.create(
        version=version,
        sha256=hashes.sha256,
        name=shown_name(model=model, version=version, uploaded_name=uploaded_name),
        uploaded_name=uploaded_name,
        type=type,
        size_bytes=hashes.size,
        precision=found.precision,
        is_primary=type in PRIMARY_TYPES and not any(primary for _, primary in existing),
        hashes=hashes.values,
        detected_type=found.type,
        detected_base=found.base_model,
        header_facts=_facts(header),
    )
    FileHash.objects.bulk_create(
        FileHash(file=made, kind=kind, value=value)
        for kind, value in hashing.lookup_values(hashes.values)
    )
    return made


def shown_name(*, model: AiModel, version: ModelVersion, uploaded_name: str) -> str:
    """What a download is called: adapters keep their uploaded name, others say what they are."""
    stem = uploaded_name.removesuffix(EXTENSION)
    if model.type == ModelType.TEXTUAL_INVERSION and version.trained_words:
        stem = version.trained_words[0]
    elif model.type not in {ModelType.LORA, ModelType.LOCON, ModelType.DORA}:
        stem = f"{model.name}_{version.name}"
    clean = _UNSAFE.sub("_", stem).strip("._") or f"model_{version.pk}"
    return clean[: 160 - len(EXTENSION)] + EXTENSION


def _require_open(version: ModelVersion, actor: User) -> None:
    if version.model.owner_id != actor.pk:
        raise NotOwner("Only its maker can add files to this version.")
    if version.source != Source.UPLOADED:
        raise WrongState("This version was made here; its file is the one that was trained.")
    if version.status != Status.DRAFT:
        raise WrongState("Files are added to drafts. Make a new version for new weights.")
    if version.access == Access.LOCKED:
        raise WrongState("This version is submitted to a bounty, so its files stay as they are.")
    if version.clearance == Clearance.REFUSED:
        raise WrongState(f"These weights were refused: {version.clearance_reason}")


def _facts(header: Header) -> dict[str, Any]:
    """What the header says, small enough for a row: trainers write whole word lists into it."""
    kept: dict[str, str] = {}
    total = 0
    for key, value in sorted(header.metadata.items()):
        text = value[:MAX_METADATA_VALUE].replace("\0", "")
        total += len(key) + len(text)
        if total > MAX_METADATA_TOTAL:
            break
        kept[key.replace("\0", "")] = text
    return {
        "tensors": len(header.tensors),
        "parameters": header.parameter_count,
        "bytes_by_dtype": header.dtypes,
        "metadata": kept,
    }
