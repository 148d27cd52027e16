from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.api.v2.test_wallet import bearer, post
from tests.factories import accounts as make
from tests.factories import social as things

from atelier.gallery.models import Image
from atelier.social.models import Reaction

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def test_reacting_listing_and_taking_back(client: Client) -> None:
    ada, image = make.user("ada"), things.image()
    body = {"target": {"kind": "image", "id": image.pk}, "reaction": "Heart"}
    made = post(client, "/api/v2/reactions", body, ada)
    assert made.status_code == 201
    assert made.json()["target"] == {"kind": "image", "id": str(image.pk)}
    assert made.json()["reaction"] == "Heart"
    assert post(client, "/api/v2/reactions", body, ada).json() == made.json()
    assert Image.objects.get(pk=image.pk).heart_count == 1
    listed = client.get(f"/api/v2/reactions?kind=image&id={image.pk}", **bearer(ada)).json()
    assert listed == {"items": [made.json()], "next": None}
    path = f"/api/v2/reactions/{made.json()['id']}"
    assert client.get(path, **bearer(ada)).json() == made.json()
    stranger = make.user("bob")
    assert client.get(path, **bearer(stranger)).status_code == 404
    assert client.delete(path, **bearer(stranger)).status_code == 404
    assert Image.objects.get(pk=image.pk).heart_count == 1
    assert client.delete(path, **bearer(ada)).status_code == 204
    assert Image.objects.get(pk=image.pk).heart_count == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"target": {"kind": "image", "id": 1}, "reaction": "Love"}, 422),
        ({"target": {"kind": "bicycle", "id": 1}, "reaction": "Like"}, 422),
        ({"target": {"kind": "image", "id": 999}, "reaction": "Like"}, 404),
        ({"target": {"kind": "image", "id": "'; --"}, "reaction": "Like"}, 404),
        ({"reaction": "Like"}, 422),
    ],
)
def test_reactions_that_are_refused(client: Client, body: dict[str, Any], status: int) -> None:
    assert post(client, "/api/v2/reactions", body, make.user("ada")).status_code == status
    assert Reaction.objects.count() == 0
