"""Pages of pictures and posts, with reactions and comments."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.factories import accounts, catalog, gallery, photographs

from atelier.gallery import services
from atelier.gallery.models import Image, ImageResource, Post
from atelier.media.models import Visibility
from atelier.social.models import Comment, Reaction

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from atelier.accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(client: Client) -> User:
    user = accounts.user()
    client.force_login(user)
    return user


class TestTheFeed:
    def test_pictures_with_their_space_reserved(self, client: Client) -> None:
        image = gallery.image()
        gallery.image(rating=8)
        response = client.get("/images")
        assert response.context["images"] == [image]
        body = response.content.decode()
        assert f'href="/images/{image.pk}"' in body
        assert "ar-135" in body
        assert client.get("/images?sort=reactions&base=Atelier+Base").status_code == 200
        assert client.get("/images?after=nonsense").status_code == 422

    def test_an_empty_feed_says_what_to_do(self, client: Client) -> None:
        assert "No pictures yet" in client.get("/images").content.decode()

    def test_a_fixed_number_of_queries(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(3):
            gallery.image()
        with django_assert_num_queries(1):
            client.get("/images")


class TestAPicture:
    def test_it_shows_what_made_it(self, client: Client) -> None:
        version = catalog.published(name="Mascot fox")
        owner = accounts.user()
        made_by = gallery.origin(
            resources=[{"version_id": version.pk, "type": "LORA", "strength": 0.8}]
        )
        image = gallery.post(owner, [gallery.picture(owner, origin=made_by)]).images.get()
        body = client.get(f"/images/{image.pk}").content.decode()
        for part in (
            "a small fox, drawing",
            "blurry",
            "Mascot fox",
            "0.80",
            "Euler a",
            f"/generate?remix={image.media_id}",
        ):
            assert part in body

    def test_arrows_walk_the_feed(self, client: Client) -> None:
        first, second, third = (gallery.image() for _ in range(3))
        body = client.get(f"/images/{second.pk}").content.decode()
        assert f'href="/images/{third.pk}" data-shortcut="ArrowLeft"' in body
        assert f'href="/images/{first.pk}" data-shortcut="ArrowRight"' in body

    def test_what_one_chose_not_to_see_is_guarded_with_the_reason(self, client: Client) -> None:
        image = gallery.image(rating=8)
        guarded = client.get(f"/images/{image.pk}").content.decode()
        assert "Rated X" in guarded
        assert "original.png" not in guarded
        assert "original.png" in client.get(f"/images/{image.pk}?show=1").content.decode()

    def test_hidden_ones_are_staff_s(self, client: Client, viewer: User) -> None:
        image = gallery.image()
        services.hide_image(image_id=image.pk)
        assert client.get(f"/images/{image.pk}").status_code == 404
        client.force_login(accounts.staff())
        assert "Hidden" in client.get(f"/images/{image.pk}").content.decode()

    @pytest.mark.parametrize("number", [0, 99, 2**31, 10**20])
    def test_no_such_picture(self, client: Client, number: int) -> None:
        assert client.get(f"/images/{number}").status_code == 404
        assert client.get(f"/posts/{number}").status_code == 404
        assert client.get(f"/models/{number}").status_code == 404


class TestTalk:
    def test_reactions_come_and_go(self, client: Client, viewer: User) -> None:
        image = gallery.image()
        body = {"kind": "image", "target": image.pk, "reaction": "Heart"}
        response = client.post("/react", body)
        assert response.headers["Location"] == f"/images/{image.pk}#reactions"
        reaction = Reaction.objects.get()
        image.refresh_from_db()
        assert (reaction.kind, image.heart_count) == ("Heart", 1)
        fragment = client.post(
            "/react",
            {"kind": "image", "target": image.pk, "mine": reaction.pk},
            headers={"HX-Request": "true"},
        )
        assert 'aria-pressed="false"' in fragment.content.decode()
        assert "<html" not in fragment.content.decode()
        assert not Reaction.objects.exists()

    def test_comments_are_shown_and_can_be_deleted(self, client: Client, viewer: User) -> None:
        image = gallery.image()
        body = {"kind": "image", "target": image.pk, "body": "Lovely **lines**"}
        assert client.post("/comments", body).headers["Location"] == (
            f"/images/{image.pk}#comments"
        )
        assert "<strong>lines</strong>" in client.get(f"/images/{image.pk}").content.decode()
        client.post(f"/comments/{Comment.objects.get().pk}/delete")
        assert "<strong>lines</strong>" not in client.get(f"/images/{image.pk}").content.decode()

    def test_a_refused_comment_comes_back_with_its_text(self, client: Client, viewer: User) -> None:
        image = gallery.image()
        response = client.post(
            "/comments",
            {"kind": "image", "target": image.pk, "body": "see https://instagram.com/somebody"},
        )
        assert response.status_code == 403
        assert "instagram.com/somebody" in response.content.decode()
        assert not Comment.objects.exists()

    def test_strangers_sign_in_first(self, client: Client) -> None:
        for path in ("/react", "/comments", "/comments/x/delete", "/posts/1/delete"):
            assert client.post(path).headers["Location"].startswith("/accounts/login/")


class TestPosting:
    def test_one_s_pictures_that_are_not_posted_yet_are_offered(
        self, client: Client, viewer: User
    ) -> None:
        fresh = gallery.picture(viewer)
        posted = gallery.image(viewer)
        other = gallery.picture(accounts.user())
        body = client.get(f"/posts/new?media={fresh.pk}").content.decode()
        assert f'value="{fresh.pk}" checked' in body
        assert posted.media_id not in body
        assert other.pk not in body

    def test_chosen_pictures_are_posted(self, client: Client, viewer: User) -> None:
        version = catalog.trained(viewer)
        from atelier.catalog import services as catalog_services

        catalog_services.publish(version=version, actor=viewer)
        media = gallery.picture(viewer)
        response = client.post(
            "/posts/new", {"title": "Fox", "media": [media.pk], "version": version.pk}
        )
        post = Post.objects.get()
        assert response.headers["Location"] == f"/posts/{post.pk}"
        assert (post.title, post.version) == ("Fox", version)
        assert ImageResource.objects.get().version == version
        assert "Fox" in client.get(f"/posts/{post.pk}").content.decode()

    def test_another_s_picture_is_no_choice(self, client: Client, viewer: User) -> None:
        other = gallery.picture(accounts.user())
        response = client.post("/posts/new", {"media": [other.pk]})
        assert response.status_code == 422
        assert not Post.objects.exists()

    def test_nothing_chosen(self, client: Client, viewer: User) -> None:
        response = client.post("/posts/new", {"title": "Empty"})
        assert response.status_code == 422
        assert "Choose 1 to 20 pictures." in response.content.decode()

    def test_new_files_are_taken_in_and_posted(self, client: Client, viewer: User) -> None:
        file = SimpleUploadedFile("fox.png", photographs.drawing(5), "image/png")
        client.post("/posts/new", {"title": "New", "files": [file], "prompt": "a fox"})
        image = Image.objects.get()
        assert image.owner == viewer
        assert image.media.origin is not None
        assert image.media.origin.prompt == "a fox"
        image.media.refresh_from_db()
        assert image.media.visibility == Visibility.PUBLIC

    def test_a_photograph_of_a_person_is_refused_with_the_reason(
        self, client: Client, viewer: User
    ) -> None:
        file = SimpleUploadedFile("anna.png", photographs.real_woman(), "image/png")
        response = client.post("/posts/new", {"title": "Anna", "files": [file]})
        assert response.status_code == 403
        assert "real person" in response.content.decode()
        assert not Post.objects.exists()

    def test_what_is_no_picture_is_refused(self, client: Client, viewer: User) -> None:
        file = io.BytesIO(b"<svg onload=alert(1)>")
        file.name = "x.png"
        response = client.post("/posts/new", {"files": [file]})
        assert response.status_code == 422
        assert not Post.objects.exists()

    def test_the_owner_deletes(self, client: Client, viewer: User) -> None:
        own, other = gallery.post(viewer), gallery.post()
        assert client.post(f"/posts/{own.pk}/delete").status_code == 302
        assert client.get(f"/posts/{own.pk}").status_code == 404
        assert client.post(f"/posts/{other.pk}/delete").status_code == 403
        assert client.get(f"/posts/{other.pk}").status_code == 200
