from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest
from tests.factories import accounts as make

from atelier.accounts import services as accounts
from atelier.accounts.models import ApiToken, User
from atelier.core.errors import Unauthenticated

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(client: Client) -> User:
    user = make.user("ada")
    client.force_login(user)
    return user


@pytest.mark.parametrize(
    "path", ["/settings", "/settings/browsing", "/settings/tokens", "/settings/security"]
)
def test_settings_are_for_those_signed_in(client: Client, path: str) -> None:
    assert client.get(path)["Location"] == f"/accounts/login/?next={path}"
    client.force_login(make.user("ada"))
    assert client.get(path).status_code == 200


def test_the_profile_is_saved(client: Client, ada: User) -> None:
    answer = client.post(
        "/settings",
        {
            "display_name": "Ada",
            "bio": "I draw foxes.",
            "links": "https://a.example\nhttps://b.example",
        },
    )
    assert (answer.status_code, answer["Location"]) == (302, "/settings")
    ada.refresh_from_db()
    assert (ada.display_name, ada.bio) == ("Ada", "I draw foxes.")
    assert ada.links == ["https://a.example", "https://b.example"]


def test_a_refused_profile_keeps_what_was_typed(client: Client, ada: User) -> None:
    answer = client.post("/settings", {"bio": "I draw foxes.", "links": "javascript:alert(1)"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "must be addresses that start with https://" in page
    assert "I draw foxes." in page
    ada.refresh_from_db()
    assert ada.bio == ""


def test_words_that_may_not_be_shown_are_refused(client: Client, ada: User) -> None:
    answer = client.post("/settings", {"bio": "I make nudes of my coworker"})
    assert answer.status_code == 403
    ada.refresh_from_db()
    assert ada.bio == ""


def test_ratings_are_chosen(client: Client, ada: User) -> None:
    client.post("/settings/browsing", {"ratings": ["2", "4"]})
    ada.refresh_from_db()
    assert ada.browsing_level == 7
    assert client.post("/settings/browsing", {"ratings": ["32"]}).status_code == 422
    client.post("/settings/browsing", {})
    ada.refresh_from_db()
    assert ada.browsing_level == 1


def test_a_token_is_shown_once(client: Client, ada: User) -> None:
    answer = client.post(
        "/settings/tokens", {"name": "My script", "scopes": ["read", "spend"], "days": "30"}
    )
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    found = re.search(r'id="token-text">([^<]+)<', answer.content.decode())
    assert found is not None
    text = html.unescape(found[1])
    token = accounts.authenticate_token(text=text)
    assert (token.user, token.name, token.scopes) == (ada, "My script", ["read", "spend"])
    assert token.expires_at is not None
    page = client.get("/settings/tokens").content.decode()
    assert "My script" in page
    assert text not in page


@pytest.mark.parametrize(
    "values",
    [
        {"name": "", "scopes": ["read"], "days": "30"},
        {"name": "x", "days": "30"},
        {"name": "x", "scopes": ["admin"], "days": "30"},
        {"name": "x", "scopes": ["read"], "days": "12345"},
    ],
)
def test_tokens_that_break_a_rule_are_not_made(
    client: Client, ada: User, values: dict[str, object]
) -> None:
    assert client.post("/settings/tokens", values).status_code == 422
    assert ApiToken.objects.count() == 0


def test_only_its_owner_revokes_a_token(client: Client, ada: User) -> None:
    bob = make.user("bob")
    token, text = accounts.create_token(user=bob, name="bob's")
    assert client.post(f"/settings/tokens/{token.id}/revoke").status_code == 404
    accounts.authenticate_token(text=text)
    client.force_login(bob)
    client.post(f"/settings/tokens/{token.id}/revoke")
    with pytest.raises(Unauthenticated):
        accounts.authenticate_token(text=text)


def test_a_suspended_account_reads_and_changes_nothing(client: Client, ada: User) -> None:
    accounts.suspend(user=ada, actor=make.staff("chief"), reason="Spam everywhere")
    assert client.get("/settings").status_code == 200
    answer = client.post("/settings", {"bio": "Hello"})
    assert answer.status_code == 403
    assert "Spam everywhere" in answer.content.decode()
    ada.refresh_from_db()
    assert ada.bio == ""
