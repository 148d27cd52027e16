from __future__ import annotations

import datetime as dt

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from tests.factories import accounts as make

from atelier.accounts import queries
from atelier.accounts import services as accounts
from atelier.accounts.errors import MissingScope, Suspended, Taken
from atelier.accounts.models import ApiToken, User
from atelier.core import clock
from atelier.core.errors import Forbidden, Invalid, NotFound, Unauthenticated

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def test_an_account_has_a_verified_address_and_no_rights() -> None:
    user = accounts.create_user(username="Ada_1", email="Ada@Example.org", password="secret words")

    stored = User.objects.get(pk=user.pk)
    assert (stored.username, stored.email) == ("ada_1", "ada@example.org")
    assert (stored.is_staff, stored.is_superuser, stored.is_demo) == (False, False, False)
    assert stored.check_password("secret words")
    address = EmailAddress.objects.get(user=user)
    assert (address.email, address.primary, address.verified) == ("ada@example.org", True, True)


@pytest.mark.parametrize(
    "name", ["ab", "a" * 31, "with space", "dot.name", "Ünicode", "", "new\nline", "abc\n"]
)
def test_names_that_break_the_rule_make_no_account(name: str) -> None:
    if name == "abc\n":
        name = "ab\nc"
    with pytest.raises(Invalid) as refusal:
        accounts.create_user(username=name, email="x@example.org", password="p")
    assert refusal.value.errors[0].field == "username"
    assert User.objects.count() == 0


def test_demo_names_are_for_demo_accounts_only() -> None:
    with pytest.raises(Invalid):
        make.user("demo_ada")
    with pytest.raises(Invalid):
        make.user("ada", is_demo=True)
    assert User.objects.count() == 0
    assert make.user("demo_ada", is_demo=True).is_demo is True


@pytest.mark.parametrize("name", ["ada", "ADA", " Ada "])
def test_a_name_is_taken_once_without_regard_to_case(name: str) -> None:
    make.user("ada")
    with pytest.raises(Taken) as refusal:
        make.user(name, email="other@example.org")
    assert refusal.value.errors[0].field == "username"
    assert User.objects.count() == 1
    assert EmailAddress.objects.count() == 1


def test_an_address_is_taken_once_without_regard_to_case() -> None:
    make.user("ada", email="ada@example.org")
    with pytest.raises(Taken) as refusal:
        make.user("bob", email="ADA@example.org")
    assert refusal.value.errors[0].field == "email"
    assert User.objects.count() == 1


@pytest.mark.parametrize("email", ["", "nobody", "a@", "a b@example.org"])
def test_an_address_must_be_one(email: str) -> None:
    with pytest.raises(Invalid):
        make.user("ada", email=email)
    assert User.objects.count() == 0


def test_the_database_itself_refuses_capital_names() -> None:
    user = make.user("ada")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=user.pk).update(username="Ada")


def test_without_a_password_nobody_can_sign_in() -> None:
    user = make.user("ada", password=None)
    assert not user.has_usable_password()
    with pytest.raises(Invalid):
        make.user("bob", password="")


def test_found_by_name_without_regard_to_case() -> None:
    user = make.user("ada")
    assert queries.by_username("ADA") == user
    assert queries.by_username("nobody") is None


def test_staff_is_made_by_name() -> None:
    make.user("ada")
    assert accounts.make_staff(username="Ada").is_staff is True
    assert User.objects.get(username="ada").is_staff is True
    with pytest.raises(NotFound):
        accounts.make_staff(username="nobody")


def test_a_token_opens_what_it_was_made_for_and_is_stored_as_a_digest() -> None:
    user = make.user("ada")
    token, text = accounts.create_token(user=user, name=" My script ", scopes=["read", "write"])

    found = accounts.authenticate_token(text=text)
    assert found == token
    assert found.user == user
    assert (found.name, found.scopes) == ("My script", ["read", "write"])
    secret = text.split("_", 2)[2]
    stored = ApiToken.objects.values_list("id", "name", "prefix", "digest", "scopes").get()
    assert secret not in str(stored)
    accounts.require_scope(token=found, scope="write")
    with pytest.raises(MissingScope):
        accounts.require_scope(token=found, scope="spend")


def test_wrong_texts_open_nothing() -> None:
    token, text = accounts.create_token(user=make.user("ada"), name="one")
    for wrong in ["", "at", "at__", text[:-1], text + "x", text.replace("at_", "bt_"),
                  f"at_{token.prefix}_", f"at_\0_{'x' * 43}", token.digest]:  # fmt: skip
        with pytest.raises(Unauthenticated):
            accounts.authenticate_token(text=wrong)


def test_a_token_ends_by_revocation_expiry_or_closing_of_the_account() -> None:
    user = make.user("ada")
    with clock.frozen(NOON):
        revoked, revoked_text = accounts.create_token(user=user, name="a")
        _, expiring_text = accounts.create_token(
            user=user, name="b", expires_at=NOON + dt.timedelta(hours=1)
        )
        _, open_text = accounts.create_token(user=user, name="c")
        accounts.revoke_token(user=user, token_id=revoked.id)
        accounts.revoke_token(user=user, token_id=revoked.id)
        with pytest.raises(Unauthenticated):
            accounts.authenticate_token(text=revoked_text)
        accounts.authenticate_token(text=expiring_text)
    with clock.frozen(NOON + dt.timedelta(hours=1)):
        with pytest.raises(Unauthenticated):
            accounts.authenticate_token(text=expiring_text)
        accounts.authenticate_token(text=open_text)
        User.objects.filter(pk=user.pk).update(is_active=False)
        with pytest.raises(Unauthenticated):
            accounts.authenticate_token(text=open_text)


def test_nobody_revokes_the_token_of_another() -> None:
    token, text = accounts.create_token(user=make.user("ada"), name="a")
    with pytest.raises(NotFound):
        accounts.revoke_token(user=make.user("bob"), token_id=token.id)
    assert accounts.authenticate_token(text=text) == token


@pytest.mark.parametrize(
    ("name", "scopes"), [("", ["read"]), ("x" * 81, ["read"]), ("a", []), ("a", ["read", "all"])]
)
def test_tokens_need_a_name_and_known_scopes(name: str, scopes: list[str]) -> None:
    with pytest.raises(Invalid):
        accounts.create_token(user=make.user("ada"), name=name, scopes=scopes)
    assert ApiToken.objects.count() == 0


def test_the_scope_admin_is_for_staff() -> None:
    with pytest.raises(Forbidden):
        accounts.create_token(user=make.user("ada"), name="a", scopes=["admin"])
    assert ApiToken.objects.count() == 0
    token, _ = accounts.create_token(user=make.staff("chief"), name="a", scopes=["admin", "read"])
    assert token.scopes == ["read", "admin"]


def test_an_account_holds_a_limited_number_of_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MAX_LIVE_TOKENS", 2)
    user = make.user("ada")
    first, _ = accounts.create_token(user=user, name="a")
    accounts.create_token(user=user, name="b")
    with pytest.raises(Invalid):
        accounts.create_token(user=user, name="c")
    accounts.revoke_token(user=user, token_id=first.id)
    accounts.create_token(user=user, name="c")
    assert [token.name for token in queries.tokens_of(user)] == ["c", "b"]


def test_use_is_noted_once_a_minute() -> None:
    _, text = accounts.create_token(user=make.user("ada"), name="a")
    for seconds, noted in [(0, 0), (59, 0), (61, 61)]:
        with clock.frozen(NOON + dt.timedelta(seconds=seconds)):
            accounts.authenticate_token(text=text)
        assert ApiToken.objects.get().last_used_at == NOON + dt.timedelta(seconds=noted)


def test_a_suspended_account_is_recognised_and_may_change_nothing() -> None:
    user, chief = make.user("ada"), make.staff("chief")
    _, text = accounts.create_token(user=user, name="a")
    with clock.frozen(NOON):
        accounts.suspend(user=user, actor=chief, reason="Spam", until=NOON + dt.timedelta(days=1))
        found = accounts.authenticate_token(text=text)
        with pytest.raises(Suspended) as refusal:
            accounts.require_active(found.user)
        assert refusal.value.detail == (
            "This account is suspended until 02 March 2026, 12:00 UTC and can read only. "
            "Reason: Spam"
        )
        with pytest.raises(Suspended):
            accounts.create_token(user=found.user, name="b")
        with pytest.raises(Suspended):
            accounts.update_profile(user=found.user, bio="x")
    with clock.frozen(NOON + dt.timedelta(days=1)):
        accounts.require_active(User.objects.get(pk=user.pk))


def test_a_suspension_ends_by_staff() -> None:
    user, chief = make.user("ada"), make.staff("chief")
    suspended = accounts.suspend(user=user, actor=chief, reason="Spam")
    assert suspended.is_suspended is True
    assert accounts.unsuspend(user=user, actor=chief).is_suspended is False
    assert User.objects.get(pk=user.pk).suspension_reason == ""


def test_who_may_suspend_whom() -> None:
    user, chief = make.user("ada"), make.staff("chief")
    for actor, target, reason in [(user, chief, "x"), (chief, chief, "x")]:
        with pytest.raises(Forbidden):
            accounts.suspend(user=target, actor=actor, reason=reason)
    with pytest.raises(Invalid):
        accounts.suspend(user=user, actor=chief, reason="  ")
    with pytest.raises(Forbidden):
        accounts.unsuspend(user=user, actor=user)
    assert not User.objects.exclude(suspended_at=None).exists()


def test_a_profile_changes_only_what_was_given() -> None:
    user = make.user("ada")
    accounts.update_profile(
        user=user, display_name="  Ada   L. ", bio="**Foxes** <script>", links=["https://x.org", ""]
    )
    accounts.update_profile(user=user, browsing_level=4)
    stored = User.objects.get(pk=user.pk)
    assert stored.display_name == "Ada L."
    assert stored.bio == "**Foxes** <script>"
    assert stored.bio_html == "<p><strong>Foxes</strong> &lt;script&gt;</p>\n"
    assert stored.links == ["https://x.org"]
    assert stored.browsing_level == 5


@pytest.mark.parametrize(
    "change",
    [
        {"display_name": "x" * 61},
        {"display_name": "a\u202eb"},
        {"bio": "x" * 2001},
        {"links": ["javascript:alert(1)"]},
        {"links": [f"https://x.org/{n}" for n in range(6)]},
        {"browsing_level": 0},
        {"browsing_level": 32},
    ],
)
def test_profile_values_that_break_a_rule_change_nothing(change: dict[str, object]) -> None:
    user = make.user("ada")
    with pytest.raises(Invalid):
        accounts.update_profile(user=user, **change)  # type: ignore[arg-type] # one of each
    stored = User.objects.get(pk=user.pk)
    assert (stored.display_name, stored.bio, stored.links) == ("", "", [])
    assert stored.browsing_level == 3
