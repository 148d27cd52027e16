from __future__ import annotations

from django.urls import path, re_path

from atelier.web.views import models, upload

urlpatterns = [
    path("models", models.index, name="models"),
    path("models/new", upload.new, name="model_new"),
    path("models/<int:model_id>", models.detail, name="model_by_id"),
    path("models/<int:model_id>/edit", upload.edit, name="model_edit"),
    path("models/<int:model_id>/<slug:slug>", models.detail, name="model"),
    path("versions/<int:version_id>/edit", upload.edit_version, name="version_edit"),
    path("versions/<int:version_id>/publish", upload.publish, name="version_publish"),
    path("versions/<int:version_id>/unpublish", upload.unpublish, name="version_unpublish"),
    path("model-versions/<int:version_id>", models.version, name="version"),
    path("login", models.login, name="login_for_tools"),
    re_path(r"^(?:/+)(?P<rest>api/.*)$", models.single_slash),
]
