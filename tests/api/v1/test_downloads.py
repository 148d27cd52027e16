"""Downloads: who may, what the answers look like, ranges, and counting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.factories import accounts, catalog
from tests.factories.weights import safetensors

from atelier.catalog import downloads, services
from atelier.catalog.models import DownloadEvent, ModelFile, ModelVersion
from atelier.core import clock, storage
from atelier.likeness.refs import Ref
from atelier.likeness.services import block

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import Client

    from atelier.accounts.models import User

pytestmark = pytest.mark.django_db
CURL = "curl/8.0"


def ask(
    client: Client, version: ModelVersion, viewer: User | None = None, **query: Any
) -> HttpResponse:
    headers = {"User-Agent": CURL}
    if viewer is not None:
        headers["Authorization"] = f"Bearer {accounts.token(viewer)}"
    return client.get(  # type: ignore[return-value]
        f"/api/download/models/{version.pk}", query, headers=headers
    )


def fetch(client: Client, location: str, **headers: str) -> Any:
    return client.get(location, headers={"User-Agent": CURL, **headers})


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


class TestWhoMay:
    """Anonymous, stranger, owner, somebody with an unlock, and staff."""

    def people(self, version: ModelVersion) -> dict[str, User | None]:
        commissioner = accounts.user()
        services.unlock_for(version=version, user=commissioner, reason="award")
        return {
            "anonymous": None,
            "stranger": accounts.user(),
            "owner": version.model.owner,
            "unlocked": commissioner,
            "staff": accounts.staff(),
        }

    def codes(self, client: Client, version: ModelVersion) -> dict[str, int]:
        return {
            name: ask(client, version, viewer).status_code
            for name, viewer in self.people(version).items()
        }

    def test_a_public_file(self, client: Client) -> None:
        assert set(self.codes(client, catalog.published()).values()) == {307}

    def test_a_locked_file(self, client: Client) -> None:
        version = catalog.trained()
        services.lock(version=version, owner=version.model.owner)
        assert self.codes(client, version) == {
            "anonymous": 401,
            "stranger": 403,
            "owner": 307,
            "unlocked": 307,
            "staff": 307,
        }
        refused = ask(client, version, accounts.user()).json()
        assert refused["code"] == "locked"

    def test_a_draft(self, client: Client) -> None:
        assert self.codes(client, catalog.trained()) == {
            "anonymous": 404,
            "stranger": 404,
            "owner": 307,
            "unlocked": 307,
            "staff": 307,
        }

    def test_a_quarantined_file_is_nobody_s(self, client: Client) -> None:
        version = catalog.quarantined()
        assert self.codes(client, version) == {
            "anonymous": 404,
            "stranger": 404,
            "owner": 403,
            "unlocked": 403,
            "staff": 403,
        }
        assert ask(client, version, version.model.owner).json()["code"] == "quarantined"

    def test_a_hidden_file(self, client: Client) -> None:
        version = catalog.published()
        services.hide_model(model_id=version.model_id)
        assert self.codes(client, version) == {
            "anonymous": 404,
            "stranger": 404,
            "owner": 404,
            "unlocked": 404,
            "staff": 307,
        }

    @pytest.mark.parametrize("kind", ["version", "model"])
    def test_a_blocked_file_is_nobody_s(self, client: Client, kind: str) -> None:
        version = catalog.published()
        ref = version.pk if kind == "version" else version.model_id
        block(ref=Ref(kind, ref), reason="a notice")
        assert set(self.codes(client, version).values()) == {404}

    def test_a_removed_file_is_nobody_s(self, client: Client) -> None:
        version = catalog.published()
        services.remove_model(model_id=version.model_id)
        assert set(self.codes(client, version).values()) == {404}

    def test_refusals_count_no_download(self, client: Client) -> None:
        version = catalog.trained()
        services.lock(version=version, owner=version.model.owner)
        ask(client, version, accounts.user())
        assert not DownloadEvent.objects.exists()


class TestTheRedirect:
    def test_it_leads_to_the_bytes_without_any_authorization(self, client: Client) -> None:
        data = safetensors()
        version = catalog.published(data=data)
        response = ask(client, version)
        location = response.headers["Location"]
        assert response.status_code == 307
        assert response.content.decode() == location
        assert response.headers["Cache-Control"] == "no-store, max-age=0"
        parts = urlsplit(location)
        assert (parts.scheme, parts.netloc) == ("http", "testserver")
        assert parts.path.endswith("/weights.safetensors")
        assert parse_qs(parts.query)["response-content-disposition"] == [
            'attachment; filename="weights.safetensors"'
        ]
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            got = fetch(client, location, **headers)
            assert got.status_code == 200
            assert body(got) == data
        assert got.headers["Content-Disposition"] == 'attachment; filename="weights.safetensors"'
        assert got.headers["Content-Length"] == str(len(data))
        assert got.headers["Accept-Ranges"] == "bytes"
        assert got.headers["ETag"] == f'"{catalog.file_of(version).sha256}"'

    def test_head_is_redirected_too_and_counts_nothing(self, client: Client) -> None:
        version = catalog.published()
        response = client.head(f"/api/download/models/{version.pk}")
        assert response.status_code == 307
        got = client.head(response.headers["Location"])
        assert got.status_code == 200
        assert got.headers["Content-Length"] == str(catalog.file_of(version).size_bytes)
        assert got.content == b""
        assert not DownloadEvent.objects.exists()

    def test_the_token_may_stand_in_the_query(self, client: Client) -> None:
        version = catalog.trained()
        token = accounts.token(version.model.owner)
        url = f"/api/download/models/{version.pk}"
        assert client.get(url, {"token": token}).status_code == 307
        # The header wins, whatever it says.
        wrong = {"Authorization": "Bearer wrong", "User-Agent": CURL}
        assert client.get(url, {"token": token}, headers=wrong).status_code == 404

    def test_the_ticket_is_for_one_file_and_five_minutes(self, client: Client) -> None:
        first, second = catalog.published(), catalog.published()
        location = ask(client, first).headers["Location"]
        ids = [str(catalog.file_of(version).pk) for version in (first, second)]
        other = location.replace(f"/files/{ids[0]}/", f"/files/{ids[1]}/")
        assert fetch(client, other).status_code == 404
        assert fetch(client, location.replace("ticket=", "ticket=x")).status_code == 404
        assert fetch(client, location.split("?")[0]).status_code == 404
        import datetime as dt

        later = clock.now() + dt.timedelta(seconds=downloads.LIFE_SECONDS + 1)
        with clock.frozen(later):
            assert fetch(client, location).status_code == 404

    def test_what_happened_since_counts(self, client: Client) -> None:
        version = catalog.published()
        location = ask(client, version).headers["Location"]
        services.hide_model(model_id=version.model_id)
        assert fetch(client, location).status_code == 404
        services.unhide_model(model_id=version.model_id)
        assert fetch(client, location).status_code == 200
        block(ref=Ref("version", version.pk), reason="a notice")
        assert fetch(client, location).status_code == 404

    def test_a_suspended_person_s_ticket_ends(self, client: Client) -> None:
        version = catalog.trained()
        owner = version.model.owner
        location = ask(client, version, owner).headers["Location"]
        owner.is_active = False
        owner.save()
        assert fetch(client, location).status_code == 404


class TestRanges:
    @pytest.fixture
    def data(self) -> bytes:
        return safetensors()

    @pytest.fixture
    def location(self, client: Client, data: bytes) -> str:
        return ask(client, catalog.published(data=data)).headers["Location"]

    @pytest.mark.parametrize(
        ("asked", "wanted"),
        [
            ("bytes=0-0", slice(0, 1)),
            ("bytes=5-9", slice(5, 10)),
            ("bytes=100-", slice(100, None)),
            ("bytes=-10", slice(-10, None)),
            ("bytes=3-999999", slice(3, None)),
        ],
    )
    def test_a_range_is_206(
        self, client: Client, data: bytes, location: str, asked: str, wanted: slice
    ) -> None:
        response = fetch(client, location, Range=asked)
        part = data[wanted]
        assert response.status_code == 206
        assert body(response) == part
        first = wanted.start % len(data)
        assert response.headers["Content-Range"] == (
            f"bytes {first}-{first + len(part) - 1}/{len(data)}"
        )
        assert response.headers["Content-Length"] == str(len(part))

    @pytest.mark.parametrize("asked", ["bytes=999999-", "bytes=-0", "bytes=1000000-1000001"])
    def test_past_the_end_is_416(
        self, client: Client, data: bytes, location: str, asked: str
    ) -> None:
        response = fetch(client, location, Range=asked)
        assert response.status_code == 416
        assert response.headers["Content-Range"] == f"bytes */{len(data)}"

    @pytest.mark.parametrize(
        "asked", ["bytes=0-", "bytes=9-5", "bytes=0-1,4-5", "items=0-1", "bytes=-", "nonsense"]
    )
    def test_what_cannot_be_a_part_is_the_whole(
        self, client: Client, data: bytes, location: str, asked: str
    ) -> None:
        response = fetch(client, location, Range=asked)
        assert response.status_code == 200
        assert body(response) == data

    def test_if_range_keeps_parts_of_one_file_together(
        self, client: Client, data: bytes, location: str
    ) -> None:
        etag = fetch(client, location).headers["ETag"]
        same = fetch(client, location, **{"Range": "bytes=0-3", "If-Range": etag})
        assert same.status_code == 206
        other = fetch(client, location, **{"Range": "bytes=0-3", "If-Range": '"else"'})
        assert other.status_code == 200
        assert body(other) == data

    def test_if_none_match_is_304(self, client: Client, location: str) -> None:
        etag = fetch(client, location).headers["ETag"]
        assert fetch(client, location, **{"If-None-Match": etag}).status_code == 304


class TestPicking:
    def version(self) -> ModelVersion:
        version = catalog.cleared()
        owner = version.model.owner
        services.add_file_from_upload(
            version=version, actor=owner, upload_id=catalog.upload(owner).pk, type="VAE"
        )
        services.clear_version(version_id=version.pk, actor=accounts.staff())
        return services.publish(version=version, actor=owner)

    def test_by_type_format_and_id(self, client: Client) -> None:
        version = self.version()
        model, vae = version.files.order_by("id")

        def picked(**query: Any) -> int:
            response = ask(client, version, **query)
            assert response.status_code == 307, response.content
            return int(urlsplit(response.headers["Location"]).path.split("/")[4])

        assert picked() == model.pk
        assert picked(type="VAE") == vae.pk
        assert picked(type="Model", format="SafeTensor", fp="fp16") == model.pk
        assert picked(fileId=vae.pk) == vae.pk
        for query in ({"type": "Config"}, {"fp": "fp32"}, {"fileId": 99999}):
            missing = ask(client, version, **query)
            assert missing.status_code == 404
            assert missing.json()["error"] == "File not found"
        for query in ({"type": "Weights"}, {"size": "tiny"}, {"format": "Zip"}, {"fp": "x" * 65}):
            assert ask(client, version, **query).status_code == 400

    def test_training_data_is_not_shared_here(self, client: Client) -> None:
        version = self.version()
        response = client.get(
            f"/api/download/training-data/{version.pk}", headers={"User-Agent": CURL}
        )
        assert response.status_code == 404


class TestManners:
    def test_browsers_get_words_and_a_way_to_sign_in(self, client: Client) -> None:
        version = catalog.trained()
        browser = {"User-Agent": "Mozilla/5.0"}
        url = f"/api/download/models/{version.pk}"
        missing = client.get(url, headers=browser)
        assert missing.status_code == 404
        assert missing.headers["Content-Type"].startswith("text/plain")
        services.lock(version=version, owner=version.model.owner)
        login = client.get(url, headers=browser)
        assert login.status_code == 307
        assert "/login?returnUrl=" in login.headers["Location"]
        assert "reason=download-auth" in login.content.decode()

    def test_bad_ids_are_400(self, client: Client) -> None:
        response = client.get("/api/download/models/abc", headers={"User-Agent": CURL})
        assert response.status_code == 400

    def test_each_person_counts_once(self, client: Client) -> None:
        version = catalog.published()
        person = accounts.user()
        for viewer in (None, None, person, person):
            ask(client, version, viewer)
        services.roll_up_downloads()
        version.refresh_from_db()
        assert version.download_count == 2

    def test_names_beyond_ascii_travel_as_raw_utf8(self, client: Client) -> None:
        version = catalog.published()
        ModelFile.objects.update(name="Füchse_狐.safetensors")
        response = fetch(client, ask(client, version).headers["Location"])
        shown = response.headers["Content-Disposition"].encode("latin-1").decode()
        assert shown == 'attachment; filename="Füchse_狐.safetensors"'

    def test_a_lost_blob_is_a_404(self, client: Client) -> None:
        version = catalog.published()
        location = ask(client, version).headers["Location"]
        storage.blobs().delete(catalog.file_of(version).sha256)
        assert fetch(client, location).status_code == 404
