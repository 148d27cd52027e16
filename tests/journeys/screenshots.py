"""``make screenshots``: every page of the demo community, wide and phone, light and dark."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright
from tests.journeys.browsers import browser_path
from tests.journeys.conftest import running

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from tests.journeys.conftest import RunningSite

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "screenshots"
FORMS = {"wide": (1440, 900), "phone": (320, 720)}
SCHEMES = ("light", "dark")
# Pages with a fixed address, seen by somebody who is not signed in.
PUBLIC = {
    "home": "/",
    "models": "/models",
    "images": "/images",
    "bounties": "/bounties",
    "sign-in": "/accounts/login/",
    "sign-up": "/accounts/signup/",
    "likeness": "/likeness",
    "report": "/report",
}
# Pages of a person.
PRIVATE = {
    "generate": "/generate",
    "train": "/train",
    "wallet": "/wallet",
    "settings": "/settings",
    "notifications": "/notifications",
    "bounty-new": "/bounties/new",
}
# Pages of one thing: the first link on a list that looks like this.
DETAILS = {
    "model": ("/models", 'main a[href^="/models/"]'),
    "image": ("/images", 'main a[href^="/images/"]'),
    "bounty": ("/bounties", 'main a[href^="/bounties/bty_"]'),
    "profile": ("/models", 'main a[href^="/u/"]'),
}


def _shoot(page: Page, name: str, url: str, suffix: str) -> None:
    answer = page.goto(url, wait_until="networkidle")
    status = answer.status if answer else 0
    if status != 200:
        print(f"{name}: {url} answers {status}", file=sys.stderr)  # noqa: T201 -- its report
        return
    page.screenshot(path=FOLDER / f"{name}-{suffix}.png", full_page=True)


def _details(page: Page, base: str) -> dict[str, str]:
    found = {}
    for name, (listing, selector) in DETAILS.items():
        page.goto(base + listing)
        link = page.locator(selector).first
        if link.count() and (address := link.get_attribute("href")):
            found[name] = address
    return found


def _sign_in(page: Page, site: RunningSite) -> None:
    login = json.loads((site.home / "demo.json").read_text(encoding="utf-8"))["login"]
    page.goto(f"{site.address}/accounts/login/")
    page.fill('input[name="login"]', login["username"])
    page.fill('input[name="password"]', login["password"])
    page.locator(
        'form[action*="login"] button[type="submit"], main button[type="submit"]'
    ).first.click()
    page.wait_for_url(f"{site.address}/")


def main() -> None:
    """Start a demo site and take all pictures."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    with (
        tempfile.TemporaryDirectory(prefix="atelier-screenshots-") as home,
        running(Path(home) / "home", demo=True) as site,
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        for form, (width, height) in FORMS.items():
            for scheme in SCHEMES:
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if scheme == "dark" else "light",
                    reduced_motion="reduce",
                )
                page = context.new_page()
                suffix = f"{form}-{scheme}"
                for name, path in {**PUBLIC, **_details(page, site.address)}.items():
                    _shoot(page, name, site.address + path, suffix)
                _sign_in(page, site)
                for name, path in PRIVATE.items():
                    _shoot(page, name, site.address + path, suffix)
                context.close()
        browser.close()
    print(f"{len(list(FOLDER.iterdir()))} pictures in {FOLDER}")  # noqa: T201 -- its report


if __name__ == "__main__":
    main()
