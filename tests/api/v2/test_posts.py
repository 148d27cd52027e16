"""Sharing pictures over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.factories import accounts, catalog, gallery

from atelier.gallery import services
from atelier.gallery.models import Post
from atelier.media.models import Visibility

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from atelier.accounts.models import User

pytestmark = pytest.mark.django_db


def auth(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {accounts.token(user)}"}


def share(client: Client, user: User, body: Any, **headers: str) -> Any:
    return client.post(
        "/api/v2/posts",
        body,
        content_type="application/json",
        headers={**auth(user), **headers},
    )


def test_a_post_answers_all_that_it_became(client: Client) -> None:
    owner = accounts.user("painter_x")
    version = catalog.published()
    media = gallery.picture(owner)
    response = share(
        client,
        owner,
        {
            "title": "Fox",
            "images": [
                {
                    "media": media.pk,
                    "prompt": "a fox",
                    "resources": [{"version": version.air, "strength": 0.8}],
                }
            ],
        },
    )
    assert response.status_code == 201
    body = response.json()
    (image,) = body["images"]
    assert body["title"] == "Fox"
    assert body["owner"]["username"] == "painter_x"
    assert (image["media"], image["prompt"], image["generator"]) == (media.pk, "a fox", "declared")
    assert image["resources"] == [
        {
            "name": version.model.name,
            "type": "LORA",
            "strength": 0.8,
            "version": version.pk,
            "proven": False,
        }
    ]
    assert client.get(f"/api/v2/posts/{body['id']}").json() == body
    assert client.get(f"/api/v2/images/{image['id']}").json() == image
    gallery_of_model = client.get("/api/v2/images", {"model": version.model_id}).json()
    assert [one["id"] for one in gallery_of_model["items"]] == [image["id"]]


def test_the_same_key_posts_once(client: Client) -> None:
    owner = accounts.user()
    token = auth(owner)
    body = {"title": "Fox", "images": [{"media": gallery.picture(owner).pk}]}
    answers = [
        client.post(
            "/api/v2/posts",
            body,
            content_type="application/json",
            headers={**token, "Idempotency-Key": "one"},
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert Post.objects.count() == 1


def test_refusals_change_nothing(client: Client) -> None:
    owner, stranger = accounts.user(), accounts.user()
    media = gallery.picture(owner)
    pending = gallery.picture(owner, status="pending")
    person = gallery.picture(owner, scan={"real_faces": 1, "photoreal": 0.9})
    one = {"images": [{"media": media.pk}]}
    assert share(client, stranger, one).json()["code"] == "not_owner"
    assert client.post("/api/v2/posts", one, content_type="application/json").status_code == 401
    refused = share(client, owner, {"images": [{"media": pending.pk}]})
    assert (refused.status_code, refused.json()["code"]) == (409, "media_pending")
    refused = share(client, owner, {"images": [{"media": person.pk}]})
    assert (refused.status_code, refused.json()["code"]) == (403, "likeness_consent_required")
    assert share(client, owner, {"images": []}).status_code == 422
    assert (
        share(client, owner, {"images": [{"media": media.pk}], "version": "x"}).status_code == 404
    )
    assert not Post.objects.exists()
    media.refresh_from_db()
    assert media.visibility == Visibility.PRIVATE


def test_only_the_owner_changes_and_deletes(client: Client) -> None:
    post = gallery.post()
    url = f"/api/v2/posts/{post.pk}"
    stranger, owner = auth(accounts.user()), auth(post.owner)
    body = {"title": "New"}
    kind = "application/json"
    assert client.patch(url, body, content_type=kind, headers=stranger).status_code == 403
    assert client.delete(url, headers=stranger).status_code == 403
    assert client.patch(url, body, content_type=kind, headers=owner).json()["title"] == "New"
    assert client.delete(url, headers=owner).status_code == 204
    assert client.get(url).status_code == 404


class TestLists:
    def test_posts_page_by_cursor(self, client: Client) -> None:
        expected = [gallery.post().pk for _ in range(3)]
        first = client.get("/api/v2/posts", {"limit": 2}).json()
        second = client.get("/api/v2/posts", {"limit": 2, "after": first["next"]}).json()
        found = [one["id"] for one in (*first["items"], *second["items"])]
        assert found == expected[::-1]
        assert second["next"] is None
        assert client.get("/api/v2/posts", {"after": "nonsense"}).status_code == 422
        assert client.get("/api/v2/posts", {"limit": 0}).status_code == 422

    def test_hidden_pictures_and_unwanted_levels_are_left_out(self, client: Client) -> None:
        owner = accounts.user("two_pictures")
        post = gallery.post(owner, [gallery.picture(owner), gallery.picture(owner)])
        gallery.image(rating=8)
        services.hide_image(image_id=post.images.order_by("id")[0].pk)
        (item,) = client.get("/api/v2/posts").json()["items"]
        assert (item["id"], len(item["images"])) == (post.pk, 1)
        assert client.get("/api/v2/posts", {"owner": "two_pictures"}).json()["items"] == [item]
        assert client.get("/api/v2/posts", {"owner": "nobody_at_all"}).status_code == 404

    def test_posts_are_one_query(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(3):
            gallery.post()
        with django_assert_num_queries(1):
            assert len(client.get("/api/v2/posts").json()["items"]) == 3
        with django_assert_num_queries(1):
            assert len(client.get("/api/v2/images").json()["items"]) == 3
