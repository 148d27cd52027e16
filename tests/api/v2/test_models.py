"""Sharing a model over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.factories import accounts, catalog
from tests.factories.weights import safetensors

from atelier.catalog import services
from atelier.catalog.models import AiModel, ModelFile, ModelVersion

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from atelier.accounts.models import User

pytestmark = pytest.mark.django_db
MODEL = {
    "name": "Mascot fox",
    "type": "LORA",
    "base_model": "Atelier Base",
    "description": "A fox",
    "tags": ["fox"],
}


def auth(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {accounts.token(user)}"}


def post(client: Client, path: str, user: User, body: Any = None) -> Any:
    return client.post(
        f"/api/v2/{path}", body or {}, content_type="application/json", headers=auth(user)
    )


def test_from_a_model_to_a_public_file(client: Client) -> None:
    owner = accounts.user()
    model = post(client, "models", owner, MODEL)
    assert model.status_code == 201
    assert model.json()["status"] == "draft"
    version = post(
        client,
        f"models/{model.json()['id']}/versions",
        owner,
        {"name": "v1", "trained_words": ["mascotfox"]},
    )
    assert version.status_code == 201
    assert version.json()["clearance"] == "quarantined"
    version_id = version.json()["id"]
    file = post(client, f"versions/{version_id}/files", owner, {"upload": catalog.upload(owner).pk})
    assert file.status_code == 201
    assert set(file.json()["hashes"]) == {"AutoV2", "AutoV3", "SHA256", "CRC32", "BLAKE3"}
    refused = post(client, f"versions/{version_id}/publish", owner)
    assert refused.status_code == 403
    assert refused.json()["code"] == "quarantined"
    services.clear_version(version_id=version_id, actor=accounts.staff())
    published = post(client, f"versions/{version_id}/publish", owner)
    assert published.status_code == 200
    assert (published.json()["status"], published.json()["generatable"]) == ("published", True)
    listed = client.get("/api/v2/models").json()
    assert [one["id"] for one in listed["items"]] == [model.json()["id"]]
    assert listed["items"][0]["versions"][0]["trained_words"] == ["mascotfox"]
    assert post(client, f"versions/{version_id}/unpublish", owner).json()["status"] == "draft"
    assert client.get("/api/v2/models").json()["items"] == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x80\x04\x95" + b"K\x01." * 20, "Python pickle"),
        (safetensors()[:-9], "cut off"),
        (b"GGUF" + bytes(60), "GGUF"),
        (b"PK\x03\x04" + bytes(60), "ZIP archive"),
    ],
)
def test_a_bad_file_is_refused_with_its_own_words(client: Client, data: bytes, words: str) -> None:
    owner = accounts.user()
    model = catalog.model(owner)
    version = services.create_version(model=model, actor=owner, name="v1")
    response = post(
        client,
        f"versions/{version.pk}/files",
        owner,
        {"upload": catalog.upload(owner, data).pk},
    )
    assert response.status_code == 422
    assert response.json()["code"] == "file_refused"
    assert words in response.json()["detail"]
    assert not ModelFile.objects.exists()


def test_strangers_change_nothing(client: Client) -> None:
    version = catalog.cleared()
    stranger = accounts.user()
    upload = catalog.upload(stranger)
    for path, body in (
        (f"models/{version.model_id}/versions", {"name": "v2"}),
        (f"versions/{version.pk}/files", {"upload": upload.pk}),
        (f"versions/{version.pk}/publish", {}),
    ):
        assert post(client, path, stranger, body).status_code == 404
        assert (
            client.post(f"/api/v2/{path}", body, content_type="application/json").status_code == 401
        )
    published = catalog.published()
    for path, body in (
        (f"models/{published.model_id}/versions", {"name": "v2"}),
        (f"versions/{published.pk}/files", {"upload": upload.pk}),
        (f"versions/{published.pk}/unpublish", {}),
    ):
        response = post(client, path, stranger, body)
        assert response.status_code == 403
        assert response.json()["code"] == "not_owner"
    assert ModelVersion.objects.count() == 2
    assert ModelFile.objects.count() == 2


def test_a_draft_is_seen_by_its_owner_alone(client: Client) -> None:
    model = catalog.model()
    url = f"/api/v2/models/{model.pk}"
    assert client.get(url).status_code == 404
    assert client.get(url, headers=auth(accounts.user())).status_code == 404
    assert client.get(url, headers=auth(model.owner)).status_code == 200
    mine = client.get("/api/v2/models?mine=1", headers=auth(model.owner)).json()
    assert [one["id"] for one in mine["items"]] == [model.pk]


def test_changes(client: Client) -> None:
    model = catalog.model()
    response = client.patch(
        f"/api/v2/models/{model.pk}",
        {"name": "New", "permissions": {"license": "mit", "allow_commercial_use": ["Sell"]}},
        content_type="application/json",
        headers=auth(model.owner),
    )
    assert response.json()["name"] == "New"
    assert response.json()["permissions"]["license"] == "mit"
    version = services.create_version(model=model, actor=model.owner, name="v1")
    response = client.patch(
        f"/api/v2/versions/{version.pk}",
        {"trained_words": ["a", "b"]},
        content_type="application/json",
        headers=auth(model.owner),
    )
    assert response.json()["trained_words"] == ["a", "b"]


@pytest.mark.parametrize(
    ("change", "field"),
    [({"name": ""}, "name"), ({"type": "lora"}, "type"), ({"tags": "fox"}, "tags")],
)
def test_bad_input_is_422_with_the_field(
    client: Client, change: dict[str, Any], field: str
) -> None:
    response = post(client, "models", accounts.user(), {**MODEL, **change})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == field
    assert not AiModel.objects.exists()


@pytest.mark.parametrize("number", [0, 2**31, 10**30])
def test_ids_of_nothing_are_404(client: Client, number: int) -> None:
    assert client.get(f"/api/v2/models/{number}").status_code == 404
    assert client.get(f"/api/v2/versions/{number}").status_code == 404


def test_files_and_versions_are_listed(client: Client) -> None:
    version = catalog.published()
    file = catalog.file_of(version)
    files = client.get(f"/api/v2/versions/{version.pk}/files").json()
    assert [one["id"] for one in files["items"]] == [file.pk]
    one = client.get(f"/api/v2/versions/{version.pk}/files/{file.pk}")
    assert one.json()["size_bytes"] == file.size_bytes
    assert client.get(f"/api/v2/versions/{version.pk}/files/{file.pk + 1}").status_code == 404
    versions = client.get(f"/api/v2/models/{version.model_id}/versions").json()
    assert [one["id"] for one in versions["items"]] == [version.pk]
    assert client.get(f"/api/v2/versions/{version.pk}").json()["download_url"] == (
        f"/api/download/models/{version.pk}"
    )


def test_the_list_needs_a_fixed_number_of_queries(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        catalog.published(tags=["fox"])
    with django_assert_num_queries(5):
        assert len(client.get("/api/v2/models").json()["items"]) == 3
