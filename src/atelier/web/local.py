"""Whether a request comes from the machine that the site runs on."""

from __future__ import annotations

import ipaddress
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest

PROXY_MARKS = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_local(request: HttpRequest) -> bool:
    """True only when everything says so: where the site listens, its public address, the caller,
    the name it was called by, and no trace of a proxy in between.
    """
    return (
        settings.ENVIRONMENT.on_loopback
        and _is_loopback(urlsplit(settings.BASE_URL).hostname or "")
        and _is_loopback(urlsplit(f"//{request.get_host()}").hostname or "")
        and _is_loopback(request.META.get("REMOTE_ADDR", ""))
        and not any(mark in request.headers for mark in PROXY_MARKS)
    )


def demo_login(request: HttpRequest) -> dict[str, str]:
    """Name and password of a demo account, for callers on this machine only; else empty."""
    if not is_local(request):
        return {}
    try:
        state = json.loads((settings.ATELIER_HOME / "demo.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    login = state.get("login") if isinstance(state, dict) else None
    return login if isinstance(login, dict) and "username" in login else {}
