"""The list of pictures, and the addresses that other programs fetch them at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.factories import accounts, catalog, gallery

from atelier.gallery import services
from atelier.likeness.refs import Ref
from atelier.likeness.services import block

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db


def get(client: Client, **query: Any) -> Any:
    response = client.get("/api/v1/images", query)
    assert response.status_code == 200, response.content
    return response.json()


def listed(client: Client, **query: Any) -> list[int]:
    return [item["id"] for item in get(client, **query)["items"]]


def test_an_item_has_the_contract_s_fields(client: Client) -> None:
    owner = accounts.user("painter")
    image = gallery.image(owner, origin=gallery.origin())
    (item,) = get(client)["items"]
    assert item.pop("createdAt").endswith("Z")
    assert item == {
        "id": image.pk,
        "url": f"http://testserver/api/pictures/atelier/{image.media_id}"
        f"/original=true/{image.pk}.jpeg",
        "hash": "005?}k",
        "width": 640,
        "height": 480,
        "nsfwLevel": "None",
        "type": "image",
        "nsfw": False,
        "browsingLevel": 1,
        "postId": image.post_id,
        "stats": {
            "cryCount": 0,
            "laughCount": 0,
            "likeCount": 0,
            "dislikeCount": 0,
            "heartCount": 0,
            "commentCount": 0,
        },
        "meta": None,
        "username": "painter",
        "baseModel": None,
        "modelVersionIds": [],
    }


def test_meta_comes_when_asked_and_is_wrapped_where_the_site_wraps_it(client: Client) -> None:
    version = catalog.published()
    owner = version.model.owner
    media = gallery.picture(owner, origin=gallery.origin())
    image = gallery.post(owner, [media], version=version).images.get()
    (flat,) = get(client, withMeta="true")["items"]
    assert flat["meta"]["prompt"] == "a small fox, drawing"
    for query in ({"imageId": image.pk}, {"modelId": version.model_id}):
        (wrapped,) = get(client, withMeta="true", **query)["items"]
        assert wrapped["meta"]["id"] == image.pk
        assert wrapped["meta"]["meta"]["seed"] == 7
    (unwrapped,) = get(client, withMeta="1", imageId=image.pk, flatMeta="true")["items"]
    assert unwrapped["meta"]["seed"] == 7
    assert unwrapped["modelVersionIds"] == [version.pk]
    assert listed(client, modelVersionId=version.pk, requiringMeta="true") == [image.pk]


def test_levels(client: Client) -> None:
    by_level = {level: gallery.image(rating=level).pk for level in (1, 2, 4, 8, 16)}

    def levels(**query: Any) -> list[int]:
        found = listed(client, sort="Oldest", **query)
        return [level for level, pk in by_level.items() if pk in found]

    assert levels() == [1]
    assert levels(nsfw="false") == [1]
    assert levels(nsfw="None") == [1]
    assert levels(nsfw="Soft") == [1, 2]
    assert levels(nsfw="Mature") == [1, 2, 4]
    assert levels(nsfw="X") == [1, 2, 4, 8, 16]
    assert levels(nsfw="true") == [4, 8, 16]
    assert levels(browsingLevel=6, nsfw="None") == [2, 4]


def test_filters(client: Client) -> None:
    owner = accounts.user("painter_two")
    mine, other = gallery.image(owner), gallery.image()
    assert listed(client, username="Painter_Two") == [mine.pk]
    assert listed(client, userId=owner.pk) == [mine.pk]
    assert listed(client, postId=other.post_id) == [other.pk]
    assert listed(client, imageId=mine.pk) == [mine.pk]
    assert listed(client, type="video") == []
    assert listed(client, tags="5") == []
    assert listed(client, baseModels="SD 1.5") == []


def test_what_was_taken_away_is_not_there(client: Client) -> None:
    hidden, blocked, kept = (gallery.image() for _ in range(3))
    services.hide_image(image_id=hidden.pk)
    block(ref=Ref("media", blocked.media_id), reason="a notice")
    assert listed(client) == [kept.pk]


@pytest.mark.parametrize("sort", ["Newest", "Oldest", "Most Reactions"])
def test_cursors_reach_every_picture_once(client: Client, sort: str) -> None:
    expected = [gallery.image().pk for _ in range(5)]
    found: list[int] = []
    url = f"/api/v1/images?limit=2&sort={sort}"
    while url:
        body = client.get(url).json()
        found += [item["id"] for item in body["items"]]
        url = body["metadata"].get("nextPage", "")
    assert sorted(found) == expected


def test_pages_by_number_lead_to_the_next_number(client: Client) -> None:
    for _ in range(3):
        gallery.image()
    body = get(client, page=1, limit=2)
    assert "page=2" in body["metadata"]["nextPage"]
    assert client.get("/api/v1/images", {"page": 6, "limit": 200}).status_code == 429


def test_the_list_is_one_query(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        gallery.image()
    with django_assert_num_queries(1):
        assert len(get(client, withMeta="true")["items"]) == 3


class TestPictures:
    @pytest.mark.parametrize(
        ("params", "width"),
        [
            ("original=true", 640),
            ("width=450", 640),
            ("width=96", 320),
            ("original=true/width=100", 320),
            ("anim=false,width=200,optimized=true", 320),
            ("width=99999", 640),
        ],
    )
    def test_any_width_is_answered(self, client: Client, params: str, width: int) -> None:
        image = gallery.image()
        response = client.get(f"/api/pictures/atelier/{image.media_id}/{params}/{image.pk}.jpeg")
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "image/webp"
        assert response.headers["Cache-Control"] == "private, max-age=60"
        assert b"".join(response.streaming_content).endswith(str(width).encode())

    def test_private_hidden_and_blocked_ones_are_404(self, client: Client) -> None:
        owner = accounts.user()
        private = gallery.picture(owner)
        hidden, blocked = gallery.image(), gallery.image()
        services.hide_image(image_id=hidden.pk)
        block(ref=Ref("media", blocked.media_id), reason="a notice")
        for media_id in (private.pk, hidden.media_id, blocked.media_id, "med_none"):
            response = client.get(f"/api/pictures/atelier/{media_id}/width=96/1.jpeg")
            assert response.status_code == 404
            assert "error" in response.json()
