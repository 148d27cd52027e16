"""The site's own base model, as a model like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atelier.accounts import queries as accounts_queries
from atelier.accounts import services as accounts
from atelier.catalog import hashing, locks
from atelier.catalog.models import AiModel, Clearance, ModelFile, ModelVersion, Source, Status
from atelier.catalog.services import making
from atelier.catalog.services.files import attach, check
from atelier.catalog.vocabulary import ATELIER_BASE, License, ModelType
from atelier.core import clock, db, storage
from atelier.likeness import services as likeness

if TYPE_CHECKING:
    from pathlib import Path

    from atelier.accounts.models import User
    from atelier.catalog.safetensors_header import Header

SYSTEM_USER = "atelier"
DESCRIPTION = (
    "The small base model that this site draws and trains with. It knows drawn things, not people; "
    "its card in the repository says what it was trained on."
)


def ensure_base_model(*, path: Path) -> ModelVersion:
    """The published version whose file is ``path``; made when it is not there, else left alone."""
    header = check(path=path, name=path.name)
    hashes = hashing.hash_file(path)
    with db.locking():
        owner = _system_user()
        model = AiModel.objects.filter(owner=owner, name=ATELIER_BASE).order_by("id").first()
        if model is None:
            model = _make_model(owner)
        model = locks.model(model.pk)
        known = ModelFile.objects.filter(version__model=model, sha256=hashes.sha256).first()
        if known is not None:
            return known.version
        with path.open("rb") as stream:
            storage.blobs().put(stream)
        return _make_version(model, header=header, hashes=hashes)


def _system_user() -> User:
    found = accounts_queries.by_username(SYSTEM_USER)
    if found is not None:
        return found
    return accounts.create_user(
        username=SYSTEM_USER, email="atelier@localhost.localdomain", password=None
    )


def _make_model(owner: User) -> AiModel:
    model = AiModel.objects.create(
        owner=owner,
        name=ATELIER_BASE,
        type=ModelType.CHECKPOINT,
        base_model=ATELIER_BASE,
        description=DESCRIPTION,
        description_html=f"<p>{DESCRIPTION}</p>",
        license=License.APACHE_2,
        allow_commercial_use=["Image", "RentCivit", "Rent", "Sell"],
    )
    making.set_tags(model, ["base model"])
    return model


def _make_version(model: AiModel, *, header: Header, hashes: hashing.FileHashes) -> ModelVersion:
    now = clock.now()
    # The newest one first: clients take the first version for the current one.
    for other in model.versions.order_by("-index"):
        other.index += 1
        other.save(update_fields=["index"])
    count = model.versions.count()
    version = ModelVersion.objects.create(
        model=model,
        index=0,
        name=f"v{count + 1}",
        base_model=ATELIER_BASE,
        source=Source.BASE,
        clearance=Clearance.CLEARED,
        status=Status.PUBLISHED,
        published_at=now,
    )
    attach(
        model=model,
        version=version,
        header=header,
        hashes=hashes,
        uploaded_name="atelier_base.safetensors",
    )
    likeness.register_resource(
        kind="version", ref=str(version.pk), owner_id=model.owner_id, detected_class="none"
    )
    model.status = Status.PUBLISHED
    model.published_at = model.published_at or now
    model.last_version_at = model.updated_at = now
    model.save(update_fields=["status", "published_at", "last_version_at", "updated_at"])
    return version
