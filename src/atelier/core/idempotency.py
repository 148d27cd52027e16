"""``Idempotency-Key``: the same request twice has one effect and one answer, for 24 hours.

The record is per caller, route and key. Same body: the first answer again, refusals included.
Other body: 409. Answers that say "try again" (busy, rate limited, server fault) are forgotten.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from atelier.core import clock
from atelier.core.errors import IdempotencyConflict, InProgress, Invalid
from atelier.core.models import IdempotencyRecord

LIFE = dt.timedelta(hours=24)
# A process that died in the middle leaves an unanswered record; nothing takes longer than this.
ABANDONED = dt.timedelta(minutes=5)
MAX_KEY = 255
RETRYABLE = frozenset({429})
FIRST_FAULT = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as it was given."""

    status: int
    content_type: str
    body: bytes


def begin(*, caller: str, route: str, key: str, body: bytes) -> Answer | None:
    """Claim a key. Answers what was answered before, or ``None`` when the work is ours to do.

    Raises :class:`IdempotencyConflict` for another body, :class:`InProgress` while the first
    request still runs, :class:`Invalid` for a key that is empty or too long.
    """
    if not 1 <= len(key) <= MAX_KEY or not key.isprintable():
        raise Invalid.field("Idempotency-Key", f"must be 1 to {MAX_KEY} printable characters")
    digest = hashlib.sha256(body).hexdigest()
    now = clock.now()
    try:
        with transaction.atomic():
            IdempotencyRecord.objects.create(
                caller=caller, route=route, key=key, body_digest=digest, created_at=now
            )
    except IntegrityError:
        with transaction.atomic():
            record = (
                IdempotencyRecord.objects.select_for_update()
                .filter(caller=caller, route=route, key=key)
                .first()
            )
            if record is None:
                raise InProgress(
                    "The first request just ended. Try again.", retry_after=1
                ) from None
            expired = record.created_at < now - LIFE
            abandoned = record.status is None and record.created_at < now - ABANDONED
            if expired or abandoned:
                record.body_digest = digest
                record.status = None
                record.body = None
                record.created_at = now
                record.save()
                return None
            if record.body_digest != digest:
                raise IdempotencyConflict(
                    "This Idempotency-Key came with another body before. Use a new key."
                ) from None
            if record.status is None:
                raise InProgress(
                    "The first request with this key is still running.", retry_after=1
                ) from None
            return Answer(record.status, record.content_type, bytes(record.body or b""))
    return None


def finish(*, caller: str, route: str, key: str, answer: Answer, retryable: bool = False) -> None:
    """Keep the answer, or forget the key when the answer says that trying again may help."""
    records = IdempotencyRecord.objects.filter(caller=caller, route=route, key=key)
    if retryable or answer.status in RETRYABLE or answer.status >= FIRST_FAULT:
        records.delete()
        return
    records.update(status=answer.status, content_type=answer.content_type, body=answer.body)


def forget_expired() -> None:
    """Drop records older than their life."""
    IdempotencyRecord.objects.filter(created_at__lt=clock.now() - LIFE).delete()
