"""Pages of models: finding, seeing, sharing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.factories import accounts, catalog, gallery
from tests.factories.weights import safetensors

from atelier.catalog import services
from atelier.catalog.models import AiModel, Clearance, ModelVersion, Status

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from atelier.accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client: Client) -> User:
    user = accounts.user()
    client.force_login(user)
    return user


def file(data: bytes | None = None, name: str = "fox.safetensors") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, safetensors() if data is None else data)


def filled(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Line fox",
        "type": "LORA",
        "base_model": "Atelier Base",
        "version_name": "v1",
        "trained_words": "linefox, fox",
        "tags": "fox, lines",
        "description": "A fox of lines",
        "license": "mit",
        "uses": ["Image"],
        "allow_derivatives": "on",
        **changes,
    }


class TestTheList:
    def test_public_models_with_covers(self, client: Client) -> None:
        version = catalog.published(name="Mascot fox", tags=["fox"])
        owner = version.model.owner
        image = gallery.post(owner, [gallery.picture(owner)], version=version).images.get()
        catalog.model(name="A draft")
        body = client.get("/models").content.decode()
        assert "Mascot fox" in body
        assert f"/media/{image.media_id}/" in body
        assert "A draft" not in body

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("query=masc", True),
            ("query=robot", False),
            ("type=LORA", True),
            ("type=VAE", False),
            ("base=Atelier+Base", True),
            ("base=SD+1.5", False),
            ("tag=fox", True),
            ("tag=cat", False),
            ("sort=downloads", True),
            ("query=%00", True),
            ("type=nonsense&sort=nonsense", True),
        ],
    )
    def test_narrowed(self, client: Client, query: str, found: bool) -> None:
        catalog.published(name="Mascot fox", tags=["fox"])
        body = client.get(f"/models?{query}").content.decode()
        assert ("Mascot fox" in body) is found

    def test_pages(self, client: Client) -> None:
        for number in range(25):
            version = catalog.trained(name=f"Fox {number}")
            services.publish(version=version, actor=version.model.owner)
        first = client.get("/models")
        assert first.context["next"]
        second = client.get("/models", {"after": first.context["next"]})
        names = [model.name for model, _ in (*first.context["models"], *second.context["models"])]
        assert sorted(names) == sorted(f"Fox {number}" for number in range(25))

    def test_a_fixed_number_of_queries(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(3):
            version = catalog.published()
            owner = version.model.owner
            gallery.post(owner, [gallery.picture(owner)], version=version)
        with django_assert_num_queries(3):
            client.get("/models")


class TestOne:
    def test_the_address_is_made_whole(self, client: Client) -> None:
        version = catalog.published(name="Mascot fox")
        response = client.get(f"/models/{version.model_id}?version={version.pk}")
        assert response.status_code == 302
        assert response.headers["Location"] == (
            f"/models/{version.model_id}/mascot-fox?version={version.pk}"
        )
        by_version = client.get(f"/model-versions/{version.pk}")
        assert by_version.headers["Location"] == response.headers["Location"]

    def test_everything_about_it(self, client: Client) -> None:
        version = catalog.published(name="Mascot fox", description="**Bold** fox")
        services.update_version(
            version=version, actor=version.model.owner, trained_words=["mascotfox"]
        )
        visitor = accounts.user()
        other = gallery.post(
            visitor,
            [
                gallery.picture(
                    visitor,
                    origin=gallery.origin(
                        resources=[{"version_id": version.pk, "name": "x", "type": "LORA"}]
                    ),
                )
            ],
        ).images.get()
        body = client.get(version.model.get_absolute_url()).content.decode()
        for part in (
            "<strong>Bold</strong>",
            "mascotfox",
            f"/generate?version={version.pk}",
            f"/api/download/models/{version.pk}",
            catalog.file_of(version).hashes["SHA256"],
            f"/images/{other.pk}",
            "Licence: CreativeML OpenRAIL-M",
        ):
            assert part in body

    def test_who_sees_what(self, client: Client) -> None:
        draft, hidden, quarantined = catalog.trained(), catalog.published(), catalog.quarantined()
        services.hide_model(model_id=hidden.model_id)
        for version in (draft, hidden, quarantined):
            assert client.get(version.model.get_absolute_url()).status_code == 404
        client.force_login(quarantined.model.owner)
        body = client.get(quarantined.model.get_absolute_url()).content.decode()
        assert "In quarantine" in body
        assert "/api/download/models/" not in body
        assert "Generate with this" not in body
        client.force_login(accounts.staff())
        assert (
            "Staff hid this model" in client.get(hidden.model.get_absolute_url()).content.decode()
        )

    def test_the_owner_publishes_and_takes_back(self, client: Client, owner: User) -> None:
        version = catalog.trained(owner)
        assert "Publish" in client.get(version.model.get_absolute_url()).content.decode()
        client.post(f"/versions/{version.pk}/publish")
        version.refresh_from_db()
        assert version.status == Status.PUBLISHED
        client.post(f"/versions/{version.pk}/unpublish")
        version.refresh_from_db()
        assert version.status == Status.DRAFT
        client.force_login(accounts.user())
        assert client.post(f"/versions/{version.pk}/publish").status_code == 404
        version.refresh_from_db()
        assert version.status == Status.DRAFT

    def test_a_quarantined_one_says_why_it_is_not_published(
        self, client: Client, owner: User
    ) -> None:
        version = catalog.quarantined(owner)
        response = client.post(f"/versions/{version.pk}/publish", follow=True)
        assert "wait for a review" in response.content.decode()

    def test_changes(self, client: Client, owner: User) -> None:
        version = catalog.trained(owner)
        url = f"/models/{version.model_id}/edit"
        assert client.get(url).status_code == 200
        response = client.post(url, filled(name="New name", uses=["Sell"]))
        assert response.status_code == 302
        version.model.refresh_from_db()
        assert (version.model.name, version.model.allow_commercial_use) == ("New name", ["Sell"])
        assert client.post(url, filled(name="")).status_code == 422
        edit = f"/versions/{version.pk}/edit"
        client.post(edit, {"name": "v9", "trained_words": "a, b"})
        version.refresh_from_db()
        assert (version.name, version.trained_words) == ("v9", ["a", "b"])
        client.force_login(accounts.user())
        for address in (url, edit):
            assert client.post(address, filled(name="Stolen")).status_code == 404

    def test_words_about_a_person_are_refused_and_kept_in_the_form(
        self, client: Client, owner: User
    ) -> None:
        version = catalog.trained(owner)
        response = client.post(
            f"/models/{version.model_id}/edit", filled(description="my coworker Anna")
        )
        assert response.status_code == 403
        assert "my coworker Anna" in response.content.decode()


class TestSharing:
    def test_one_form_makes_a_quarantined_model(self, client: Client, owner: User) -> None:
        assert client.get("/models/new").status_code == 200
        response = client.post("/models/new", {**filled(), "file": file()})
        version = ModelVersion.objects.get()
        assert response.headers["Location"] == version.model.get_absolute_url()
        assert version.clearance == Clearance.QUARANTINED
        assert (version.model.owner, version.trained_words) == (owner, ["linefox", "fox"])
        assert version.model.license == "mit"
        assert catalog.file_of(version).uploaded_name == "fox.safetensors"

    def test_an_upload_that_a_script_sent_ahead(self, client: Client, owner: User) -> None:
        upload = catalog.upload(owner)
        response = client.post("/models/new", {**filled(), "upload": upload.pk})
        assert response.status_code == 302
        assert catalog.file_of(ModelVersion.objects.get()).size_bytes == upload.length

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"\x80\x04\x95" + b"K\x01." * 20, "Python pickle"),
            (safetensors()[:-9], "cut off"),
        ],
    )
    def test_a_bad_file_is_refused_and_makes_nothing(
        self, client: Client, owner: User, data: bytes, words: str
    ) -> None:
        response = client.post("/models/new", {**filled(), "file": file(data)})
        assert response.status_code == 422
        assert words in response.content.decode()
        assert "A fox of lines" in response.content.decode()
        assert not AiModel.objects.exists()
        assert not ModelVersion.objects.exists()

    def test_without_a_file(self, client: Client, owner: User) -> None:
        response = client.post("/models/new", filled())
        assert response.status_code == 422
        assert "Choose the file to share." in response.content.decode()

    def test_strangers_sign_in_first(self, client: Client) -> None:
        for path in ("/models/new", "/models/1/edit", "/versions/1/edit"):
            assert client.get(path).headers["Location"].startswith("/accounts/login/")


def test_tools_are_led_to_sign_in(client: Client) -> None:
    response = client.get("/login?returnUrl=/api/download/models/5&reason=download-auth")
    assert response.headers["Location"] == ("/accounts/login/?next=%2Fapi%2Fdownload%2Fmodels%2F5")
    outside = client.get("/login?returnUrl=https://elsewhere.example/")
    assert outside.headers["Location"] == "/accounts/login/?next=%2F"


def test_two_slashes_lead_to_one(client: Client) -> None:
    response = client.get("/", {"limit": "1"}, PATH_INFO="//api/v1/models")
    assert (response.status_code, response.headers["Location"]) == (308, "/api/v1/models?limit=1")
