from __future__ import annotations

from django.apps import AppConfig


class LikenessConfig(AppConfig):
    name = "atelier.likeness"
    label = "likeness"
