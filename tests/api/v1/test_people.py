"""Creators, tags, users, oneself and the contract's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.factories import accounts, catalog

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def test_creators_with_models_come_first(client: Client) -> None:
    accounts.user("only_looks")
    catalog.published(accounts.user("maker_one"))
    body = client.get("/api/v1/creators", {"query": "_"}).json()
    assert body["items"][0] == {
        "username": "maker_one",
        "modelCount": 1,
        "link": "http://testserver/api/v1/models?username=maker_one",
    }
    looker = next(item for item in body["items"] if item["username"] == "only_looks")
    assert "modelCount" not in looker
    assert body["metadata"]["hasMore"] is False
    assert body["metadata"]["currentPage"] == 1


def test_creators_page_by_number(client: Client) -> None:
    for number in range(3):
        accounts.user(f"page_{number}")
    body = client.get("/api/v1/creators", {"query": "page_", "limit": 2}).json()
    assert body["metadata"]["totalItems"] == 3
    assert body["metadata"]["totalPages"] == 2
    assert "page=2" in body["metadata"]["nextPage"]
    last = client.get(body["metadata"]["nextPage"]).json()
    assert "nextPage" not in last["metadata"]
    assert "page=1" in last["metadata"]["prevPage"]
    none = client.get("/api/v1/creators", {"query": "zzzz"}).json()
    assert none["metadata"]["totalPages"] == 1


def test_tags_of_public_models(client: Client) -> None:
    catalog.published(tags=["fox", "forest"])
    catalog.model(tags=["foundling"])
    body = client.get("/api/v1/tags", {"query": "FO"}).json()
    assert body["items"] == [
        {"name": "forest", "link": "http://testserver/api/v1/models?tag=forest"},
        {"name": "fox", "link": "http://testserver/api/v1/models?tag=fox"},
    ]
    assert client.get("/api/v1/tags", {"limit": 201}).status_code == 400


def test_users_by_beginning_or_id(client: Client) -> None:
    anna, bert = accounts.user("anna_a"), accounts.user("bert_b")
    assert client.get("/api/v1/users", {"query": "anna"}).json() == {
        "items": [{"id": anna.pk, "username": "anna_a"}]
    }
    ids = client.get("/api/v1/users", {"ids": f"{anna.pk},{bert.pk}"}).json()["items"]
    assert [one["id"] for one in ids] == [anna.pk, bert.pk]


def test_me_needs_a_token(client: Client) -> None:
    assert client.get("/api/v1/me").status_code == 401
    user = accounts.user("myself")
    token = accounts.token(user)
    body = client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).json()
    assert (body["id"], body["username"], body["status"]) == (user.pk, "myself", "active")


def test_the_words_of_the_contract(client: Client) -> None:
    body = client.get("/api/v1/enums").json()
    assert "LORA" in body["ModelType"]
    assert "SDXL 1.0" in body["BaseModel"]


def test_what_can_be_drawn_with(client: Client) -> None:
    drawable, other = catalog.published(), catalog.published(base_model="SD 1.5")
    url = "/api/v1/permissions/check"
    assert client.get(url, {"entityIds": f"{drawable.pk},{other.pk},99"}).json() == {
        str(drawable.pk): True,
        str(other.pk): False,
        "99": False,
    }
    assert client.get(url).json() == []
    assert client.get(url, {"entityIds": "x"}).status_code == 400
