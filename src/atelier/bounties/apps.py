from __future__ import annotations

from django.apps import AppConfig


class BountiesConfig(AppConfig):
    name = "atelier.bounties"
    label = "bounties"
