"""The reference tus client against the running site."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from tests.factories import accounts
from tests.factories.weights import safetensors
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

from atelier.catalog import uploads
from atelier.catalog.models import Upload

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

    from atelier.accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def client_of(server: LiveServer, owner: User) -> TusClient:
    client = TusClient(f"{server.url}/api/v2/uploads")
    client.set_headers({"Authorization": f"Bearer {accounts.token(owner)}"})
    return client


def test_a_file_arrives_in_chunks(live_server: LiveServer) -> None:
    owner = accounts.user()
    data = safetensors({"a": (512, 300)})
    uploader = client_of(live_server, owner).uploader(
        file_stream=io.BytesIO(data), chunk_size=65_536, metadata={"filename": "fox.safetensors"}
    )
    uploader.upload()
    upload = Upload.objects.get()
    assert (upload.filename, upload.state) == ("fox.safetensors", Upload.State.FINISHED)
    assert uploads.path_of(upload).read_bytes() == data


def test_an_upload_goes_on_where_it_ended(live_server: LiveServer) -> None:
    owner = accounts.user()
    data = safetensors({"a": (512, 300)})
    first = client_of(live_server, owner).uploader(file_stream=io.BytesIO(data), chunk_size=100_000)
    first.upload_chunk()
    # Another client, as after a restart of the browser: it asks the site where to go on.
    again = client_of(live_server, owner).uploader(
        file_stream=io.BytesIO(data), chunk_size=100_000, url=first.url
    )
    assert again.offset == 100_000
    again.upload()
    assert uploads.path_of(Upload.objects.get()).read_bytes() == data


def test_a_checksum_travels_along(live_server: LiveServer) -> None:
    data = safetensors({"a": (512, 300)})
    uploader = client_of(live_server, accounts.user()).uploader(
        file_stream=io.BytesIO(data), chunk_size=100_000, upload_checksum=True
    )
    uploader.upload()
    assert uploads.path_of(Upload.objects.get()).read_bytes() == data


def test_strangers_get_nowhere(live_server: LiveServer) -> None:
    data = safetensors()
    mine = client_of(live_server, accounts.user()).uploader(file_stream=io.BytesIO(data))
    mine.upload_chunk()
    with pytest.raises(TusCommunicationError):
        client_of(live_server, accounts.user()).uploader(file_stream=io.BytesIO(data), url=mine.url)
