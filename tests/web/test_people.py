from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.factories import accounts as make
from tests.factories import ledger as sparks
from tests.factories import social as things

from atelier.accounts import services as accounts
from atelier.ledger import queries as books
from atelier.social.models import Follow, Tip

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def test_a_profile_shows_who_somebody_is_and_what_they_share(client: Client) -> None:
    ada = make.user("ada")
    accounts.update_profile(
        user=ada, display_name="Ada <b>", bio="*Foxes*", links=["https://example.org/ada"]
    )
    image = things.image(ada)
    hidden = things.image(ada, status="hidden")
    page = client.get("/u/ada").content.decode()
    for words in ("Ada &lt;b&gt;", "@ada", "<em>Foxes</em>", 'rel="nofollow ugc noopener me"',
                  f'href="/images/{image.pk}"'):  # fmt: skip
        assert words in page
    assert f'href="/images/{hidden.pk}"' not in page
    assert "ada@example.org" not in page


def test_names_lead_to_one_address(client: Client) -> None:
    make.user("ada")
    answer = client.get("/u/ADA")
    assert (answer.status_code, answer["Location"]) == (301, "/u/ada")
    assert client.get("/u/nobody").status_code == 404


def test_a_suspended_account_shows_no_words(client: Client) -> None:
    ada = make.user("ada")
    accounts.update_profile(user=ada, bio="Buy my things")
    accounts.suspend(user=ada, actor=make.staff("chief"), reason="Spam")
    page = client.get("/u/ada").content.decode()
    assert "This account is suspended" in page
    assert "Buy my things" not in page


def test_following_from_the_page(client: Client) -> None:
    ada, bob = make.user("ada"), make.user("bob")
    assert client.post("/u/bob/follow").status_code == 302
    assert Follow.objects.count() == 0
    client.force_login(ada)
    assert client.get("/u/bob/follow").status_code == 405
    assert "Following" in client.post("/u/bob/follow", follow=True).content.decode()
    assert Follow.objects.get().followee == bob
    assert books.wallet(user_id=ada.pk).earned == 10
    client.post("/u/bob/unfollow")
    assert Follow.objects.get().ended_at is not None


def test_a_tip_from_the_page_is_given_once_per_form(client: Client) -> None:
    ada, bob = make.user("ada"), make.user("bob")
    sparks.earned(ada.pk, 100)
    client.force_login(ada)
    for _ in range(2):
        page = client.post("/u/bob/tip", {"amount": "40", "key": "form"}, follow=True)
        assert "You gave bob 40 Sparks" in page.content.decode()
    assert books.wallet(user_id=bob.pk).earned == 40
    for amount in ("0", "-1", "x", "", "61"):
        client.post("/u/bob/tip", {"amount": amount, "key": "other"})
    assert Tip.objects.count() == 1
    assert books.wallet(user_id=ada.pk).available == 60


def test_forms_need_their_csrf_token() -> None:
    from django.test import Client as Browser

    make.user("bob")
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(make.user("ada"))
    for path in ("/u/bob/follow", "/u/bob/tip", "/wallet/daily", "/settings", "/settings/tokens"):
        assert browser.post(path, {"amount": "5", "key": "k"}).status_code == 403
    assert Follow.objects.count() == 0
