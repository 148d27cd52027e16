"""The whole address space."""

from __future__ import annotations

from django.urls import include, path

from atelier.config import health

urlpatterns = [
    path("healthz", health.live),
    path("readyz", health.ready),
    path("metrics", health.metrics),
    path("api/", include("atelier.api.urls")),
    path("", include("atelier.web.urls")),
]
