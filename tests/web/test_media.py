from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from tests.factories import accounts as make
from tests.factories import media as pictures

from atelier.core import storage
from atelier.likeness import services as likeness
from atelier.likeness.refs import Ref
from atelier.media import services as media

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def _bytes(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_a_public_picture_is_served_in_its_sizes(client: Client) -> None:
    found = pictures.drawing(make.user(), 1)
    media.publish(media_ids=[found.id])
    answer = client.get(f"/media/{found.id}/160.webp")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/webp"
    assert answer["Cache-Control"] == "private, max-age=60"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    data = _bytes(answer)
    assert data == storage.blobs().read(found.derivatives["160"]["webp"])
    wider = _bytes(client.get(f"/media/{found.id}/9999.avif"))
    assert wider == storage.blobs().read(found.derivatives["256"]["avif"])
    full = client.get(f"/media/{found.id}/original.png")
    assert Image.open(io.BytesIO(_bytes(full))).size == (256, 256)
    saved = client.get(f"/media/{found.id}/original.png?download=1")
    assert saved["Content-Disposition"].startswith("attachment")
    again = client.get(f"/media/{found.id}/160.webp", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


def test_who_gets_the_bytes(client: Client) -> None:
    owner, stranger, staff = make.user(), make.user(), make.staff()
    found = pictures.photograph(owner)
    paths = [f"/media/{found.id}/160.webp", f"/media/{found.id}/original.png"]

    def answers() -> list[list[int]]:
        table = []
        for viewer in (None, stranger, owner, staff):
            client.logout()
            if viewer is not None:
                client.force_login(viewer)
            table.append([client.get(path).status_code for path in paths])
        return table

    assert answers() == [[404, 404], [404, 404], [200, 200], [200, 200]]
    media.publish(media_ids=[found.id])
    assert answers() == [[200, 200]] * 4
    likeness.block(ref=Ref("media", found.id), reason="A case")
    assert answers() == [[404, 404]] * 3 + [[200, 200]]
    likeness.unblock(ref=Ref("media", found.id))
    media.hide(media_ids=[found.id])
    assert answers() == [[404, 404]] * 3 + [[200, 200]]


@pytest.mark.parametrize(
    "path",
    [
        "/media/med_00000000000000000000000000/160.webp",
        "/media/nothing/original.png",
        "/media/nothing/160.webp",
        "/media/med_00000000000000000000000000/160.svg",
        "/media/../../etc/passwd",
    ],
)
def test_what_does_not_exist_is_not_found(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_refused_picture_is_nobodys(client: Client) -> None:
    staff = make.staff()
    found = pictures.upload(staff, pictures.photographs.real_woman()[:100_000])
    assert found.status == "refused"
    client.force_login(staff)
    assert client.get(f"/media/{found.id}/original.png").status_code == 404


def test_a_program_fetches_its_owners_pictures_with_a_token(client: Client) -> None:
    owner, stranger = make.user(), make.user()
    address = f"/media/{pictures.drawing(owner).id}/original.png"
    mine, other = make.token(owner), make.token(stranger)
    blind = make.token(owner, "write")

    def status(token: str) -> int:
        return client.get(address, headers={"authorization": f"Bearer {token}"}).status_code

    assert status(mine) == 200
    assert client.get(f"{address}?token={mine}").status_code == 200
    assert status(other) == 404
    assert status(blind) == 404
    assert client.get(address).status_code == 404
