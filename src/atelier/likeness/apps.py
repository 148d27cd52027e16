from __future__ import annotations

from django.apps import AppConfig
from typing_extensions import override


class LikenessConfig(AppConfig):
    name = "atelier.likeness"
    label = "likeness"

    @override
    def ready(self) -> None:
        from atelier.likeness import services
        from atelier.media import services as media

        media.set_judge(services.judge_intake)
