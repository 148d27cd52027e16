"""Timers of bounties: one job at the moment that is due, and a sweep for what got lost."""

from __future__ import annotations

from atelier.core import queue


@queue.task(name="bounties.tick")
def tick(bounty_id: str) -> None:
    from atelier.bounties import services

    services.tick(bounty_id=bounty_id)


@queue.task(name="bounties.sweep", every="* * * * *")
def sweep(timestamp: int) -> None:
    from atelier.bounties import services

    del timestamp
    services.sweep()
