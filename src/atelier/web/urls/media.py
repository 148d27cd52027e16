from __future__ import annotations

from django.urls import path, re_path

from atelier.web.views import media

urlpatterns = [
    re_path(
        r"^media/(?P<media_id>med_[0-9a-z]{26})/(?P<width>[0-9]{1,5})\.(?P<fmt>avif|webp)$",
        media.derivative,
        name="media",
    ),
    path("media/<str:media_id>/original.png", media.original, name="media_original"),
]
