from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from tests.factories import accounts as make
from tests.factories import ledger as sparks
from tests.factories import social as things

from atelier.accounts import services as accounts
from atelier.core import clock
from atelier.ledger import queries as books
from atelier.ledger import services as ledger
from atelier.social import services as social

if TYPE_CHECKING:
    from django.test import Client

    from atelier.accounts.models import User

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def bearer(user: User, *scopes: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {make.token(user, *scopes)}"}}


def post(client: Client, path: str, body: Any, user: User, *scopes: str) -> Any:
    return client.post(path, body, content_type="application/json", **bearer(user, *scopes))


def test_the_wallet_says_what_there_is(client: Client) -> None:
    ada, bob = make.user("ada"), make.user("bob")
    sparks.earned(ada.pk, 100)
    sparks.bought(ada.pk, 50)
    sparks.income(ada.pk, 7, payer_id=bob.pk)
    ledger.place_hold(user_id=ada.pk, amount=30, reason="Job", business_key="job")
    ledger.fund_escrow(
        escrow="bounty:b", payer_id=ada.pk, amount=20, reason="Stake", business_key="stake"
    )
    answer = client.get("/api/v2/wallet", **bearer(ada, "read"))
    assert answer.status_code == 200
    assert answer.json() == {
        "available": 107,
        "held": 30,
        "earned": 50,
        "bought": 50,
        "income": 7,
    }


@pytest.mark.parametrize(
    "path",
    ["/wallet", "/wallet/transfers", "/wallet/transfers/trf_x", "/tips", "/follows", "/reactions"],
)
def test_strangers_see_nothing(client: Client, path: str) -> None:
    answer = client.get(f"/api/v2{path}")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "unauthenticated"


def test_movements_are_listed_newest_first(client: Client) -> None:
    ada, bob = make.user("ada"), make.user("bob")
    with clock.frozen(NOON):
        social.join(user=ada)
        paid = ledger.pay(
            payer_id=ada.pk,
            payee_id=bob.pk,
            amount=30,
            reason="For a fox",
            business_key="k",
            subject=ledger.Subject("post", "7"),
        )
    answer = client.get("/api/v2/wallet/transfers?limit=1", **bearer(ada, "read")).json()
    assert answer["items"] == [
        {
            "id": paid.id,
            "type": "pay",
            "amount": -30,
            "kinds": {"earned": -30, "bought": 0, "income": 0},
            "reason": "For a fox",
            "subject": {"kind": "post", "id": "7"},
            "counterparty": {"id": bob.pk, "username": "bob", "display_name": "bob"},
            "created_at": "2026-03-01T12:00:00+00:00",
        }
    ]
    rest = client.get(
        f"/api/v2/wallet/transfers?after={answer['next']}", **bearer(ada, "read")
    ).json()
    assert [(row["reason"], row["amount"], row["counterparty"]) for row in rest["items"]] == [
        ("Welcome to Atelier", 100, None)
    ]
    assert rest["next"] is None


def test_a_movement_is_for_those_it_concerns(client: Client) -> None:
    ada, bob, eve = make.user("ada"), make.user("bob"), make.user("eve")
    sparks.bought(ada.pk, 10)
    paid = ledger.pay(payer_id=ada.pk, payee_id=bob.pk, amount=10, reason="x", business_key="k")
    path = f"/api/v2/wallet/transfers/{paid.id}"
    assert client.get(path, **bearer(bob, "read")).json()["postings"] == [
        {"place": "wallet", "amount": -10, "kinds": {"earned": 0, "bought": -10, "income": 0}},
        {"place": "wallet", "amount": 10, "kinds": {"earned": 0, "bought": 0, "income": 10}},
    ]
    answer = client.get(path, **bearer(eve, "read"))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_tip_by_name_or_number(client: Client) -> None:
    ada, bob = make.user("ada"), make.user("bob")
    image = things.image(bob)
    sparks.bought(ada.pk, 100)
    answer = post(client, "/api/v2/tips", {"to": "BOB", "amount": 40}, ada)
    assert answer.status_code == 201
    made = answer.json()
    assert {key: made[key] for key in ("from", "to", "amount", "target")} == {
        "from": {"id": ada.pk, "username": "ada", "display_name": "ada"},
        "to": {"id": bob.pk, "username": "bob", "display_name": "bob"},
        "amount": 40,
        "target": None,
    }
    target = {"kind": "image", "id": image.pk}
    second = post(client, "/api/v2/tips", {"to": bob.pk, "amount": 5, "target": target}, ada)
    assert second.json()["target"] == {"kind": "image", "id": str(image.pk)}
    listed = client.get("/api/v2/tips", **bearer(ada, "read")).json()["items"]
    assert [tip["amount"] for tip in listed] == [5, 40]
    assert client.get(f"/api/v2/tips/{made['id']}", **bearer(bob, "read")).json() == made
    eve = client.get(f"/api/v2/tips/{made['id']}", **bearer(make.user("eve"), "read"))
    assert eve.status_code == 404
    assert books.wallet(user_id=bob.pk).income == 45


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"to": "bob", "amount": 11}, 402, "insufficient_sparks"),
        ({"to": "bob", "amount": 0}, 422, "invalid"),
        ({"to": "bob", "amount": -1}, 422, "invalid"),
        ({"to": "bob", "amount": 1.5}, 422, "invalid"),
        ({"to": "bob", "amount": "5"}, 422, "invalid"),
        ({"to": "bob", "amount": 10**30}, 422, "invalid"),
        ({"to": "ada", "amount": 5}, 422, "invalid"),
        ({"to": "nobody", "amount": 5}, 404, "not_found"),
        ({"to": "bob", "amount": 5, "target": {"kind": "image", "id": 1}}, 404, "not_found"),
        ({"amount": 5}, 422, "invalid"),
    ],
)
def test_tips_that_are_refused_move_nothing(
    client: Client, body: dict[str, Any], status: int, code: str
) -> None:
    ada, bob = make.user("ada"), make.user("bob")
    sparks.earned(ada.pk, 10)
    answer = post(client, "/api/v2/tips", body, ada)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert books.wallet(user_id=ada.pk).available == 10
    assert books.wallet(user_id=bob.pk).available == 0


def test_a_tip_needs_the_scope_spend_and_an_active_account(client: Client) -> None:
    ada = make.user("ada")
    make.user("bob")
    sparks.earned(ada.pk, 10)
    body = {"to": "bob", "amount": 5}
    assert post(client, "/api/v2/tips", body, ada, "read", "write").status_code == 403
    token = make.token(ada)
    accounts.suspend(user=ada, actor=make.staff("chief"), reason="Spam")
    answer = client.post(
        "/api/v2/tips",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "suspended")
    assert books.wallet(user_id=ada.pk).available == 10


def test_an_idempotency_key_gives_one_tip(client: Client) -> None:
    ada, bob = make.user("ada"), make.user("bob")
    sparks.earned(ada.pk, 100)
    token = make.token(ada)
    answers = [
        client.post(
            "/api/v2/tips",
            {"to": "bob", "amount": 5},
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "one"},
        )
        for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert len({answer.content for answer in answers}) == 1
    assert books.wallet(user_id=bob.pk).earned == 5
