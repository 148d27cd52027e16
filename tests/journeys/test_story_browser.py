"""The whole story in a real browser, with separate accounts on an empty site; takes screenshots."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright
from tests.factories import photographs
from tests.journeys.browsers import browser_path
from tests.journeys.conftest import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, FilePayload, Page
    from tests.journeys.conftest import RunningSite

pytestmark = pytest.mark.journey
SHOTS = Path(__file__).resolve().parents[2] / "screenshots" / "journey"
# Drawing and training share two cores with everything else that a test machine does.
PATIENCE = 600_000
TRIGGER = "zorrofox"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=browser_path(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()


class Person:
    """One person at one browser; whatever the console calls an error fails the journey."""

    def __init__(self, browser: Browser, site: RunningSite, name: str) -> None:
        self.site, self.name = site, name
        context = browser.new_context(
            base_url=site.address, viewport={"width": 1280, "height": 900}
        )
        self.page: Page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.broken: list[str] = []
        self.page.on("pageerror", lambda error: self.broken.append(str(error)))

    def sign_up(self) -> None:
        page = self.page
        page.goto("/accounts/signup/")
        page.locator("input[name=username]").fill(self.name)
        page.locator("input[name=email]").fill(f"{self.name}@example.org")
        page.locator("input[name=password1]").fill(PASSWORD)
        page.locator("input[name=password2]").fill(PASSWORD)
        page.locator("input[name=terms]").check()
        page.get_by_role("button", name="Create account").click()
        expect(page.get_by_label("Your account")).to_be_visible()

    def shoot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
        assert self.broken == []

    def available(self) -> str:
        self.page.goto("/wallet")
        return self.page.locator(".stat", has_text="Available").locator("b").first.inner_text()


def _drawings(seeds: range) -> list[FilePayload]:
    return [
        {"name": f"fox-{seed}.png", "mimeType": "image/png", "buffer": photographs.drawing(seed)}
        for seed in seeds
    ]


def _photographs(count: int) -> list[FilePayload]:
    return [
        {
            "name": f"her-{number}.jpg",
            "mimeType": "image/jpeg",
            "buffer": photographs.real_woman(number, form="JPEG"),
        }
        for number in range(count)
    ]


def _brief(page: Page, *, title: str, text: str, amount: int) -> None:
    page.goto("/bounties/new")
    page.get_by_label("What do you want made?").fill(title)
    page.get_by_label("Brief").fill(text)
    page.get_by_label("Sparks you put in").fill(str(amount))
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(days=5)  # noqa: TID251 -- a person's own calendar
    page.get_by_label("Deadline (UTC)").fill(ends.strftime("%Y-%m-%dT%H:%M"))


def test_the_whole_story(  # noqa: PLR0915 -- one story, told in order
    empty_site: RunningSite, browser: Browser
) -> None:
    site = empty_site

    # 1. A commissioner signs up, is credited, and opens a bounty: the stake is in escrow.
    buyer = Person(browser, site, "web_buyer")
    buyer.sign_up()
    assert buyer.available() == "100"
    site.operator("user", "credit", "web_buyer", "5000", "--reason", "Story")
    assert buyer.available() == "5,100"
    page = buyer.page
    _brief(page, title="A LoRA of our fox", text="A small drawn fox, friendly.", amount=1500)
    page.locator("input[type=file]").set_input_files(_drawings(range(90, 92)))
    buyer.shoot("1-brief")
    page.get_by_role("button", name="Open the bounty").click()
    expect(page.get_by_role("heading", name="A LoRA of our fox")).to_be_visible()
    expect(page.get_by_text("in escrow since")).to_be_visible()
    bounty = page.url
    buyer.shoot("1-bounty")
    assert buyer.available() == "3,600"

    # 2. A maker uploads a dozen drawings, trains, sees epochs arrive, and enters one.
    maker = Person(browser, site, "web_maker")
    maker.sign_up()
    site.operator("user", "credit", "web_maker", "1000", "--reason", "Story")
    page = maker.page
    page.goto("/train")
    page.locator("input[type=file]").set_input_files(_drawings(range(20, 32)))
    page.get_by_role("button", name="Upload and continue").click()
    page.wait_for_url(re.compile("/pictures$"))
    settings = page.url.replace("/pictures", "/settings")
    expect(page.locator("progress[aria-label=Checked]")).to_have_count(0, timeout=PATIENCE)
    page.goto(settings)
    page.get_by_label("Name", exact=True).fill("Zorro the fox")
    page.get_by_label("Trigger word").fill(TRIGGER)
    page.get_by_label("Epochs").fill("2")
    page.get_by_text("For experts").click()
    page.get_by_label("Steps an epoch").fill("20")
    page.get_by_role("button", name="Save and review").click()
    maker.shoot("2-review")
    page.get_by_role("button", name=re.compile("Start training for 500 Sparks")).click()
    page.wait_for_url(re.compile(r"/train/trn_|/train/[a-z]+_"))
    use = page.get_by_role("button", name="Use this epoch")
    expect(use).to_have_count(2, timeout=PATIENCE)
    maker.shoot("2-epochs")
    use.last.click()
    page.goto(f"{bounty}/enter")
    page.locator("input[name=version]").last.check(force=True)
    page.get_by_label("About your entry").fill("Twelve drawings, two epochs of twenty steps.")
    page.get_by_role("button", name="Enter with this").click()
    expect(page.get_by_text("locked until it is paid")).to_be_visible()
    maker.shoot("2-entry")
    assert maker.available() == "600"

    # 3. The commissioner awards it: the maker is paid, the model is published.
    page = buyer.page
    page.goto(bounty)
    page.get_by_role("link", name="Award 1,500 Sparks").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("final")
    buyer.shoot("3-award")
    dialog.get_by_role("button", name=re.compile("Award 1,500 Sparks to")).click()
    expect(page.get_by_text("Awarded").first).to_be_visible()
    assert maker.available() == "2,100"
    page.goto(bounty)
    page.get_by_role("link", name=re.compile("Zorro the fox")).first.click()
    expect(page.get_by_role("heading", name="Zorro the fox")).to_be_visible()
    expect(page.get_by_text(TRIGGER).first).to_be_visible()
    model = page.url.split("?")[0]
    buyer.shoot("3-model")
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Download")).first.click()
    assert download.value.suggested_filename.endswith(".safetensors")

    # 4. A visitor generates four pictures with it, sees steps live, and posts two.
    visitor = Person(browser, site, "web_visitor")
    visitor.sign_up()
    page = visitor.page
    page.goto(model)
    page.get_by_role("link", name=re.compile("Generate with this")).first.click()
    page.get_by_label("Prompt").fill(TRIGGER)
    page.get_by_label("Strength").first.fill("0.8")
    page.get_by_role("button", name=re.compile("Generate for")).click()
    expect(page.locator("progress[data-progress]").first).to_be_visible()
    drawn = page.locator("a[data-lightbox] img")
    expect(drawn).to_have_count(4, timeout=PATIENCE)
    visitor.shoot("4-generated")
    page.goto("/posts/new")
    choices = page.locator("input[type=checkbox][name=images], input[type=checkbox][name=media]")
    expect(choices).to_have_count(4)
    for index in (0, 1):
        choices.nth(index).check(force=True)
    page.get_by_label("Title").fill("My foxes")
    page.get_by_role("button", name="Post").last.click()
    expect(page.get_by_role("heading", name="My foxes")).to_be_visible()
    expect(page.get_by_text("Zorro the fox").first).to_be_visible()
    expect(page.get_by_text(TRIGGER).first).to_be_visible()
    visitor.shoot("4-post")
    page.goto(model)
    expect(page.locator('a[href^="/images/"]').first).to_be_visible()
    visitor.shoot("4-gallery")

    # 6. Every movement has its reason and a link; the books agree.
    page = buyer.page
    page.goto("/wallet")
    for amount in ("\N{MINUS SIGN}1,500", "+5,000", "+100"):
        expect(page.get_by_text(amount, exact=True).first).to_be_visible()
    buyer.shoot("6-wallet")
    verified = json.loads(site.operator("ledger", "verify", "--json"))
    assert (verified["ok"], verified["differences"]) == (True, 0)


def test_photographs_of_a_real_woman(empty_site: RunningSite, browser: Browser) -> None:
    """5. A bounty and a training with them are refused, with what was typed still there."""
    site = empty_site
    stranger = Person(browser, site, "web_stranger")
    stranger.sign_up()
    site.operator("user", "credit", "web_stranger", "5000", "--reason", "Story")
    page = stranger.page
    _brief(page, title="Somebody I saw", text="See the pictures.", amount=1500)
    page.locator("input[type=file]").set_input_files(_photographs(4))
    page.get_by_role("button", name="Open the bounty").click()
    expect(page.get_by_role("alert")).to_contain_text("consent")
    expect(page.get_by_label("What do you want made?")).to_have_value("Somebody I saw")
    stranger.shoot("5-bounty-refused")
    assert stranger.available() == "5,100"

    page.goto("/train")
    page.locator("input[type=file]").set_input_files(_photographs(6))
    page.get_by_role("button", name="Upload and continue").click()
    page.wait_for_url(re.compile("/pictures$"))
    settings = page.url.replace("/pictures", "/settings")
    expect(page.locator("progress[aria-label=Checked]")).to_have_count(0, timeout=PATIENCE)
    page.goto(settings)
    page.get_by_label("Name", exact=True).fill("Somebody")
    page.get_by_label("Trigger word").fill("smbdy")
    page.get_by_role("button", name="Save and review").click()
    start = page.get_by_role("button", name=re.compile("Start training"))
    if start.count():
        start.click()
    expect(page.get_by_text("consent").first).to_be_visible()
    stranger.shoot("5-training-refused")
    assert stranger.available() == "5,100"

    onlooker = browser.new_context(base_url=site.address).new_page()
    onlooker.goto("/bounties")
    expect(onlooker.get_by_text("Somebody I saw")).to_have_count(0)
