from __future__ import annotations

from django.apps import AppConfig
from typing_extensions import override


class GenerationConfig(AppConfig):
    name = "atelier.generation"
    label = "generation"

    @override
    def ready(self) -> None:
        from atelier.core import events, queue
        from atelier.core import worker as core_worker
        from atelier.generation import queries, tasks
        from atelier.jobs import permits
        from atelier.jobs.models import JobKind

        permits.register(JobKind.GENERATION, tasks.run)
        core_worker.accompany(queue.GENERATION_QUEUE, tasks.report)
        events.register_reader("generation", queries.live_state)
