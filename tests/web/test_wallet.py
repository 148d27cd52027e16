from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.factories import accounts as make
from tests.factories import ledger as sparks

from atelier.ledger import queries as books
from atelier.ledger import services as ledger
from atelier.ledger.models import Transfer

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def test_strangers_are_asked_to_sign_in(client: Client) -> None:
    for path in ("/wallet", "/wallet/transfers/trf_x"):
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/?next=/wallet")
    assert client.post("/wallet/daily").status_code == 302
    assert Transfer.objects.count() == 0


def test_the_wallet_shows_figures_movements_and_links(client: Client) -> None:
    ada, bob = make.user("ada"), make.user("bob")
    sparks.earned(ada.pk, 1500)
    paid = ledger.pay(
        payer_id=ada.pk,
        payee_id=bob.pk,
        amount=1200,
        reason="For a fox",
        business_key="k",
        subject=ledger.Subject("bounty", "bty_1"),
    )
    ledger.place_hold(user_id=ada.pk, amount=50, reason="Training a fox", business_key="h")
    client.force_login(ada)
    page = client.get("/wallet").content.decode()
    for words in (
        "<b>250</b>",
        "<b>50</b>",
        f'href="/wallet/transfers/{paid.id}">For a fox</a>',
        'href="/bounties/bty_1"',
        "\N{MINUS SIGN}1,200",
        "+1,500",
        "Training a fox",
        'href="/u/bob"',
        "Claim today",
    ):
        assert words in page
    assert "For a fox" not in client.get("/wallet?show=in").content.decode()
    assert "For a fox" in client.get("/wallet?show=out").content.decode()


def test_reading_the_wallet_posts_nothing(client: Client) -> None:
    ada = make.user("ada")
    client.force_login(ada)
    for path in ("/wallet", "/", "/u/ada", "/settings"):
        client.get(path)
    assert Transfer.objects.count() == 0


def test_daily_sparks_by_the_button_once(client: Client) -> None:
    ada = make.user("ada")
    client.force_login(ada)
    assert client.get("/wallet/daily").status_code == 405
    assert "25 Sparks are yours" in client.post("/wallet/daily", follow=True).content.decode()
    again = client.post("/wallet/daily", follow=True).content.decode()
    assert "You have claimed today" in again
    assert "Claim today" not in again
    assert books.wallet(user_id=ada.pk).earned == 25


def test_the_story_of_a_movement_is_not_for_strangers(client: Client) -> None:
    ada, bob, eve = make.user("ada"), make.user("bob"), make.user("eve")
    sparks.bought(ada.pk, 10)
    paid = ledger.pay(
        payer_id=ada.pk, payee_id=bob.pk, amount=10, reason="For a fox", business_key="k"
    )
    path = f"/wallet/transfers/{paid.id}"
    client.force_login(bob)
    page = client.get(path).content.decode()
    assert "+10" in page
    assert "\N{MINUS SIGN}10" in page
    assert "10 income" in page
    client.force_login(eve)
    answer = client.get(path)
    assert answer.status_code == 404
    assert "For a fox" not in answer.content.decode()
