"""tus over HTTP, by the letter of the protocol."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from tests.factories import accounts

from atelier.catalog import uploads
from atelier.catalog.models import Upload

if TYPE_CHECKING:
    from django.test import Client

    from atelier.accounts.models import User

pytestmark = pytest.mark.django_db
URL = "/api/v2/uploads"
BYTES = "application/offset+octet-stream"


def headers(owner: User, **more: str) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return {
        "Authorization": f"Bearer {accounts.token(owner)}",
        "Tus-Resumable": "1.0.0",
        **named,
    }


def create(client: Client, owner: User, length: int = 10, **more: str) -> Any:
    given = {"Upload_Length": str(length), **more}
    return client.post(URL, content_type="text/plain", headers=headers(owner, **given))


def patch(client: Client, owner: User, url: str, offset: int, data: bytes, **more: str) -> Any:
    return client.patch(
        url, data, content_type=BYTES, headers=headers(owner, Upload_Offset=str(offset), **more)
    )


def head(client: Client, owner: User, url: str) -> Any:
    return client.head(url, headers=headers(owner))


def path_of(response: Any) -> str:
    return str(response.headers["Location"]).removeprefix("http://testserver")


def test_abilities_need_nobody(client: Client) -> None:
    response = client.options(URL)
    assert response.status_code == 204
    assert response.headers["Tus-Version"] == "1.0.0"
    assert response.headers["Tus-Extension"] == (
        "creation,creation-with-upload,termination,checksum,expiration"
    )
    assert response.headers["Tus-Max-Size"] == str(uploads.MAX_BYTES)


def test_an_upload_from_start_to_end(client: Client) -> None:
    owner = accounts.user()
    name = base64.b64encode(b"fox.safetensors").decode()
    made = create(client, owner, Upload_Metadata=f"filename {name}")
    assert made.status_code == 201
    assert made.headers["Tus-Resumable"] == "1.0.0"
    assert (made.json()["filename"], made.json()["offset"]) == ("fox.safetensors", 0)
    url = path_of(made)
    assert url == f"{URL}/{made.json()['id']}"
    first = patch(client, owner, url, 0, b"01234")
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "5")
    assert "Upload-Expires" in first.headers
    seen = head(client, owner, url)
    assert seen.status_code == 200
    assert (seen.headers["Upload-Offset"], seen.headers["Upload-Length"]) == ("5", "10")
    assert seen.headers["Cache-Control"] == "no-store"
    assert seen.headers["Upload-Metadata"] == f"filename {name}"
    last = patch(client, owner, url, 5, b"56789")
    assert last.headers["Upload-Offset"] == "10"
    body = client.get(url, headers=headers(owner)).json()
    assert (body["state"], body["offset"]) == ("finished", 10)
    listed = client.get(URL, headers=headers(owner)).json()
    assert [one["id"] for one in listed["items"]] == [body["id"]]


def test_creation_may_bring_bytes(client: Client) -> None:
    owner = accounts.user()
    response = client.post(
        URL, b"0123", content_type=BYTES, headers=headers(owner, Upload_Length="10")
    )
    assert (response.status_code, response.headers["Upload-Offset"]) == (201, "4")
    assert head(client, owner, path_of(response)).headers["Upload-Offset"] == "4"


def test_a_wrong_offset_is_409_and_changes_nothing(client: Client) -> None:
    owner = accounts.user()
    url = path_of(create(client, owner))
    patch(client, owner, url, 0, b"0123")
    for offset in (0, 3, 9):
        response = patch(client, owner, url, offset, b"xx")
        assert response.status_code == 409
        assert response.json()["code"] == "offset_conflict"
    assert head(client, owner, url).headers["Upload-Offset"] == "4"


@pytest.mark.parametrize("value", ["-1", "x", "", "1e3", "9" * 30])
def test_offsets_and_lengths_are_whole_numbers(client: Client, value: str) -> None:
    owner = accounts.user()
    assert create(client, owner, Upload_Length=value).status_code == 422
    url = path_of(create(client, owner))
    response = client.patch(
        url, b"x", content_type=BYTES, headers=headers(owner, Upload_Offset=value)
    )
    assert response.status_code == 422


def test_another_version_is_412_and_says_which(client: Client) -> None:
    owner = accounts.user()
    response = client.post(
        URL, headers={**headers(owner, Upload_Length="1"), "Tus-Resumable": "0.2"}
    )
    assert response.status_code == 412
    assert response.headers["Tus-Version"] == "1.0.0"
    assert not Upload.objects.exists()


def test_another_wrapping_is_415(client: Client) -> None:
    owner = accounts.user()
    url = path_of(create(client, owner))
    response = client.patch(
        url, b"0123", content_type="application/json", headers=headers(owner, Upload_Offset="0")
    )
    assert response.status_code == 415


def test_too_large_is_413(client: Client) -> None:
    owner = accounts.user()
    assert create(client, owner, length=uploads.MAX_BYTES + 1).status_code == 413
    url = path_of(create(client, owner, length=2))
    assert patch(client, owner, url, 0, b"0123").status_code == 413
    assert head(client, owner, url).headers["Upload-Offset"] == "0"


def test_a_damaged_part_is_460_and_changes_nothing(client: Client) -> None:
    owner = accounts.user()
    url = path_of(create(client, owner))
    wrong = base64.b64encode(hashlib.sha1(b"other", usedforsecurity=False).digest()).decode()
    response = patch(client, owner, url, 0, b"01234", Upload_Checksum=f"sha1 {wrong}")
    assert response.status_code == 460
    assert head(client, owner, url).headers["Upload-Offset"] == "0"
    assert patch(client, owner, url, 0, b"01234", Upload_Checksum="crc AAAA").status_code == 422


def test_termination(client: Client) -> None:
    owner = accounts.user()
    url = path_of(create(client, owner))
    assert client.delete(url, headers=headers(owner)).status_code == 204
    assert head(client, owner, url).status_code == 404
    assert not Upload.objects.exists()


def test_only_the_owner_may(client: Client) -> None:
    owner, stranger = accounts.user(), accounts.user()
    url = path_of(create(client, owner))
    assert head(client, stranger, url).status_code == 404
    assert patch(client, stranger, url, 0, b"x").status_code == 404
    assert client.delete(url, headers=headers(stranger)).status_code == 404
    assert head(client, owner, url).headers["Upload-Offset"] == "0"
    nobody = {"Tus-Resumable": "1.0.0", "Upload-Length": "1"}
    assert client.post(URL, headers=nobody).status_code == 401
    reader = {**nobody, "Authorization": f"Bearer {accounts.token(owner, 'read')}"}
    assert client.post(URL, headers=reader).status_code == 403
    assert Upload.objects.count() == 1
