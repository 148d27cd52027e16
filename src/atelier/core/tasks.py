"""Tasks of the core: outbox delivery, and sweeping what has served its time."""

from __future__ import annotations

import asyncio

from procrastinate.contrib.django import app

from atelier.core import events, idempotency, outbox, queue, ratelimit


@queue.task(name="core.deliver_outbox")
def deliver_outbox() -> None:
    outbox.deliver()


@queue.task(name="core.sweep_outbox", every="* * * * *")
def sweep_outbox(timestamp: int) -> None:
    """Catches events whose delivery failed or whose waking job was lost."""
    del timestamp
    outbox.deliver()


@queue.task(name="core.forget_expired", every="17 * * * *")
def forget_expired(timestamp: int) -> None:
    del timestamp
    idempotency.forget_expired()
    events.forget_expired()
    ratelimit.forget_full()


@queue.task(name="core.retry_stalled", every="* * * * *")
def retry_stalled(timestamp: int) -> None:
    """Puts back queue rows whose worker was killed in the middle and so never gave them back."""
    del timestamp

    async def retry() -> None:
        manager = app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=30):
            await manager.retry_job(job)

    asyncio.run(retry())
