"""The list of models and one model, as the contract has them."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

import pytest
from tests.factories import accounts, catalog, gallery

from atelier.catalog import services
from atelier.catalog.models import AiModel, ModelFile, ModelVersion
from atelier.core import clock
from atelier.likeness.refs import Ref
from atelier.likeness.services import block

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def get(client: Client, path: str, **query: Any) -> Any:
    response = client.get(f"/api/v1/{path}", query)
    assert response.status_code == 200, response.content
    return response.json()


def listed(client: Client, **query: Any) -> list[int]:
    return [item["id"] for item in get(client, "models", **query)["items"]]


def test_a_model_has_every_field_of_the_contract(client: Client) -> None:
    owner = accounts.user("maker")
    version = catalog.published(owner, name="Fox LoRA", description="A fox", tags=["fox", "animal"])
    media = gallery.picture(owner, origin=gallery.origin())
    image = gallery.post(owner, [media], version=version).images.get()
    file = catalog.file_of(version)
    (item,) = get(client, "models", ids=str(version.model_id))["items"]
    published = item["modelVersions"][0].pop("publishedAt")
    scanned = item["modelVersions"][0]["files"][0].pop("scannedAt")
    assert MOMENT.fullmatch(published)
    assert MOMENT.fullmatch(scanned)
    assert item == {
        "id": version.model_id,
        "name": "Fox LoRA",
        "description": "<p>A fox</p>\n",
        "type": "LORA",
        "nsfw": False,
        "nsfwLevel": 1,
        "minor": False,
        "poi": False,
        "sfwOnly": False,
        "availability": "Public",
        "allowNoCredit": True,
        "allowCommercialUse": ["Image"],
        "allowDerivatives": True,
        "allowDifferentLicense": True,
        "stats": {
            "downloadCount": 0,
            "thumbsUpCount": 0,
            "thumbsDownCount": 0,
            "commentCount": 0,
            "tippedAmountCount": 0,
        },
        "creator": {"username": "maker", "image": None},
        "tags": ["animal", "fox"],
        "supportsGeneration": True,
        "baseModels": ["Atelier Base"],
        "modelVersions": [
            {
                "id": version.pk,
                "index": 0,
                "name": "v1",
                "baseModel": "Atelier Base",
                "baseModelType": "Standard",
                "availability": "Public",
                "nsfwLevel": 1,
                "description": None,
                "trainedWords": [],
                "stats": {"downloadCount": 0, "thumbsUpCount": 0, "thumbsDownCount": 0},
                "paidAccess": None,
                "supportsGeneration": True,
                "files": [
                    {
                        "id": file.pk,
                        "sizeKB": file.size_bytes / 1024,
                        "name": "weights.safetensors",
                        "type": "Model",
                        "metadata": {"format": "SafeTensor", "fp": "fp16"},
                        "pickleScanResult": "Success",
                        "pickleScanMessage": "No Pickle imports",
                        "virusScanResult": "Success",
                        "virusScanMessage": None,
                        "hashes": file.hashes,
                        "downloadUrl": f"http://testserver/api/download/models/{version.pk}",
                        "primary": True,
                    }
                ],
                "images": [
                    {
                        "id": image.pk,
                        "url": f"http://testserver/api/pictures/atelier/{media.pk}"
                        f"/original=true/{image.pk}.jpeg",
                        "nsfwLevel": 1,
                        "width": 640,
                        "height": 480,
                        "hash": "005?}k",
                        "type": "image",
                        "minor": False,
                        "poi": False,
                        "hasMeta": True,
                        "hasPositivePrompt": True,
                        "onSite": False,
                        "remixOfId": None,
                    }
                ],
                "downloadUrl": f"http://testserver/api/download/models/{version.pk}",
            }
        ],
    }


def test_a_model_by_its_id(client: Client) -> None:
    version = catalog.published()
    detail = get(client, f"models/{version.model_id}")
    (shown,) = detail["modelVersions"]
    assert (shown["status"], shown["covered"]) == ("Published", True)
    assert MOMENT.fullmatch(shown["createdAt"])
    assert shown["images"] == []
    assert "supportsGeneration" not in shown


@pytest.mark.parametrize("bad", ["0", "-1", "2147483648", "abc", "1.5", "99999999999999999999"])
def test_ids_outside_the_contract_are_400(client: Client, bad: str) -> None:
    response = client.get(f"/api/v1/models/{bad}")
    assert response.status_code == 400
    assert "error" in response.json()


def test_a_missing_model_is_404_with_an_error(client: Client) -> None:
    response = client.get("/api/v1/models/5")
    assert response.status_code == 404
    assert response.json() == {"error": "No model with id 5"}


def test_what_is_not_public_is_not_there(client: Client) -> None:
    draft, hidden, blocked = catalog.cleared(), catalog.published(), catalog.published()
    quarantined, locked = catalog.quarantined(), catalog.trained()
    services.lock(version=locked, owner=locked.model.owner)
    services.hide_model(model_id=hidden.model_id)
    block(ref=Ref("version", blocked.pk), reason="a notice")
    assert listed(client) == []
    for version in (draft, hidden, blocked, quarantined, locked):
        assert client.get(f"/api/v1/models/{version.model_id}").status_code == 404
        assert client.get(f"/api/v1/model-versions/{version.pk}").status_code == 404
        value = catalog.file_of(version).sha256
        assert client.get(f"/api/v1/model-versions/by-hash/{value}").status_code == 404


def test_the_list_is_one_query(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        catalog.published()
    with django_assert_num_queries(1):
        assert len(get(client, "models")["items"]) == 3
    model_id = AiModel.objects.order_by("id").values_list("id", flat=True)[0]
    with django_assert_num_queries(1):
        get(client, f"models/{model_id}")


class TestFilters:
    def test_by_what_the_model_is(self, client: Client) -> None:
        owner = accounts.user("fox_maker")
        lora = catalog.published(owner, type="LORA", tags=["fox"]).model_id
        vae = catalog.published(type="VAE", base_model="SD 1.5", tags=["color"]).model_id
        assert listed(client, types="LORA") == [lora]
        assert sorted(listed(client, types="LORA,VAE")) == [lora, vae]
        assert sorted(listed(client, types=["LORA", "VAE"])) == [lora, vae]
        assert listed(client, tag="FOX") == [lora]
        assert sorted(listed(client, tag="")) == [lora, vae]
        assert listed(client, username="Fox_Maker") == [lora]
        assert listed(client, username="nobody_here") == []
        assert listed(client, baseModels="SD 1.5") == [vae]
        assert listed(client, baseModels="GetModels") == []
        assert listed(client, supportsGeneration="true") == [lora]
        assert sorted(listed(client, ids=f"{lora},{vae},99", nsfw="true")) == [lora, vae]
        assert listed(client, allowDerivatives="false") == []

    def test_versions_of_other_base_models_are_dropped_from_the_items(self, client: Client) -> None:
        version = catalog.published()
        other = services.create_version(
            model=version.model, actor=version.model.owner, name="v2", base_model="SD 1.5"
        )
        services.add_file_from_upload(
            version=other,
            actor=version.model.owner,
            upload_id=catalog.upload(version.model.owner).pk,
        )
        services.clear_version(version_id=other.pk, actor=accounts.staff())
        services.publish(version=other, actor=version.model.owner)
        (item,) = get(client, "models", baseModels="SD 1.5")["items"]
        assert [shown["id"] for shown in item["modelVersions"]] == [other.pk]
        assert item["baseModels"] == ["Atelier Base", "SD 1.5"]

    def test_mature_models_need_nsfw(self, client: Client) -> None:
        version = catalog.published()
        owner = version.model.owner
        gallery.post(owner, [gallery.picture(owner, rating=8)], version=version)
        assert listed(client) == []
        (item,) = get(client, "models", nsfw="True")["items"]
        assert (item["nsfw"], item["nsfwLevel"]) == (True, 9)
        assert [image["nsfwLevel"] for image in item["modelVersions"][0]["images"]] == [8]

    def test_periods(self, client: Client) -> None:
        with clock.frozen(clock.now() - dt.timedelta(days=8)):
            old = catalog.published().model_id
        new = catalog.published().model_id
        assert listed(client, period="Week") == [new]
        assert sorted(listed(client, period="Month")) == [old, new]

    @pytest.mark.parametrize(
        "query",
        [
            {"limit": "101"},
            {"limit": "many"},
            {"limit": "-1"},
            {"sort": "Best"},
            {"types": "lora"},
            {"nsfw": "perhaps"},
            {"period": "Decade"},
            {"ids": "1,x"},
            {"page": "0"},
        ],
    )
    def test_bad_parameters_are_400_with_issues(
        self, client: Client, query: dict[str, str]
    ) -> None:
        response = client.get("/api/v1/models", query)
        assert response.status_code == 400
        (issue,) = response.json()["error"]["issues"]
        assert issue["path"] == list(query)

    def test_favorites_and_hidden_need_somebody(self, client: Client) -> None:
        for name in ("favorites", "hidden"):
            response = client.get("/api/v1/models", {name: "false"})
            assert response.status_code == 401
            assert response.json() == {"error": "Unauthorized"}
        token = accounts.token(accounts.user())
        response = client.get("/api/v1/models", {"hidden": "false", "token": token})
        assert response.status_code == 200

    def test_a_wrong_token_is_nobody(self, client: Client) -> None:
        catalog.published()
        for header in ("Bearer wrong", "Bearer ", "Bearer None", "nonsense"):
            response = client.get("/api/v1/models", headers={"Authorization": header})
            assert response.status_code == 200
            assert len(response.json()["items"]) == 1

    def test_primary_files_only(self, client: Client) -> None:
        version = catalog.cleared()
        owner = version.model.owner
        services.add_file_from_upload(
            version=version, actor=owner, upload_id=catalog.upload(owner).pk, type="Text Encoder"
        )
        services.clear_version(version_id=version.pk, actor=accounts.staff())
        services.publish(version=version, actor=owner)
        (item,) = get(client, "models")["items"]
        first, second = item["modelVersions"][0]["files"]
        assert first["primary"] is True
        assert "primary" not in second
        assert second["downloadUrl"].endswith(
            f"/{version.pk}?type=Text%20Encoder&format=SafeTensor&fp=fp16"
        )
        (item,) = get(client, "models", primaryFileOnly="1")["items"]
        assert len(item["modelVersions"][0]["files"]) == 1


class TestPages:
    @pytest.mark.parametrize(
        "sort", ["Highest Rated", "Most Downloaded", "Newest", "Oldest", "Most Images"]
    )
    def test_cursors_reach_every_model_once(self, client: Client, sort: str) -> None:
        expected = [catalog.published().model_id for _ in range(5)]
        found: list[int] = []
        url = f"/api/v1/models?limit=2&sort={sort}&nsfw="
        while url:
            body = client.get(url).json()
            found += [item["id"] for item in body["items"]]
            url = body["metadata"].get("nextPage", "")
            if url:
                assert url.startswith("http://testserver/api/v1/models?")
        assert sorted(found) == sorted(expected)
        assert body["metadata"] == {}

    def test_sorted_by_their_counters(self, client: Client) -> None:
        first, second = catalog.published(), catalog.published()
        AiModel.objects.filter(pk=first.model_id).update(download_count=5)
        AiModel.objects.filter(pk=second.model_id).update(thumbs_up_count=5)
        assert listed(client, sort="Most Downloaded") == [first.model_id, second.model_id]
        assert listed(client, sort="Highest Rated") == [second.model_id, first.model_id]

    def test_pages_by_number(self, client: Client) -> None:
        for _ in range(3):
            catalog.published()
        body = get(client, "models", page=2, limit=2)
        assert len(body["items"]) == 1
        assert body["metadata"] == {"currentPage": 2, "pageSize": 2}
        body = get(client, "models", page=1, limit=2)
        assert set(body["metadata"]) == {"currentPage", "pageSize", "nextCursor", "nextPage"}

    def test_too_deep_is_429_with_retry_after(self, client: Client) -> None:
        response = client.get("/api/v1/models", {"page": 11, "limit": 100})
        assert response.status_code == 429
        assert response.headers["Retry-After"] == "60"
        assert "use cursors" in response.json()["error"]

    def test_limit_zero_is_allowed(self, client: Client) -> None:
        catalog.published()
        assert get(client, "models", limit=0) == {"items": [], "metadata": {}}

    @pytest.mark.parametrize("cursor", ["nonsense", "WzFd", "WyJhIiwiYiJd", "////"])
    def test_a_malformed_cursor_is_400(self, client: Client, cursor: str) -> None:
        for sort in ("Newest", "Most Liked"):
            response = client.get("/api/v1/models", {"cursor": cursor, "sort": sort})
            assert response.status_code == 400
            assert response.json()["message"].startswith("Invalid cursor")

    def test_search_by_words(self, client: Client) -> None:
        fox = catalog.published(name="Watercolor Fox").model_id
        catalog.published(name="Robot")
        assert listed(client, query="waterc fox") == [fox]
        assert listed(client, query="fox' OR 1=1 --") == []
        assert listed(client, query="!!!") == []
        assert len(listed(client, query="")) == 2
        response = client.get("/api/v1/models", {"query": "fox", "page": 1})
        assert response.status_code == 400
        assert response.json() == {
            "error": "Cannot use page param with query search. Use cursor-based pagination."
        }

    def test_search_pages_by_offset(self, client: Client) -> None:
        for number in range(3):
            catalog.published(name=f"Fox {number}")
        body = get(client, "models", query="fox", limit=2)
        assert body["metadata"]["nextCursor"] == "2"
        assert len(get(client, "models", query="fox", limit=2, cursor="2")["items"]) == 1


class TestManners:
    def test_headers(self, client: Client) -> None:
        response = client.get("/api/v1/models")
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.headers["Cache-Control"] == (
            "public, s-maxage=30, stale-while-revalidate=15"
        )
        token = accounts.token(accounts.user())
        signed = client.get("/api/v1/models", headers={"Authorization": f"Bearer {token}"})
        assert signed.headers["Cache-Control"] == "private, no-store"

    def test_methods(self, client: Client) -> None:
        assert client.options("/api/v1/models").status_code == 200
        assert client.head("/api/v1/models").status_code == 200
        response = client.post("/api/v1/models")
        assert response.status_code == 405
        assert response.json() == {"error": "Method not allowed"}

    def test_unknown_paths_are_json(self, client: Client) -> None:
        response = client.get("/api/v1/nothing/here")
        assert response.status_code == 404
        assert response.json() == {"error": "Not found"}

    def test_sizes_are_exact(self, client: Client) -> None:
        version = catalog.published()
        ModelFile.objects.update(size_bytes=12_345_678_901)
        body = get(client, f"models/{version.model_id}")
        assert body["modelVersions"][0]["files"][0]["sizeKB"] * 1024 == 12_345_678_901

    def test_addresses_follow_the_host(self, client: Client) -> None:
        version = catalog.published()
        response = client.get(f"/api/v1/models/{version.model_id}", headers={"Host": "localhost"})
        assert response.json()["modelVersions"][0]["downloadUrl"] == (
            f"http://localhost/api/download/models/{version.pk}"
        )


def test_the_current_version_is_the_first(client: Client) -> None:
    version = catalog.published()
    ModelVersion.objects.filter(pk=version.pk).update(index=3)
    other = catalog.trained(version.model.owner, model=version.model)
    ModelVersion.objects.filter(pk=other.pk).update(index=1)
    services.publish(version=other, actor=version.model.owner)
    shown = get(client, f"models/{version.model_id}")["modelVersions"]
    assert [one["id"] for one in shown] == [other.pk, version.pk]
