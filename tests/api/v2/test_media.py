from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from tests.api.v2.test_wallet import bearer
from tests.factories import accounts as make
from tests.factories import media as pictures
from tests.factories import photographs

from atelier.media import services
from atelier.media.models import Blob, Media

if TYPE_CHECKING:
    from django.test import Client

    from atelier.accounts.models import User

pytestmark = pytest.mark.django_db


def _upload(client: Client, user: User, data: bytes, *, name: str = "fox.png", **extra: Any) -> Any:
    stream = io.BytesIO(data)
    stream.name = name
    headers = bearer(user)["headers"] | extra
    return client.post("/api/v2/media", {"file": stream}, headers=headers)


def test_a_picture_goes_from_pending_to_ready(client: Client) -> None:
    ada = make.user("ada")
    answer = _upload(client, ada, photographs.drawing(1))
    assert answer.status_code == 201
    body = answer.json()
    assert (body["status"], body["kind"], body["url"]) == ("pending", "image", None)
    services.process(media_id=body["id"])
    path = f"/api/v2/media/{body['id']}"
    found = client.get(path, **bearer(ada)).json()
    assert (found["status"], found["width"], found["height"]) == ("ready", 256, 256)
    assert found["url"] == f"/media/{body['id']}/original.png"
    assert found["sha256"] == body["sha256"]
    assert client.get("/api/v2/media", **bearer(ada)).json() == {"items": [found], "next": None}
    assert client.get(path, **bearer(make.user("bob"))).status_code == 404
    assert client.get(path).status_code == 404
    services.publish(media_ids=[body["id"]])
    assert client.get(path).json()["visibility"] == "public"


def test_the_same_key_uploads_once(client: Client) -> None:
    ada = make.user("ada")
    first = _upload(client, ada, photographs.drawing(2), **{"Idempotency-Key": "k"})
    assert first.status_code == 201
    assert Media.objects.count() == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "unsupported_format"),
        (b"\x80\x04K\x01.", "unsupported_format"),
        (b"\x89PNG\r\n\x1a\n", "undecodable"),
    ],
)
def test_bad_files_are_problems_and_change_nothing(client: Client, data: bytes, code: str) -> None:
    answer = _upload(client, make.user(), data)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert answer.json()["detail"]
    assert not Media.objects.exists()
    assert not Blob.objects.exists()


def test_a_refused_picture_says_why(client: Client) -> None:
    ada = make.user("ada")
    found = pictures.upload(ada, photographs.real_woman()[:200_000])
    body = client.get(f"/api/v2/media/{found.id}", **bearer(ada)).json()
    assert (body["status"], body["code"]) == ("refused", "undecodable")
    assert "damaged" in body["detail"]


def test_nobody_uploads_without_signing_in_or_with_a_reading_token(client: Client) -> None:
    data = {"file": io.BytesIO(photographs.drawing(1))}
    assert client.post("/api/v2/media", data).status_code == 401
    answer = client.post("/api/v2/media", data, **bearer(make.user(), "read"))
    assert answer.status_code == 403
    assert not Media.objects.exists()
