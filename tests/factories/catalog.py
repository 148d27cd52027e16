"""Models, versions and files for tests, made through the services."""

from __future__ import annotations

import base64
import io
import itertools
from typing import TYPE_CHECKING, Any

from tests.factories import accounts
from tests.factories.weights import safetensors

from atelier.catalog import services, uploads
from atelier.core import storage

if TYPE_CHECKING:
    from atelier.accounts.models import User
    from atelier.catalog.models import AiModel, ModelFile, ModelVersion, Upload

_numbers = itertools.count(1)


def upload(owner: User, data: bytes | None = None, *, name: str = "weights.safetensors") -> Upload:
    """A finished upload."""
    content = safetensors() if data is None else data
    encoded = base64.b64encode(name.encode()).decode()
    made = uploads.create(owner=owner, length=len(content), metadata=f"filename {encoded}")
    uploads.append(upload=made, offset=0, stream=io.BytesIO(content), length=len(content))
    made.refresh_from_db()
    return made


def model(owner: User | None = None, **fields: Any) -> AiModel:
    """A draft model."""
    return services.create_model(
        **{
            "owner": owner or accounts.user(),
            "name": f"Model {next(_numbers)}",
            "type": "LORA",
            "base_model": "Atelier Base",
            **fields,
        }
    )


def quarantined(
    owner: User | None = None, data: bytes | None = None, **fields: Any
) -> ModelVersion:
    """A draft version with an uploaded file that nobody has looked at."""
    parent = model(owner, **fields)
    version = services.create_version(model=parent, actor=parent.owner, name="v1")
    services.add_file_from_upload(
        version=version, actor=parent.owner, upload_id=upload(parent.owner, data).pk
    )
    version.refresh_from_db()
    return version


def cleared(owner: User | None = None, data: bytes | None = None, **fields: Any) -> ModelVersion:
    """A draft version that staff cleared."""
    version = quarantined(owner, data, **fields)
    return services.clear_version(version_id=version.pk, actor=accounts.staff())


def published(owner: User | None = None, data: bytes | None = None, **fields: Any) -> ModelVersion:
    """A version that everybody may have."""
    version = cleared(owner, data, **fields)
    return services.publish(version=version, actor=version.model.owner)


def trained(owner: User | None = None, **fields: Any) -> ModelVersion:
    """A draft version trained here."""
    stored = storage.blobs().put_bytes(safetensors())
    return services.register_trained_version(
        **{
            "owner": owner or accounts.user(),
            "name": f"Trained {next(_numbers)}",
            "trigger_words": ["mascotfox"],
            "training_settings": {"steps": 40},
            "sample_media_ids": [],
            "training_id": f"trn_{next(_numbers)}",
            "epoch": 1,
            "blob_sha256": stored.sha256,
            **fields,
        }
    )


def file_of(version: ModelVersion) -> ModelFile:
    """The one file of a version."""
    return version.files.get()
