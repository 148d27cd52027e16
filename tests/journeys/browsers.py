"""Which browser the journeys drive."""

from __future__ import annotations

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")


def browser_path() -> str | None:
    """The system's Chromium; without one Playwright's own is used."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)
