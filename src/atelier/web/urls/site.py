from __future__ import annotations

from django.urls import path

from atelier.web.views import site

urlpatterns = [
    path("create", site.create, name="create"),
    path("about", site.about, name="about"),
    path("verify", site.verify, name="verify"),
    path("transparency", site.transparency, name="transparency"),
    path("docs", site.docs, name="docs"),
    path("docs/errors", site.errors, name="errors"),
]
