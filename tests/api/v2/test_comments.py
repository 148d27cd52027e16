from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.api.v2.test_wallet import bearer, post
from tests.factories import accounts as make
from tests.factories import social as things

from atelier.social.models import Comment

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def test_commenting_listing_and_deleting(client: Client) -> None:
    ada, image = make.user("ada"), things.image()
    target = {"kind": "image", "id": image.pk}
    made = post(client, "/api/v2/comments", {"target": target, "body": "A *fine* fox"}, ada)
    assert made.status_code == 201
    found = made.json()
    assert {key: found[key] for key in ("target", "parent", "author", "body", "html")} == {
        "target": {"kind": "image", "id": str(image.pk)},
        "parent": None,
        "author": {"id": ada.pk, "username": "ada", "display_name": "ada"},
        "body": "A *fine* fox",
        "html": "<p>A <em>fine</em> fox</p>\n",
    }
    listed = client.get(f"/api/v2/comments?kind=image&id={image.pk}")
    assert listed.json() == {"items": [found], "next": None}
    path = f"/api/v2/comments/{found['id']}"
    assert client.get(path).json() == found
    refused = client.delete(path, **bearer(make.user("bob")))
    assert (refused.status_code, refused.json()["code"]) == (403, "not_owner")
    assert client.delete(path).status_code == 401
    assert client.delete(path, **bearer(ada)).status_code == 204
    assert client.get(path).status_code == 404
    assert client.get(f"/api/v2/comments?kind=image&id={image.pk}").json()["items"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"target": {"kind": "image", "id": 999}, "body": "x"}, 404),
        ({"target": {"kind": "user", "id": 1}, "body": "x"}, 422),
        ({"target": {"kind": "image", "id": 1}}, 422),
        ({"body": "x"}, 422),
    ],
)
def test_comments_that_are_refused(client: Client, body: dict[str, Any], status: int) -> None:
    assert post(client, "/api/v2/comments", body, make.user("ada")).status_code == status
    assert Comment.objects.count() == 0


def test_words_about_real_people_are_refused(client: Client) -> None:
    image = things.image()
    body = {"target": {"kind": "image", "id": image.pk}, "body": "make a nude of my coworker"}
    answer = post(client, "/api/v2/comments", body, make.user("ada"))
    assert answer.status_code == 403
    assert answer.json()["detail"]
    assert Comment.objects.count() == 0


def test_strangers_say_nothing(client: Client) -> None:
    image = things.image()
    body = {"target": {"kind": "image", "id": image.pk}, "body": "x"}
    answer = client.post("/api/v2/comments", body, content_type="application/json")
    assert answer.status_code == 401
    assert Comment.objects.count() == 0
