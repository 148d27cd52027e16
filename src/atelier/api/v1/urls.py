"""Addresses of the Civitai-compatible interface, below ``/api``."""

from __future__ import annotations

from django.urls import path, re_path

from atelier.api.v1 import downloads, images, models, people, pictures, versions

urlpatterns = [
    path("v1/models", models.index),
    path("v1/models/<str:model_id>", models.detail),
    path("v1/model-versions/by-hash", versions.many_by_hash),
    path("v1/model-versions/by-hash/ids", versions.ids_by_hash),
    path("v1/model-versions/by-hash/<str:value>", versions.by_hash),
    path("v1/model-versions/mini/<str:version_id>", versions.mini),
    path("v1/model-versions/<str:version_id>", versions.detail),
    path("v1/images", images.index),
    path("v1/creators", people.creators),
    path("v1/tags", people.tags),
    path("v1/users", people.users),
    path("v1/me", people.me),
    path("v1/enums", people.enums),
    path("v1/permissions/check", people.permissions),
    path("download/models/<str:version_id>", downloads.version),
    path("download/training-data/<str:version_id>", downloads.training_data),
    path("download/files/<int:file_id>/<str:name>", downloads.file),
    re_path(
        r"^pictures/atelier/(?P<media_id>[a-z0-9_]+)/(?P<params>[^?]+)/(?P<name>[\w.\-]+)$",
        pictures.picture,
    ),
    path("v1/<path:rest>", people.missing),
]
