"""Resumable uploads: where they continue, who may, and what ends them."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import io

import pytest
from tests.factories import accounts

from atelier.catalog import uploads
from atelier.catalog.errors import ChecksumMismatch, OffsetConflict, TooLarge, UploadGone
from atelier.catalog.models import Upload
from atelier.core import clock
from atelier.core.errors import Busy, Forbidden, Invalid, NotFound
from atelier.likeness.services import kill_switch

pytestmark = pytest.mark.django_db


def append(upload: Upload, offset: int, data: bytes, **more: object) -> int:
    return uploads.append(
        upload=upload,
        offset=offset,
        stream=io.BytesIO(data),
        length=len(data),
        **more,  # type: ignore[arg-type]
    )


def named(name: str) -> str:
    return f"filename {base64.b64encode(name.encode()).decode()}"


def test_bytes_arrive_in_pieces() -> None:
    upload = uploads.create(owner=accounts.user(), length=10, metadata=named("fox.safetensors"))
    assert (upload.filename, uploads.offset_of(upload)) == ("fox.safetensors", 0)
    assert append(upload, 0, b"01234") == 5
    upload.refresh_from_db()
    assert upload.state == Upload.State.RECEIVING
    assert append(upload, 5, b"56789") == 10
    upload.refresh_from_db()
    assert upload.state == Upload.State.FINISHED
    assert uploads.path_of(upload).read_bytes() == b"0123456789"


def test_a_sender_that_breaks_off_leaves_what_arrived() -> None:
    upload = uploads.create(owner=accounts.user(), length=10)

    class Broken(io.RawIOBase):
        parts = iter([b"0123", b"45"])

        def read(self, _size: int = -1) -> bytes:
            part = next(self.parts, None)
            if part is None:
                raise ConnectionResetError
            return part

    with pytest.raises(ConnectionResetError):
        uploads.append(upload=upload, offset=0, stream=Broken(), length=10)
    # Only the file counts, so a process that died in the middle changes nothing.
    assert uploads.offset_of(uploads.find(upload_id=upload.pk, owner=upload.owner)) == 6
    assert append(upload, 6, b"6789") == 10
    assert uploads.path_of(upload).read_bytes() == b"0123456789"


def test_another_offset_is_a_conflict_that_changes_nothing() -> None:
    upload = uploads.create(owner=accounts.user(), length=10)
    append(upload, 0, b"0123")
    for offset in (0, 3, 5, 10):
        with pytest.raises(OffsetConflict, match="continues at 4"):
            append(upload, offset, b"x")
    assert uploads.path_of(upload).read_bytes() == b"0123"


def test_more_than_announced_is_refused() -> None:
    upload = uploads.create(owner=accounts.user(), length=4)
    with pytest.raises(TooLarge):
        append(upload, 0, b"01234")
    assert uploads.offset_of(upload) == 0
    # Without a length in advance, reading stops at the announced end.
    end = uploads.append(upload=upload, offset=0, stream=io.BytesIO(b"0123456"), length=None)
    assert end == 4


def test_a_checksum_is_all_or_nothing() -> None:
    upload = uploads.create(owner=accounts.user(), length=4)
    good = base64.b64encode(hashlib.sha256(b"0123").digest()).decode()
    with pytest.raises(ChecksumMismatch):
        append(upload, 0, b"9999", checksum=uploads.read_checksum(f"sha256 {good}"))
    assert uploads.offset_of(upload) == 0
    assert append(upload, 0, b"0123", checksum=uploads.read_checksum(f"sha256 {good}")) == 4
    for text in ("crc32 AAAA", "sha256 !!!", "sha256"):
        with pytest.raises((Invalid, ChecksumMismatch)):
            append(upload, 4, b"", checksum=uploads.read_checksum(text))


def test_one_sender_at_a_time() -> None:
    upload = uploads.create(owner=accounts.user(), length=4)
    with uploads.held(upload), pytest.raises(Busy):
        append(upload, 0, b"0123")
    assert append(upload, 0, b"0123") == 4


def test_another_s_upload_is_not_found() -> None:
    upload = uploads.create(owner=accounts.user(), length=4)
    with pytest.raises(NotFound) as caught:
        uploads.find(upload_id=upload.pk, owner=accounts.user())
    assert not isinstance(caught.value, UploadGone)


def test_an_ended_upload_is_gone_with_its_bytes() -> None:
    upload = uploads.create(owner=accounts.user(), length=4)
    path = uploads.path_of(upload)
    uploads.terminate(upload=upload)
    assert not path.exists()
    assert not Upload.objects.exists()


@pytest.mark.parametrize("length", [0, -1])
def test_nothing_is_not_a_file(length: int) -> None:
    with pytest.raises(Invalid):
        uploads.create(owner=accounts.user(), length=length)


def test_what_is_too_large_is_refused_at_once() -> None:
    with pytest.raises(TooLarge):
        uploads.create(owner=accounts.user(), length=uploads.MAX_BYTES + 1)


def test_the_number_of_open_uploads_is_limited() -> None:
    owner = accounts.user()
    for _ in range(uploads.MAX_OPEN_UPLOADS):
        uploads.create(owner=owner, length=1)
    with pytest.raises(TooLarge):
        uploads.create(owner=owner, length=1)
    uploads.create(owner=accounts.user(), length=1)


def test_the_operator_can_stop_uploads() -> None:
    kill_switch(capability="uploads", on=True, actor=None)
    with pytest.raises(Forbidden):
        uploads.create(owner=accounts.user(), length=1)
    assert not Upload.objects.exists()


def test_uploads_expire_after_their_last_byte() -> None:
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    with clock.frozen(start):
        idle = uploads.create(owner=accounts.user(), length=4)
        fed = uploads.create(owner=idle.owner, length=4)
    with clock.frozen(start + uploads.LIFE / 2):
        append(fed, 0, b"01")
    with clock.frozen(start + uploads.LIFE):
        with pytest.raises(UploadGone):
            uploads.find(upload_id=idle.pk, owner=idle.owner)
        uploads.find(upload_id=fed.pk, owner=fed.owner)
        assert uploads.sweep() == 1
    assert list(Upload.objects.all()) == [fed]
    assert not uploads.path_of(idle).exists()
    assert uploads.path_of(fed).exists()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\models\\fox.safetensors", "fox.safetensors"),
        ('a"b\n.safetensors', "ab.safetensors"),
        ("...", "model.safetensors"),
    ],
)
def test_names_lose_what_a_header_or_path_would_stumble_over(name: str, kept: str) -> None:
    assert uploads.create(owner=accounts.user(), length=1, metadata=named(name)).filename == kept


@pytest.mark.parametrize("metadata", ["filename !!!", "a YQ==,a YQ==", "filename /////w=="])
def test_damaged_metadata_is_refused(metadata: str) -> None:
    with pytest.raises(Invalid):
        uploads.create(owner=accounts.user(), length=1, metadata=metadata)
