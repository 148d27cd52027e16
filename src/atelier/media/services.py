"""Taking pictures in, and saying who may see them."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING

from django.db import connection, transaction

from atelier.core import clock, queue, storage
from atelier.core.errors import NotOwner, WrongState
from atelier.media import decoding, derivatives, origins, scanning, thumbhash
from atelier.media.errors import MediaRefused
from atelier.media.models import MAX_FILENAME, Blob, Media, Origin, Rating, Scan, Status, Visibility

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

    from atelier.accounts.models import User
    from atelier.media.decoding import Canonical
    from atelier.media.origins import OriginFacts
    from atelier.media.scanning import Findings

    Judge = Callable[["Media", "Scan"], "Verdict"]

log = logging.getLogger(__name__)
CHUNK = 256 * 1024
WAKE_AFTER = dt.timedelta(minutes=5)
GIVE_UP_AFTER = dt.timedelta(hours=1)
# Refused for what it shows: the bytes go, their hash stays and bars them.
BARRING_CODES = frozenset({"minor_content", "sexual_likeness", "photoreal_sexual"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says of a picture at intake; an empty code lets it in."""

    code: str = ""
    detail: str = ""
    rating: int = Rating.PG


_judge: list[Judge] = []


def set_judge(judge: Judge) -> None:
    """Have ``judge`` decide on each picture; without one every picture is refused."""
    _judge[:] = [judge]


def receive(*, owner: User, stream: BinaryIO | IO[bytes], filename: str) -> Media:
    """Take bytes in and have them checked by a job; the picture is pending until then.

    Raises :class:`MediaRefused` for what can be told from size, first bytes and header, and keeps
    nothing of it.
    """
    from atelier.media import tasks

    with transaction.atomic():
        media = _take(owner=owner, stream=stream, filename=filename)
        queue.defer(tasks.process, media_id=media.id)
    return media


def receive_now(*, owner: User, stream: BinaryIO | IO[bytes], filename: str) -> Media:
    """Take bytes in and check them at once; the picture comes back ready or refused."""
    media = _take(owner=owner, stream=stream, filename=filename)
    return process(media_id=media.id)


def _take(*, owner: User, stream: BinaryIO | IO[bytes], filename: str) -> Media:
    data = _read(stream)
    content_type = decoding.sniff(data[: decoding.HEAD_BYTES])
    decoding.check_size(data)
    sha256 = hashlib.sha256(data).hexdigest()
    with transaction.atomic():
        _lock_bytes(sha256)
        _refuse_barred(sha256)
        _keep_blob(data, content_type)
        return Media.objects.create(
            owner=owner, filename=_plain_name(filename), sha256=sha256, status=Status.PENDING
        )


def _read(stream: BinaryIO | IO[bytes]) -> bytes:
    """All of the stream, unless it is too much: then no more than that was held."""
    parts = []
    size = 0
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > decoding.MAX_BYTES:
            raise MediaRefused(
                f"That file is larger than {decoding.MAX_BYTES // decoding.MEBIBYTE} MiB, the most "
                "a picture may have.",
                code="too_large",
            )
        parts.append(chunk)
    if not size:
        raise MediaRefused("That file is empty.", code="undecodable")
    return b"".join(parts)


def _plain_name(filename: str) -> str:
    """The last part of the name that the uploader's machine used, without what does not print."""
    name = filename.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(character for character in name if character.isprintable())[:MAX_FILENAME]


def _lock_bytes(sha256: str) -> None:
    """Until the transaction ends, nobody else keeps or destroys these bytes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [sha256])


def _refuse_barred(*digests: str) -> None:
    if Blob.objects.filter(pk__in=digests).exclude(barred_code="").exists():
        raise MediaRefused(
            "This picture was refused here before for what it shows, so it is not taken again.",
            code="barred",
        )


def _keep_blob(data: bytes, content_type: str) -> str:
    stored = storage.blobs().put_bytes(data)
    _note_blob(stored.sha256, stored.size, content_type)
    return stored.sha256


def _note_blob(sha256: str, size: int, content_type: str) -> None:
    Blob.objects.update_or_create(
        sha256=sha256,
        defaults={"size_bytes": size, "content_type": content_type, "destroyed_at": None},
        create_defaults={"size_bytes": size, "content_type": content_type},
    )


def process(*, media_id: str) -> Media:
    """Decode, measure, examine and judge a pending picture. Doing it twice does it once.

    A picture that cannot be used ends refused with a code and words, never as an exception.
    """
    media = Media.objects.get(pk=media_id)
    if media.status != Status.PENDING:
        return media
    try:
        data = storage.blobs().read(media.sha256)
        picture = decoding.canonical(data)
        _refuse_barred(hashlib.sha256(picture.png).hexdigest())
        findings = scanning.examine(picture.pixels())
        verdict = _judge_findings(media, picture, findings, data)
    except FileNotFoundError:
        return _refuse(media_id, "undecodable", "The file did not arrive whole. Send it again.")
    except MediaRefused as refusal:
        return _refuse(media_id, refusal.code, refusal.detail)
    if verdict.code:
        return _refuse(media_id, verdict.code, verdict.detail)
    return _admit(media_id, picture, verdict)


def _judge_findings(media: Media, picture: Canonical, findings: Findings, data: bytes) -> Verdict:
    """Write down what was seen, then have the judge read it from there."""
    facts = None if media.generated else origins.read(data)
    with transaction.atomic():
        locked = Media.objects.select_for_update(no_key=True).get(pk=media.pk)
        locked.canonical_sha256 = hashlib.sha256(picture.png).hexdigest()
        if facts is not None and locked.origin_id is None:
            locked.origin = _write_origin(facts)
        locked.save(update_fields=["canonical_sha256", "origin"])
        scan, _ = Scan.objects.update_or_create(
            media=locked,
            defaults={
                "canonical_sha256": locked.canonical_sha256,
                "real_faces": findings.real_faces,
                "drawn_faces": findings.drawn_faces,
                "photoreal": findings.photoreal,
                "sexual": findings.sexual,
                "minor_signal": findings.minor_signal,
                "rating": findings.rating,
                "detectors": findings.detectors,
                "created_at": clock.now(),
            },
        )
        return _judged(locked, scan)


def _judged(media: Media, scan: Scan) -> Verdict:
    unavailable = Verdict(
        code="checks_unavailable",
        detail="This site cannot decide on pictures right now, so it takes none. Try again later.",
    )
    if not _judge:
        return unavailable
    try:
        with transaction.atomic():
            return _judge[0](media, scan)
    except Exception:
        # The judge did not answer, which is not a yes.
        log.exception("the judge did not answer for %s", media.id)
        return unavailable


def _admit(media_id: str, picture: Canonical, verdict: Verdict) -> Media:
    blobs = storage.blobs()
    kept = [(blobs.put_bytes(picture.png), "image/png")]
    sizes: dict[str, dict[str, str]] = {}
    for made in derivatives.make(picture.image):
        stored = blobs.put_bytes(made.data)
        kept.append((stored, f"image/{made.format}"))
        sizes.setdefault(str(made.width), {})[made.format] = stored.sha256
    small = derivatives.small_rgb(picture.image, thumbhash.MAX_SIDE)
    with transaction.atomic():
        media = Media.objects.select_for_update(no_key=True).get(pk=media_id)
        if media.status != Status.PENDING:
            return media
        for stored, content_type in sorted(kept, key=lambda pair: pair[0].sha256):
            _note_blob(stored.sha256, stored.size, content_type)
        media.status = Status.READY
        media.width, media.height = picture.width, picture.height
        media.thumbhash = thumbhash.encode(small)
        media.dominant_color = derivatives.dominant_color(picture.image)
        media.derivatives = sizes
        media.rating = verdict.rating
        media.processed_at = clock.now()
        media.save()
    if not media.generated:
        # Place and camera of a person stand in the bytes as received; only the picture is kept.
        _discard(media.sha256)
    return media


def _refuse(media_id: str, code: str, detail: str) -> Media:
    """Refuse a pending picture: its bytes go, and what may never return is barred by its hash."""
    with transaction.atomic():
        media = Media.objects.select_for_update(no_key=True).get(pk=media_id)
        if media.status != Status.PENDING:
            return media
        media.status = Status.REFUSED
        media.refusal_code = code
        media.refusal_detail = detail
        media.visibility = Visibility.PRIVATE
        media.processed_at = clock.now()
        media.save()
        if code in BARRING_CODES:
            for sha256 in filter(None, (media.sha256, media.canonical_sha256)):
                Blob.objects.update_or_create(
                    sha256=sha256,
                    defaults={"barred_code": code},
                    create_defaults={
                        "barred_code": code,
                        "size_bytes": 0,
                        "content_type": "image/png",
                        "destroyed_at": clock.now(),
                    },
                )
    _discard(media.sha256)
    return media


def _discard(sha256: str) -> None:
    """Destroy received bytes, unless another picture still needs the same ones."""
    with transaction.atomic():
        _lock_bytes(sha256)
        live = Media.objects.exclude(status=Status.REFUSED)
        needed = live.filter(sha256=sha256, status=Status.PENDING) | live.filter(
            sha256=sha256, generated=True
        )
        # What somebody uploads may be byte for byte the canonical form of a picture that is here.
        if needed.exists() or live.filter(canonical_sha256=sha256).exists():
            return
        storage.blobs().delete(sha256)
        Blob.objects.filter(pk=sha256).update(destroyed_at=clock.now())


def _write_origin(facts: OriginFacts, *, generation_id: str = "") -> Origin:
    return Origin.objects.create(
        prompt=facts.prompt,
        negative_prompt=facts.negative_prompt,
        settings=facts.settings,
        resources=facts.resources,
        generator=facts.generator,
        generation_id=generation_id,
    )


def register_output(
    *, owner: User, png_bytes: bytes, origin: OriginFacts, generation_id: str
) -> Media:
    """A picture that this site's generator made, examined and judged like any other.

    Its marked bytes are kept as they are. It comes back ready, or refused; nobody knows its id
    before the caller releases it.
    """
    if not generation_id:
        message = "an output names its generation"
        raise ValueError(message)
    sha256 = hashlib.sha256(png_bytes).hexdigest()
    with transaction.atomic():
        _lock_bytes(sha256)
        _refuse_barred(sha256)
        _keep_blob(png_bytes, "image/png")
        media = Media.objects.create(
            owner=owner,
            filename=f"{generation_id}.png",
            sha256=sha256,
            generated=True,
            origin=_write_origin(origin, generation_id=generation_id),
        )
    return process(media_id=media.id)


def declare_origin(*, media: Media, owner: User, origin: OriginFacts) -> Media:
    """What the owner says made their picture, where its metadata says nothing.

    Raises :class:`NotOwner` for others and :class:`WrongState` where an origin is known: what the
    file or our generator says is not overwritten.
    """
    with transaction.atomic():
        locked = Media.objects.select_for_update(no_key=True).get(pk=media.pk)
        if locked.owner_id != owner.pk:
            raise NotOwner("Only the owner of a picture can say what made it.")
        if locked.origin_id is not None:
            raise WrongState("What made this picture is known already.")
        locked.origin = _write_origin(replace(origin, generator="declared"))
        locked.save(update_fields=["origin"])
    return locked


def publish(*, media_ids: Sequence[str]) -> None:
    """Let everybody open these pictures. Those that are hidden or not ready stay as they are."""
    Media.objects.filter(
        pk__in=media_ids, status=Status.READY, visibility=Visibility.PRIVATE
    ).update(visibility=Visibility.PUBLIC)


def unpublish(*, media_ids: Sequence[str]) -> None:
    """Keep public pictures to their owners again."""
    Media.objects.filter(pk__in=media_ids, visibility=Visibility.PUBLIC).update(
        visibility=Visibility.PRIVATE
    )


def hide(*, media_ids: Sequence[str]) -> None:
    """Close pictures to everybody but staff, their owners included."""
    Media.objects.filter(pk__in=media_ids).update(visibility=Visibility.HIDDEN)


def unhide(*, media_ids: Sequence[str], public: bool) -> None:
    """Give hidden pictures back: to everybody, or to their owners alone."""
    Media.objects.filter(pk__in=media_ids, visibility=Visibility.HIDDEN).update(
        visibility=Visibility.PUBLIC if public else Visibility.PRIVATE
    )


def sweep_pending() -> None:
    """Wake pictures whose job was lost, and give up on those that nothing could finish."""
    from atelier.media import tasks

    now = clock.now()
    for media_id in Media.objects.filter(
        status=Status.PENDING, created_at__lt=now - GIVE_UP_AFTER
    ).values_list("pk", flat=True):
        _refuse(
            media_id,
            "checks_unavailable",
            "This picture could not be examined in time. Send it again.",
        )
    for media_id in Media.objects.filter(
        status=Status.PENDING, created_at__lt=now - WAKE_AFTER
    ).values_list("pk", flat=True):
        queue.defer(tasks.process, once=f"media:{media_id}", media_id=media_id)
