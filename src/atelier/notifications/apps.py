from __future__ import annotations

from django.apps import AppConfig
from typing_extensions import override


class NotificationsConfig(AppConfig):
    name = "atelier.notifications"
    label = "notifications"

    @override
    def ready(self) -> None:
        from atelier.notifications import news

        news.subscribe()
