from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import AppConfig
from typing_extensions import override

if TYPE_CHECKING:
    from atelier.accounts.models import User


class WebConfig(AppConfig):
    name = "atelier.web"
    label = "web"

    @override
    def ready(self) -> None:
        # Bounties and talk stand side by side and do not know each other; this layer knows both.
        from atelier.social import targets

        targets.register("bounty", _bounty_owner)


def _bounty_owner(bounty_id: str, viewer: User | None) -> int:
    from atelier.bounties import queries

    return queries.find(bounty_id=bounty_id, viewer=viewer).owner_id
