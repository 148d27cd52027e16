from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.api.v2.test_wallet import bearer, post
from tests.factories import accounts as make

from atelier.notifications import services

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def test_listing_reading_and_marking(client: Client) -> None:
    ada, bob = make.user("ada"), make.user("bob")
    for number in range(3):
        services.notify(user_id=ada.pk, kind="social", text=f"News {number}", key=str(number))
    services.notify(user_id=bob.pk, kind="social", text="Not hers")
    page = client.get("/api/v2/notifications?limit=2", **bearer(ada)).json()
    assert [row["text"] for row in page["items"]] == ["News 2", "News 1"]
    rest = client.get(f"/api/v2/notifications?after={page['next']}", **bearer(ada)).json()
    assert [row["text"] for row in rest["items"]] == ["News 0"]
    assert rest["next"] is None
    first = page["items"][0]
    path = f"/api/v2/notifications/{first['id']}"
    assert client.get(path, **bearer(ada)).json() == first
    assert client.get(path, **bearer(bob)).status_code == 404
    answer = post(client, "/api/v2/notifications/read", {"ids": [first["id"]]}, ada)
    assert answer.json() == {"marked": 1, "unread": 2}
    stolen = post(client, "/api/v2/notifications/read", {"ids": [rest["items"][0]["id"]]}, bob)
    assert stolen.json() == {"marked": 0, "unread": 1}
    assert post(client, "/api/v2/notifications/read", {}, ada).json() == {"marked": 2, "unread": 0}
    unread = client.get("/api/v2/notifications?unread=1", **bearer(ada)).json()
    assert unread["items"] == []
