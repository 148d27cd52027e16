"""Joining, signing in, and resetting a password, through the pages."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user
from tests.factories import accounts as make

from atelier.accounts.models import User
from atelier.core.models import OutgoingMail
from atelier.ledger import queries as books
from atelier.social.services import people

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

pytestmark = pytest.mark.django_db
SIGNUP = {
    "username": "newcomer",
    "email": "newcomer@example.org",
    "password1": "a long enough password",
    "password2": "a long enough password",
    "terms": "on",
    "likeness": "on",
}


@pytest.fixture(autouse=True)
def _mail_stays_here(settings: Any) -> None:
    settings.EMAIL_BACKEND = "atelier.core.mail.OutboxBackend"


def sign_up(client: Client, **changes: str | None) -> Any:
    values = {name: value for name, value in {**SIGNUP, **changes}.items() if value is not None}
    return client.post("/accounts/signup/", values)


def test_sign_up_makes_a_member_with_welcome_sparks(client: Client) -> None:
    answer = sign_up(client, username="Newcomer")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    user = User.objects.get()
    assert (user.username, user.email) == ("newcomer", "newcomer@example.org")
    assert user.terms_accepted_at is not None
    assert user.created_by_operator is False
    assert user.is_staff is False
    assert get_user(client) == user  # type: ignore[arg-type] # the test client has a session too
    wallet = books.wallet(user_id=user.pk)
    assert (wallet.available, wallet.earned) == (100, 100)
    transfer = books.transfers(user_id=user.pk).items
    assert [(row.amount, row.reason) for row in transfer] == [(100, "Welcome to Atelier")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"terms": None}, "This field is required"),
        ({"likeness": None}, "This field is required"),
        ({"username": "admin"}, "This name is kept for the site"),
        ({"username": "demo_fox"}, "kept for demo accounts"),
        ({"username": "a b"}, "small letters, digits and underscores"),
        ({"username": "ab"}, "3 to 30 characters"),
        ({"username": "taken"}, "already exists"),
        ({"username": "TAKEN"}, "already exists"),
        ({"email": "Taken@Example.org"}, "already registered"),
        ({"email": "nobody"}, "valid email"),
        ({"password1": "short", "password2": "short"}, "at least 8 characters"),
        ({"password1": "password", "password2": "password"}, "too common"),
        ({"password2": "another long password"}, "same password"),
    ],
)
def test_sign_ups_that_break_a_rule_make_nobody(
    client: Client, changes: dict[str, str | None], words: str
) -> None:
    make.user("taken")
    answer = sign_up(client, **changes)
    assert words in answer.content.decode()
    assert User.objects.count() == 1
    assert "_auth_user_id" not in client.session


def test_what_was_typed_survives_a_problem_but_the_password_does_not(client: Client) -> None:
    page = sign_up(client, terms=None).content.decode()
    assert 'value="newcomer"' in page
    assert 'value="newcomer@example.org"' in page
    assert SIGNUP["password1"] not in page


def test_without_welcome_there_is_no_account(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*, user_id: int) -> None:
        raise RuntimeError(user_id)

    monkeypatch.setattr(people.rewards, "welcome", fail)
    with pytest.raises(RuntimeError):
        sign_up(client)
    assert User.objects.count() == 0


@pytest.mark.parametrize("login", ["ada", "ADA", "ada@example.org", "Ada@Example.org"])
def test_signing_in_by_name_or_address(client: Client, login: str) -> None:
    user = make.user("ada")
    answer = client.post("/accounts/login/", {"login": login, "password": make.PASSWORD})
    assert answer.status_code == 302
    assert get_user(client) == user  # type: ignore[arg-type] # the test client has a session too


def test_a_wrong_password_and_an_unknown_name_sound_the_same(client: Client) -> None:
    make.user("ada")
    pages = [
        client.post("/accounts/login/", {"login": login, "password": "wrong"}).content.decode()
        for login in ("ada", "nobody")
    ]
    problems = [re.findall(r'role="alert".*?</div>', page, flags=re.DOTALL) for page in pages]
    assert problems[0] == problems[1] != []


def test_a_closed_account_does_not_sign_in(client: Client) -> None:
    user = make.user("ada")
    User.objects.filter(pk=user.pk).update(is_active=False)
    client.post("/accounts/login/", {"login": "ada", "password": make.PASSWORD})
    assert "_auth_user_id" not in client.session


def test_a_password_is_reset_by_a_link_in_the_mail_that_works_once(client: Client) -> None:
    make.user("ada")
    client.post("/accounts/password/reset/", {"email": "ada@example.org"})
    mail = OutgoingMail.objects.get()
    assert (mail.to, mail.subject) == ("ada@example.org", "Reset your password")
    found = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", mail.body)
    assert found is not None
    form = client.get(found[1], follow=True).redirect_chain[-1][0]
    new = {"password1": "an even longer password", "password2": "an even longer password"}
    assert client.post(form, new).status_code == 302
    assert User.objects.get().check_password("an even longer password")
    assert "This link no longer works" in client.get(found[1]).content.decode()


def test_a_reset_for_an_unknown_address_tells_nothing(client: Client) -> None:
    make.user("ada")
    answers = [
        client.post("/accounts/password/reset/", {"email": email})
        for email in ("ada@example.org", "nobody@example.org")
    ]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [
        (302, "/accounts/password/reset/done/")
    ] * 2


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/email/",
        "/accounts/password/change/",
        "/accounts/2fa/",
        "/accounts/2fa/totp/activate/",
        "/accounts/2fa/webauthn/",
        "/accounts/2fa/webauthn/add/",
    ],
)
def test_security_pages_wear_the_site_s_clothes(client: Client, path: str) -> None:
    client.post("/accounts/login/", {"login": make.user("ada").username, "password": make.PASSWORD})
    answer = client.get(path, follow=True)
    if answer.redirect_chain:  # what is sensitive asks for the password once more
        assert answer.redirect_chain[0][0].startswith("/accounts/reauthenticate/")
        answer = client.post(answer.redirect_chain[0][0], {"password": make.PASSWORD}, follow=True)
        assert answer.request["PATH_INFO"] == path
    assert answer.status_code == 200
    assert "Likeness and removal" in answer.content.decode()


def test_passkeys_are_offered_at_sign_in(client: Client) -> None:
    assert "Sign in with a passkey" in client.get("/accounts/login/").content.decode()


def local_demo(settings: Any, tmp_path: Path) -> None:
    settings.ATELIER_HOME = tmp_path
    (tmp_path / "demo.json").write_text(
        json.dumps({"wanted": True, "login": {"username": "demo_fox", "password": "fox-pass"}})
    )


def test_the_demo_login_is_shown_to_this_machine_alone(
    client: Client, settings: Any, tmp_path: Path
) -> None:
    local_demo(settings, tmp_path)

    def page(**extra: str) -> str:
        return client.get("/accounts/login/", **extra).content.decode()  # type: ignore[arg-type] # WSGI names

    assert "fox-pass" in page(HTTP_HOST="localhost")
    for stranger in (
        {"HTTP_HOST": "localhost", "REMOTE_ADDR": "192.0.2.7"},
        {"HTTP_HOST": "localhost", "HTTP_X_FORWARDED_FOR": "192.0.2.7"},
        {"HTTP_HOST": "testserver"},
    ):
        assert "fox-pass" not in page(**stranger)
    settings.BASE_URL = "https://atelier.example.org"
    assert "fox-pass" not in page(HTTP_HOST="localhost")
