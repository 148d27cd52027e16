"""Versions by id and by hash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.factories import accounts, catalog, gallery
from tests.factories.weights import safetensors

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db
BIG = {"unet.attn2.to_k.lora_A.weight": (1024, 1100)}  # over 2 MiB, so it has AutoV1


def test_a_version_has_the_contract_s_fields(client: Client) -> None:
    owner = accounts.user()
    version = catalog.published(owner)
    gallery.post(owner, [gallery.picture(owner, origin=gallery.origin())], version=version)
    body = client.get(f"/api/v1/model-versions/{version.pk}").json()
    assert set(body) == {
        "id", "modelId", "name", "nsfwLevel", "createdAt", "updatedAt", "publishedAt", "status",
        "availability", "earlyAccessEndsAt", "earlyAccessConfig", "trainedWords",
        "trainingStatus", "trainingDetails", "baseModel", "baseModelType", "description",
        "uploadType", "usageControl", "licensingFee", "paidAccess", "air", "stats", "model",
        "files", "images", "downloadUrl",
    }  # fmt: skip
    assert body["air"] == f"urn:air:atelier:lora:civitai:{version.model_id}@{version.pk}"
    assert body["model"] == {
        "name": version.model.name, "type": "LORA", "nsfw": False, "poi": False,
    }  # fmt: skip
    assert body["files"][0]["primary"] is True
    meta = body["images"][0]["meta"]
    assert (meta["prompt"], meta["negativePrompt"]) == ("a small fox, drawing", "blurry")
    assert (meta["seed"], meta["steps"], meta["cfgScale"]) == (7, 20, 6.5)
    assert meta["sampler"] == "Euler a"
    assert meta["Size"] == "640x480"
    assert meta["civitaiResources"] == [{"type": "lora", "modelVersionId": version.pk, "weight": 1}]


@pytest.mark.parametrize("kind", ["AutoV1", "AutoV2", "AutoV3", "SHA256", "CRC32", "BLAKE3"])
@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_every_hash_finds_it_in_any_case(client: Client, kind: str, case: object) -> None:
    version = catalog.published(data=safetensors(BIG))
    value = catalog.file_of(version).hashes[kind]
    response = client.get(f"/api/v1/model-versions/by-hash/{case(value)}")  # type: ignore[operator]
    assert response.json()["id"] == version.pk


def test_the_crc_is_found_in_both_byte_orders(client: Client) -> None:
    version = catalog.published()
    value = bytes.fromhex(catalog.file_of(version).hashes["CRC32"])[::-1].hex()
    assert client.get(f"/api/v1/model-versions/by-hash/{value}").json()["id"] == version.pk


def test_of_several_the_earliest_published_is_found(client: Client) -> None:
    data = safetensors()
    first, _second = catalog.published(data=data), catalog.published(data=data)
    value = catalog.file_of(first).sha256
    assert client.get(f"/api/v1/model-versions/by-hash/{value}").json()["id"] == first.pk


def test_unknown_ones_are_404_with_the_contract_s_words(client: Client) -> None:
    for path in ("7", "by-hash/FFFFFFFF", "99999999999999"):
        response = client.get(f"/api/v1/model-versions/{path}")
        assert response.status_code == 404
        assert response.json() == {"error": "Model not found"}
    assert client.get("/api/v1/model-versions/abc").status_code == 400


def test_many_hashes_at_once(client: Client) -> None:
    version = catalog.published()
    value = catalog.file_of(version).sha256
    body = [value, "0" * 64]
    answer = client.post(
        "/api/v1/model-versions/by-hash", body, content_type="application/json"
    ).json()
    assert [one["id"] for one in answer] == [version.pk]
    ids = client.post(
        "/api/v1/model-versions/by-hash/ids", body, content_type="application/json"
    ).json()
    assert ids == [
        {"modelVersionId": version.pk, "modelId": version.model_id, "hash": value.upper()}
    ]


@pytest.mark.parametrize("body", [{}, ["short"], [5], ["0" * 64] * 101, "x"])
def test_bad_bodies_are_400(client: Client, body: object) -> None:
    response = client.post("/api/v1/model-versions/by-hash", body, content_type="application/json")
    assert response.status_code == 400
    assert response.json()["error"].startswith("Request must include an array of SHA256 Hashes")


def test_a_version_in_short(client: Client) -> None:
    version = catalog.published()
    file = catalog.file_of(version)
    body = client.get(f"/api/v1/model-versions/mini/{version.pk}").json()
    assert body["size"] == file.size_bytes / 1024
    assert body["hashes"] == file.hashes
    assert body["downloadUrls"] == [f"http://testserver/api/download/models/{version.pk}"]
    chosen = client.get(
        f"/api/v1/model-versions/mini/{version.pk}", {"modelFileId": file.pk}
    ).json()
    assert chosen["air"].endswith(f"@{version.pk}+{file.pk}")
    assert chosen["downloadUrls"][0].endswith(f"?fileId={file.pk}")
    missing = client.get(f"/api/v1/model-versions/mini/{version.pk}", {"modelFileId": 999})
    assert missing.status_code == 404
    assert missing.json() == {"error": f"Model file 999 not found in version {version.pk}"}


def test_each_is_one_query(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    version = catalog.published()
    value = catalog.file_of(version).sha256
    for path in (str(version.pk), f"by-hash/{value}", f"mini/{version.pk}"):
        with django_assert_num_queries(1):
            assert client.get(f"/api/v1/model-versions/{path}").status_code == 200
