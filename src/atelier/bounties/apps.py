"""The bounties app, and the news from the catalog that it waits for."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from typing_extensions import override

from atelier.core import outbox


class BountiesConfig(AppConfig):
    name = "atelier.bounties"
    label = "bounties"

    @override
    def ready(self) -> None:
        outbox.subscribe("catalog.version_cleared", _version_cleared)
        outbox.subscribe("catalog.version_refused", _version_refused)


def _version_cleared(payload: dict[str, Any]) -> None:
    from atelier.bounties import services

    services.release_cleared(version_id=payload["version_id"])


def _version_refused(payload: dict[str, Any]) -> None:
    from atelier.bounties import services

    services.release_cleared(
        version_id=payload["version_id"], refused_because=payload.get("reason") or "refused"
    )
