"""Addresses of Train."""

from __future__ import annotations

from django.urls import path, re_path

from atelier.web.views import train as views

urlpatterns = [
    path("train", views.train, name="train"),
    re_path(
        r"^train/drafts/(?P<draft_id>tdf_\w+)/(?P<step>pictures|captions|settings|review)$",
        views.draft,
        name="train_draft",
    ),
    path("train/drafts/<str:draft_id>/delete", views.throw_away, name="train_draft_delete"),
    path("train/<str:training_id>", views.training, name="training"),
    path("train/<str:training_id>/cancel", views.cancel, name="training_cancel"),
    path(
        "train/<str:training_id>/epochs/<int:number>/version",
        views.version,
        name="training_version",
    ),
]
