from __future__ import annotations

from django.apps import AppConfig
from typing_extensions import override


class TrainingConfig(AppConfig):
    name = "atelier.training"
    label = "training"

    @override
    def ready(self) -> None:
        from atelier.core import events, queue
        from atelier.core import worker as core_worker
        from atelier.jobs import permits
        from atelier.jobs.models import JobKind
        from atelier.training import queries, tasks

        permits.register(JobKind.TRAINING, tasks.run)
        core_worker.accompany(queue.TRAINING_QUEUE, tasks.report)
        events.register_reader("training", queries.live_state)
