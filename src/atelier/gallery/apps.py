from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from typing_extensions import override


class GalleryConfig(AppConfig):
    name = "atelier.gallery"
    label = "gallery"

    @override
    def ready(self) -> None:
        from atelier.core import outbox

        outbox.subscribe("catalog.version_published", _show_samples)
        outbox.subscribe("gallery.post_published", _count)
        outbox.subscribe("gallery.images_back", _count)
        outbox.subscribe("gallery.images_gone", _uncount)


def _show_samples(payload: dict[str, Any]) -> None:
    from atelier.gallery.services import showcase

    showcase.show_samples(payload)


def _count(payload: dict[str, Any]) -> None:
    from atelier.gallery.services import counting

    counting.count_for_models(payload)


def _uncount(payload: dict[str, Any]) -> None:
    from atelier.gallery.services import counting

    counting.count_for_models(payload, sign=-1)
