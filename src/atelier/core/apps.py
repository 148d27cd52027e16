"""The core app: tables without a domain (outbox, idempotency records, tickets, mail)."""

from __future__ import annotations

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "atelier.core"
    label = "core"
    default_auto_field = "django.db.models.BigAutoField"
