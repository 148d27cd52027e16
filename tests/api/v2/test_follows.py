from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.api.v2.test_wallet import bearer, post
from tests.factories import accounts as make

from atelier.ledger import queries as books
from atelier.social.models import Follow

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def test_following_listing_and_stopping(client: Client) -> None:
    ada, bob = make.user("ada"), make.user("bob")
    made = post(client, "/api/v2/follows", {"user": "bob"}, ada)
    assert made.status_code == 201
    assert made.json()["user"] == {"id": bob.pk, "username": "bob", "display_name": "bob"}
    assert post(client, "/api/v2/follows", {"user": bob.pk}, ada).json() == made.json()
    assert books.wallet(user_id=ada.pk).earned == 10
    assert client.get("/api/v2/follows", **bearer(ada)).json() == {
        "items": [made.json()],
        "next": None,
    }
    path = f"/api/v2/follows/{made.json()['id']}"
    assert client.get(path, **bearer(ada)).json() == made.json()
    assert client.get(path, **bearer(bob)).status_code == 404
    assert client.delete(path, **bearer(bob)).status_code == 404
    assert client.delete(path, **bearer(ada)).status_code == 204
    assert client.delete(path, **bearer(ada)).status_code == 404
    assert client.get("/api/v2/follows", **bearer(ada)).json()["items"] == []


@pytest.mark.parametrize(
    ("user", "status"), [("ada", 422), ("nobody", 404), (10**12, 404), ("", 404), ("²", 404)]
)
def test_follows_that_are_refused(client: Client, user: object, status: int) -> None:
    assert post(client, "/api/v2/follows", {"user": user}, make.user("ada")).status_code == status
    assert Follow.objects.count() == 0


def test_a_token_that_may_only_read_follows_nobody(client: Client) -> None:
    make.user("bob")
    answer = post(client, "/api/v2/follows", {"user": "bob"}, make.user("ada"), "read")
    assert answer.status_code == 403
    assert Follow.objects.count() == 0
