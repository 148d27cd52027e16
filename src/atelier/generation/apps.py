from __future__ import annotations

from django.apps import AppConfig


class GenerationConfig(AppConfig):
    name = "atelier.generation"
    label = "generation"

    def ready(self) -> None:
        from atelier.generation import tasks
        from atelier.jobs import permits
        from atelier.jobs.models import JobKind

        permits.register(JobKind.GENERATION, tasks.run)
