"""The ASGI entry point: live events only. Pages and API are WSGI."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atelier.config.settings")
django.setup()

from django.conf import settings  # noqa: E402 -- Django must be set up first

from atelier.core.events_stream import application as events_application  # noqa: E402 -- as above


def _origins() -> set[str]:
    origins = {settings.BASE_URL}
    if settings.ENVIRONMENT.on_loopback:
        port = settings.ENVIRONMENT.port
        origins |= {f"http://{name}:{port}" for name in ("localhost", "127.0.0.1", "[::1]")}
    return origins


application = events_application(allowed_origins=_origins())
