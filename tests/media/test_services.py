from __future__ import annotations

import hashlib
import io
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from tests.factories import accounts as make
from tests.factories import media as pictures
from tests.factories import photographs

from atelier.core import clock, storage
from atelier.core.errors import NotFound, NotOwner, WrongState
from atelier.media import queries, scanning, services
from atelier.media.errors import MediaPending, MediaRefused
from atelier.media.models import Blob, Media, Origin, Scan
from atelier.media.origins import OriginFacts
from atelier.media.scanning import Findings
from atelier_engine.onnx import MissingModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from atelier.media.services import Judge

pytestmark = pytest.mark.django_db


@pytest.fixture
def no_judge() -> Iterator[None]:
    kept: list[Judge] = list(services._judge)
    services._judge.clear()
    yield
    services._judge[:] = kept


def _seen(monkeypatch: pytest.MonkeyPatch, **changed: Any) -> None:
    """Have the detectors see what no test file may show."""
    values: dict[str, Any] = {
        "real_faces": 0,
        "drawn_faces": 0,
        "photoreal": 0.0,
        "sexual": "none",
        "minor_signal": False,
        "rating": 1,
        **changed,
    }
    monkeypatch.setattr(scanning, "examine", lambda pixels: Findings(**values))


def _counts() -> tuple[int, int, int, int]:
    return (
        Media.objects.count(),
        Blob.objects.count(),
        Scan.objects.count(),
        len(list(storage.blobs().names())),
    )


def test_a_drawing_becomes_ready_with_all_that_pages_need() -> None:
    owner = make.user()
    data = photographs.drawing(1)
    found = pictures.upload(owner, data, filename="C:\\home\\my\tfox.png")
    assert found.status == "ready"
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert found.filename == "myfox.png"
    assert (found.width, found.height, found.rating, found.visibility) == (256, 256, 1, "private")
    assert sorted(found.derivatives) == ["160", "256"]
    assert found.dominant_color.startswith("#")
    assert found.thumbhash
    assert not found.generated
    blobs = storage.blobs()
    canonical = Image.open(io.BytesIO(blobs.read(found.canonical_sha256)))
    assert (canonical.format, canonical.size) == ("PNG", (256, 256))
    assert all(blobs.exists(sha) for sizes in found.derivatives.values() for sha in sizes.values())
    scan = found.scan
    assert scan.canonical_sha256 == found.canonical_sha256
    assert (scan.real_faces, scan.sexual, scan.minor_signal) == (0, "none", False)
    assert "face_detect_rfb320.onnx" in scan.detectors


def test_the_bytes_as_received_are_not_kept() -> None:
    picture = Image.open(io.BytesIO(photographs.drawing(2)))
    exif = Image.Exif()
    exif.get_ifd(0x8825)[2] = (52.0, 30.0, 0.0)
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif)
    found = pictures.upload(make.user(), out.getvalue())
    assert not storage.blobs().exists(found.sha256)
    assert Blob.objects.get(pk=found.sha256).destroyed_at is not None


def test_a_photograph_of_a_person_is_accepted_as_private_media() -> None:
    found = pictures.photograph(make.user())
    assert (found.status, found.visibility, found.rating) == ("ready", "private", 1)
    assert found.scan.real_faces == 1
    assert found.scan.photoreal > 0.5


def test_receiving_defers_and_processing_twice_does_it_once() -> None:
    owner = make.user()
    stream = io.BytesIO(photographs.drawing(3))
    waiting = services.receive(owner=owner, stream=stream, filename="fox.png")
    assert waiting.status == "pending"
    with pytest.raises(MediaPending) as refusal:
        queries.get_ready(owner=owner, ids=[waiting.id])
    assert (refusal.value.code, refusal.value.status) == ("media_pending", 409)
    first = services.process(media_id=waiting.id)
    counts = _counts()
    again = services.process(media_id=waiting.id)
    assert first.status == "ready"
    assert again.processed_at == first.processed_at
    assert _counts() == counts


def test_a_crash_in_the_middle_is_made_good_by_doing_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.BytesIO(photographs.drawing(4))
    waiting = services.receive(owner=make.user(), stream=stream, filename="fox.png")
    with monkeypatch.context() as broken:
        broken.setattr(services.derivatives, "make", _crash)
        with pytest.raises(RuntimeError, match="power"):
            services.process(media_id=waiting.id)
    assert Media.objects.get(pk=waiting.id).status == "pending"
    assert services.process(media_id=waiting.id).status == "ready"
    assert Scan.objects.filter(media_id=waiting.id).count() == 1


def _crash(*arguments: Any) -> Any:
    message = "power"
    raise RuntimeError(message)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "undecodable"),
        (b"<svg><script>alert(1)</script></svg>", "unsupported_format"),
        (b"GIF89a", "undecodable"),
        (photographs.drawing(5)[:40], "undecodable"),
    ],
)
def test_bad_input_is_refused_at_once_and_leaves_nothing(data: bytes, code: str) -> None:
    owner = make.user()
    before = _counts()
    with pytest.raises(MediaRefused) as refusal:
        services.receive(owner=owner, stream=io.BytesIO(data), filename="x.png")
    assert (refusal.value.code, refusal.value.status) == (code, 422)
    assert _counts() == before


def test_more_than_32_mib_is_refused_without_reading_on() -> None:
    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size: int = -1) -> bytes:
            self.taken += size
            return b"\x89PNG\r\n\x1a\n"[: max(0, size)].ljust(size, b"\0")

    stream = Endless()
    with pytest.raises(MediaRefused) as refusal:
        services.receive(owner=make.user(), stream=stream, filename="x.png")  # type: ignore[arg-type]
    assert refusal.value.code == "too_large"
    assert stream.taken < 33 * 1024 * 1024
    assert Media.objects.count() == 0


def test_a_picture_cut_off_in_the_middle_ends_refused() -> None:
    data = photographs.real_woman()
    found = pictures.upload(make.user(), data[: len(data) // 2])
    assert (found.status, found.refusal_code) == ("refused", "undecodable")
    assert "damaged" in found.refusal_detail
    assert not storage.blobs().exists(found.sha256)
    with pytest.raises(MediaRefused):
        queries.get_ready(owner=found.owner, ids=[found.id])


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        ({"real_faces": 1, "photoreal": 0.9, "sexual": "explicit"}, "sexual_likeness"),
        ({"real_faces": 1, "photoreal": 0.9, "sexual": "suggestive"}, "sexual_likeness"),
        ({"photoreal": 0.9, "sexual": "explicit"}, "photoreal_sexual"),
        ({"real_faces": 1, "minor_signal": True, "sexual": "explicit"}, "minor_content"),
        ({"drawn_faces": 1, "minor_signal": True, "sexual": "suggestive"}, "minor_content"),
    ],
)
def test_what_may_never_be_here_goes_and_its_hash_stays(
    monkeypatch: pytest.MonkeyPatch, seen: dict[str, Any], code: str
) -> None:
    owner = make.user()
    with monkeypatch.context() as detectors:
        _seen(detectors, **seen)
        found = pictures.upload(owner, photographs.drawing(6))
    assert (found.status, found.refusal_code) == ("refused", code)
    assert found.derivatives == {}
    assert not storage.blobs().exists(found.sha256)
    assert not storage.blobs().exists(found.canonical_sha256)
    assert Blob.objects.get(pk=found.sha256).barred_code == code
    assert Blob.objects.get(pk=found.canonical_sha256).barred_code == code
    # The same bytes are refused at sight, also for others and however they were saved.
    with pytest.raises(MediaRefused) as refusal:
        pictures.upload(make.user(), photographs.drawing(6))
    assert (refusal.value.code, refusal.value.status) == ("barred", 403)
    resaved = io.BytesIO()
    Image.open(io.BytesIO(photographs.drawing(6))).save(resaved, "PNG", compress_level=1)
    again = pictures.upload(make.user(), resaved.getvalue())
    assert (again.status, again.refusal_code) == ("refused", "barred")


def test_drawn_and_sexual_is_accepted_with_its_rating(monkeypatch: pytest.MonkeyPatch) -> None:
    _seen(monkeypatch, drawn_faces=1, photoreal=0.05, sexual="explicit", rating=16)
    found = pictures.upload(make.user(), photographs.drawing(7))
    assert (found.status, found.rating) == ("ready", 16)


def test_our_own_generator_may_draw_what_looks_like_a_photograph(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _seen(monkeypatch, photoreal=0.9, sexual="explicit", rating=16)
    found = pictures.output(make.user(), 8)
    assert (found.status, found.rating, found.generated) == ("ready", 16, True)


def test_an_output_with_a_face_and_sex_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _seen(monkeypatch, real_faces=1, photoreal=0.9, sexual="suggestive")
    found = services.register_output(
        owner=make.user(),
        png_bytes=photographs.drawing(9),
        origin=OriginFacts(prompt="x", generator="atelier"),
        generation_id="gen_1",
    )
    assert (found.status, found.refusal_code) == ("refused", "sexual_likeness")
    assert not storage.blobs().exists(found.sha256)


def test_without_a_detector_every_picture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from atelier_engine import faces

    def missing(pixels: object) -> object:
        message = "face_detect_rfb320.onnx does not load."
        raise MissingModelError(message)

    monkeypatch.setattr(faces, "assess", missing)
    found = pictures.upload(make.user(), photographs.drawing(10))
    assert (found.status, found.refusal_code) == ("refused", "checks_unavailable")
    assert "face_detect" in scanning.condition()
    assert Scan.objects.count() == 0


@pytest.mark.usefixtures("no_judge")
def test_without_a_judge_every_picture_is_refused() -> None:
    found = pictures.upload(make.user(), photographs.drawing(11))
    assert (found.status, found.refusal_code) == ("refused", "checks_unavailable")


@pytest.mark.usefixtures("no_judge")
def test_a_judge_that_fails_is_no_yes() -> None:
    services.set_judge(_crash)
    found = pictures.upload(make.user(), photographs.drawing(12))
    assert (found.status, found.refusal_code) == ("refused", "checks_unavailable")


def test_an_output_keeps_its_marked_bytes_and_its_origin() -> None:
    owner = make.user()
    data = photographs.drawing(13)
    found = pictures.output(owner, 13, generation_id="gen_abc")
    assert storage.blobs().read(found.sha256) == data
    assert queries.original_of(found) == found.sha256
    origin = found.origin
    assert origin is not None
    assert (origin.generation_id, origin.generator) == ("gen_abc", "atelier")
    assert origin.settings["steps"] == 20
    # Somebody who uploads the same bytes gains neither the origin's proof nor the mark.
    copied = pictures.upload(make.user(), data)
    assert not copied.generated
    assert copied.origin is None
    assert storage.blobs().read(found.sha256) == data


def test_prompt_and_settings_are_read_from_a_file() -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text(
        "parameters",
        "a fox, flat colours <lora:fox_v1:0.8>\nNegative prompt: blurry\n"
        "Steps: 25, Sampler: Euler a, CFG scale: 6.5, Seed: 42, Size: 256x256, "
        "Model hash: 1234567890, Model: base",
    )
    out = io.BytesIO()
    Image.open(io.BytesIO(photographs.drawing(14))).save(out, "PNG", pnginfo=info)
    origin = pictures.upload(make.user(), out.getvalue()).origin
    assert origin is not None
    assert origin.prompt.startswith("a fox, flat colours")
    assert origin.negative_prompt == "blurry"
    assert origin.settings | {"steps": 25, "cfg_scale": 6.5, "seed": 42} == origin.settings
    assert {"name": "base", "type": "Checkpoint", "hash": "1234567890"} in origin.resources
    assert any(resource.get("name") == "fox_v1" for resource in origin.resources)
    assert origin.generation_id == ""


def test_an_origin_is_declared_once_by_the_owner_alone() -> None:
    owner = make.user()
    found = pictures.drawing(owner, 15)
    facts = OriginFacts(prompt="a fox", generator="atelier")
    with pytest.raises(NotOwner):
        services.declare_origin(media=found, owner=make.user(), origin=facts)
    declared = services.declare_origin(media=found, owner=owner, origin=facts)
    assert declared.origin is not None
    assert (declared.origin.generator, declared.origin.generation_id) == ("declared", "")
    with pytest.raises(WrongState):
        services.declare_origin(media=found, owner=owner, origin=facts)
    assert Origin.objects.count() == 1


def test_get_ready_keeps_order_and_refuses_what_is_not_ones_own() -> None:
    owner = make.user()
    one, two = pictures.drawing(owner, 16), pictures.drawing(owner, 17)
    assert queries.get_ready(owner=owner, ids=[two.id, one.id]) == [two, one]
    with pytest.raises(NotOwner):
        queries.get_ready(owner=make.user(), ids=[one.id])
    with pytest.raises(NotFound):
        queries.get_ready(owner=owner, ids=[one.id, "med_nothing"])
    services.hide(media_ids=[one.id])
    with pytest.raises(NotFound):
        queries.get_ready(owner=owner, ids=[one.id])


def test_visibility_moves_only_as_it_may() -> None:
    owner = make.user()
    found = pictures.drawing(owner, 18)

    def seen() -> str:
        return str(Media.objects.get(pk=found.pk).visibility)

    services.publish(media_ids=[found.id])
    assert seen() == "public"
    services.hide(media_ids=[found.id])
    services.publish(media_ids=[found.id])
    assert seen() == "hidden"
    services.unhide(media_ids=[found.id], public=True)
    assert seen() == "public"
    services.unpublish(media_ids=[found.id])
    assert seen() == "private"


def test_who_may_open() -> None:
    owner, stranger, staff = make.user(), make.user(), make.staff()
    found = pictures.drawing(owner, 19)
    answers = {}
    for state in ("private", "public", "hidden"):
        found.visibility = state
        answers[state] = [
            queries.may_open(viewer=viewer, media=found)
            for viewer in (None, stranger, owner, staff)
        ]
    assert answers == {
        "private": [False, False, True, True],
        "public": [True, True, True, True],
        "hidden": [False, False, False, True],
    }
    found.status = "refused"
    assert not queries.may_open(viewer=staff, media=found)


def test_lost_jobs_are_woken_and_hopeless_ones_given_up() -> None:
    waiting = services.receive(
        owner=make.user(), stream=io.BytesIO(photographs.drawing(20)), filename="x.png"
    )
    with clock.frozen(waiting.created_at + services.WAKE_AFTER * 2):
        services.sweep_pending()
    assert Media.objects.get(pk=waiting.id).status == "pending"
    with clock.frozen(waiting.created_at + services.GIVE_UP_AFTER * 2):
        services.sweep_pending()
    found = Media.objects.get(pk=waiting.id)
    assert (found.status, found.refusal_code) == ("refused", "checks_unavailable")


def test_the_smallest_size_that_fills_a_width_is_chosen() -> None:
    found = pictures.photograph(make.user())
    sizes = found.derivatives
    assert queries.blob_of(found, width=100, fmt="webp") == sizes["160"]["webp"]
    assert queries.blob_of(found, width=320, fmt="avif") == sizes["320"]["avif"]
    assert queries.blob_of(found, width=4000, fmt="webp") == sizes["512"]["webp"]
    assert queries.blob_of(found, width=320, fmt="gif") is None
    sources = queries.picture_sources(found)
    assert [source.width for source in sources.webp] == [160, 320, 512]
    assert sources.fallback == f"/media/{found.id}/512.webp"


def test_detectors_see_exactly_the_canonical_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray[Any, Any]] = []
    real = scanning.examine

    def look(pixels: Any) -> Findings:
        seen.append(pixels)
        return real(pixels)

    monkeypatch.setattr(scanning, "examine", look)
    found = pictures.drawing(make.user(), 21)
    kept = Image.open(io.BytesIO(storage.blobs().read(found.canonical_sha256)))
    assert np.array_equal(seen[0], np.asarray(kept))


@pytest.mark.django_db(transaction=True)
def test_two_workers_on_one_picture_finish_it_once() -> None:
    waiting = services.receive(
        owner=make.user(), stream=io.BytesIO(photographs.drawing(22)), filename="x.png"
    )
    results: list[str] = []

    def work() -> None:
        from django.db import connection

        try:
            results.append(services.process(media_id=waiting.id).status)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["ready"] * 3
    assert Scan.objects.count() == 1
    found = Media.objects.get(pk=waiting.id)
    assert storage.blobs().exists(found.canonical_sha256)
