"""Addresses of the JSON interfaces."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from atelier.api.v2 import api as v2

urlpatterns: list[URLPattern | URLResolver] = [
    path("v2/", v2.urls),
    path("", include("atelier.api.v1.urls")),
]
