"""Sharing models: models, their versions, and their files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema

from atelier.api.v2 import people
from atelier.api.v2.common import json_response, optional_viewer, page_response, viewer_of
from atelier.catalog import queries, services
from atelier.catalog.models import ModelFile, ModelVersion
from atelier.catalog.services import Permissions
from atelier.catalog.vocabulary import MAX_INT, FileType, License
from atelier.core import pagination
from atelier.core.errors import NotFound

if TYPE_CHECKING:
    from atelier.accounts.models import User
    from atelier.catalog.models import AiModel

router = Router(tags=["Models"])


class PermissionsIn(Schema):
    """What others may do with a model."""

    license: str = License.OPENRAIL_M
    allow_no_credit: bool = True
    allow_commercial_use: list[str] = Field(default_factory=lambda: ["Image"])
    allow_derivatives: bool = True
    allow_different_license: bool = True


class ModelIn(Schema):
    """A new model."""

    name: str
    type: str
    base_model: str = ""
    description: str = ""
    tags: list[str] = Field(default_factory=list)
    permissions: PermissionsIn | None = None


class ModelChange(Schema):
    """What to change; what is left out stays."""

    name: str | None = None
    description: str | None = None
    tags: list[str] | None = None
    permissions: PermissionsIn | None = None


class VersionIn(Schema):
    """A new version; ``base_model`` is the model's unless given."""

    name: str
    description: str = ""
    base_model: str = ""
    trained_words: list[str] = Field(default_factory=list)


class VersionChange(Schema):
    """What to change; what is left out stays."""

    name: str | None = None
    description: str | None = None
    trained_words: list[str] | None = None


class FileIn(Schema):
    """A finished upload that becomes a file."""

    upload: str
    type: str = FileType.MODEL


def _user(request: HttpRequest) -> User | None:
    viewer = optional_viewer(request)
    return viewer.user if viewer else None


def _permissions(body: PermissionsIn | None) -> Permissions | None:
    return Permissions(**body.dict()) if body else None


def _id(number: int) -> int:
    if not 1 <= number <= MAX_INT:
        raise NotFound("There is nothing with this id.")
    return number


@router.post("/models")
def create(request: HttpRequest, body: ModelIn) -> HttpResponse:
    """A draft model of one's own."""
    model = services.create_model(
        owner=viewer_of(request).user,
        name=body.name,
        type=body.type,
        base_model=body.base_model,
        description=body.description,
        tags=body.tags,
        permissions=_permissions(body.permissions),
    )
    return json_response(render_model(model, viewer=viewer_of(request).user), status=201)


@router.get("/models", auth=None)
def index(
    request: HttpRequest,
    after: str | None = None,
    limit: int | None = None,
    owner: str = "",
    mine: bool = False,
) -> HttpResponse:
    """Public models, newest first; with ``mine=1`` one's own, drafts too."""
    viewer = _user(request)
    rows = queries.models_of(viewer_of(request).user) if mine else queries.published_models()
    if owner:
        rows = rows.filter(owner=people.named(owner))
    rows = rows.select_related("owner").prefetch_related(
        "tags",
        Prefetch("versions", ModelVersion.objects.prefetch_related("files").order_by("index")),
    )
    page = pagination.paginate(rows, order=("-id",), after=after, limit=limit)
    barred = queries.blocked_versions([model.pk for model in page.items])
    return page_response(page, lambda model: render_model(model, viewer=viewer, blocked=barred))


@router.get("/models/{int:model_id}", auth=None)
def detail(request: HttpRequest, model_id: int) -> HttpResponse:
    """One model, with the versions that the caller may see."""
    viewer = _user(request)
    model = queries.model_for(model_id=_id(model_id), viewer=viewer)
    return json_response(render_model(model, viewer=viewer))


@router.patch("/models/{int:model_id}")
def change(request: HttpRequest, model_id: int, body: ModelChange) -> HttpResponse:
    """Change what is said about one's own model."""
    user = viewer_of(request).user
    model = services.update_model(
        model=queries.model_for(model_id=_id(model_id), viewer=user),
        actor=user,
        name=body.name,
        description=body.description,
        tags=body.tags,
        permissions=_permissions(body.permissions),
    )
    return json_response(render_model(model, viewer=user))


@router.post("/models/{int:model_id}/versions")
def create_version(request: HttpRequest, model_id: int, body: VersionIn) -> HttpResponse:
    """A draft version, for weights that are uploaded."""
    user = viewer_of(request).user
    version = services.create_version(
        model=queries.model_for(model_id=_id(model_id), viewer=user),
        actor=user,
        name=body.name,
        description=body.description,
        base_model=body.base_model,
        trained_words=body.trained_words,
    )
    return json_response(render_version(version), status=201)


@router.get("/models/{int:model_id}/versions", auth=None)
def versions(request: HttpRequest, model_id: int) -> HttpResponse:
    """A model's versions, the current one first."""
    viewer = _user(request)
    model = queries.model_for(model_id=_id(model_id), viewer=viewer)
    found = queries.versions_for(model=model, viewer=viewer)
    return json_response({"items": [render_version(one) for one in found], "next": None})


@router.get("/versions/{int:version_id}", auth=None)
def version_detail(request: HttpRequest, version_id: int) -> HttpResponse:
    """One version."""
    version = queries.version_for(version_id=_id(version_id), viewer=_user(request))
    return json_response(render_version(version))


@router.patch("/versions/{int:version_id}")
def change_version(request: HttpRequest, version_id: int, body: VersionChange) -> HttpResponse:
    """Change what is said about a version of one's own model."""
    user = viewer_of(request).user
    version = services.update_version(
        version=queries.version_for(version_id=_id(version_id), viewer=user),
        actor=user,
        name=body.name,
        description=body.description,
        trained_words=body.trained_words,
    )
    return json_response(render_version(version))


@router.post("/versions/{int:version_id}/files")
def add_file(request: HttpRequest, version_id: int, body: FileIn) -> HttpResponse:
    """A finished upload becomes a file of a draft, which waits for review from then on."""
    user = viewer_of(request).user
    made = services.add_file_from_upload(
        version=queries.version_for(version_id=_id(version_id), viewer=user),
        actor=user,
        upload_id=body.upload,
        type=body.type,
    )
    return json_response(render_file(made), status=201)


@router.get("/versions/{int:version_id}/files", auth=None)
def files(request: HttpRequest, version_id: int) -> HttpResponse:
    """A version's files."""
    version = queries.version_for(version_id=_id(version_id), viewer=_user(request))
    found = version.files.order_by("-is_primary", "id")
    return json_response({"items": [render_file(one) for one in found], "next": None})


@router.get("/versions/{int:version_id}/files/{int:file_id}", auth=None)
def file_detail(request: HttpRequest, version_id: int, file_id: int) -> HttpResponse:
    """One file of a version."""
    version = queries.version_for(version_id=_id(version_id), viewer=_user(request))
    return json_response(
        render_file(queries.pick_file(version=version, wanted={}, file_id=_id(file_id)))
    )


@router.post("/versions/{int:version_id}/publish")
def publish(request: HttpRequest, version_id: int) -> HttpResponse:
    """Make a version of one's own model public."""
    user = viewer_of(request).user
    version = services.publish(
        version=queries.version_for(version_id=_id(version_id), viewer=user), actor=user
    )
    return json_response(render_version(version))


@router.post("/versions/{int:version_id}/unpublish")
def unpublish(request: HttpRequest, version_id: int) -> HttpResponse:
    """Take a version of one's own model back to a draft."""
    user = viewer_of(request).user
    version = services.unpublish(
        version=queries.version_for(version_id=_id(version_id), viewer=user), actor=user
    )
    return json_response(render_version(version))


def render_model(
    model: AiModel, *, viewer: User | None, blocked: frozenset[int] | None = None
) -> dict[str, Any]:
    """A model as programs see it."""
    shown = (
        queries.versions_for(model=model, viewer=viewer)
        if blocked is None
        else queries.visible_of(list(model.versions.all()), viewer=viewer, blocked=blocked)
    )
    return {
        "id": model.pk,
        "name": model.name,
        "type": model.type,
        "base_model": model.base_model,
        "status": model.status,
        "url": model.get_absolute_url(),
        "description": model.description,
        "tags": sorted(tag.name for tag in model.tags.all()),
        "owner": people.person(model.owner),
        "nsfw_level": model.nsfw_level,
        "permissions": {
            "license": model.license,
            "allow_no_credit": model.allow_no_credit,
            "allow_commercial_use": model.allow_commercial_use,
            "allow_derivatives": model.allow_derivatives,
            "allow_different_license": model.allow_different_license,
        },
        "stats": {
            "downloads": model.download_count,
            "thumbs_up": model.thumbs_up_count,
            "comments": model.comment_count,
            "images": model.image_count,
        },
        "created_at": model.created_at,
        "published_at": model.published_at,
        "versions": [render_version(version) for version in shown],
    }


def render_version(version: ModelVersion) -> dict[str, Any]:
    """A version as programs see it."""
    return {
        "id": version.pk,
        "model": version.model_id,
        "name": version.name,
        "description": version.description,
        "base_model": version.base_model,
        "trained_words": version.trained_words,
        "status": version.status,
        "clearance": version.clearance,
        "clearance_reason": version.clearance_reason,
        "access": version.access,
        "source": version.source,
        "training": version.training_id or None,
        "training_settings": version.training_settings,
        "samples": version.sample_media_ids,
        "generatable": queries.is_generatable(version),
        "download_url": f"/api/download/models/{version.pk}",
        "created_at": version.created_at,
        "published_at": version.published_at,
        "files": [
            render_file(file)
            for file in sorted(version.files.all(), key=lambda one: (not one.is_primary, one.pk))
        ],
    }


def render_file(file: ModelFile) -> dict[str, Any]:
    """A file as programs see it."""
    return {
        "id": file.pk,
        "name": file.name,
        "type": file.type,
        "size_bytes": file.size_bytes,
        "format": file.format,
        "precision": file.precision,
        "primary": file.is_primary,
        "hashes": file.hashes,
        "detected": {"type": file.detected_type, "base_model": file.detected_base},
        "header": file.header_facts,
        "download_url": f"/api/download/models/{file.version_id}?fileId={file.pk}",
        "created_at": file.created_at,
    }
