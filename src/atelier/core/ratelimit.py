"""Token buckets in PostgreSQL, so that a limit holds over all processes."""

from __future__ import annotations

import math
from typing import Any

from django.db import connection

from atelier.core import clock
from atelier.core.errors import RateLimited

# One statement: refill by the time passed, take one, and say what is left. The bucket only goes
# below one when it is refused, and a refusal writes nothing that would delay the caller further.
_TAKE = """
INSERT INTO core_ratebucket AS bucket (caller, tokens, refilled_at)
VALUES (%(caller)s, %(burst)s - 1, %(now)s)
ON CONFLICT (caller) DO UPDATE SET
  tokens = LEAST(%(burst)s, bucket.tokens
           + EXTRACT(EPOCH FROM %(now)s - bucket.refilled_at) * %(rate)s) - 1,
  refilled_at = %(now)s
WHERE LEAST(%(burst)s, bucket.tokens
      + EXTRACT(EPOCH FROM %(now)s - bucket.refilled_at) * %(rate)s) >= 1
RETURNING tokens
"""


def take(*, caller: str, per_minute: int, burst: int) -> int:
    """Use up one request of ``caller``; answers how many are left in the burst.

    Raises :class:`RateLimited` with the seconds until the next one.
    """
    rate = per_minute / 60
    values: dict[str, Any] = {
        "caller": caller,
        "burst": float(burst),
        "rate": rate,
        "now": clock.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        row = cursor.fetchone()
    if row is None:
        raise RateLimited(
            f"At most {per_minute} of these a minute. Wait a moment and try again.",
            retry_after=max(1, math.ceil(1 / rate)),
        )
    return int(row[0])


def forget_full(*, older_than_seconds: int = 3600) -> None:
    """Drop buckets that have long been full again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM core_ratebucket WHERE refilled_at < %s - make_interval(secs => %s)",
            [clock.now(), older_than_seconds],
        )
