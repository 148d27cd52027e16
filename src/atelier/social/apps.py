from __future__ import annotations

from django.apps import AppConfig
from typing_extensions import override


class SocialConfig(AppConfig):
    name = "atelier.social"
    label = "social"

    @override
    def ready(self) -> None:
        from atelier.core import outbox
        from atelier.social import rewards, targets

        targets.register_own()
        outbox.subscribe("gallery.post_published", rewards.reward_post)
