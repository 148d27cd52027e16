"""Lists as JSON bytes that PostgreSQL makes: no row of them becomes a Python object."""

from __future__ import annotations

from typing import Any

import orjson
from django.db import connection

from atelier.core import pagination
from atelier.core.errors import Invalid

# Constants alone are put together here; what callers send travels as parameters.
_POSTS = """
WITH page AS MATERIALIZED (
  SELECT p.* FROM gallery_post AS p
  WHERE p.status = 'published'
    AND (p.nsfw_level & ~%(levels)s::int) = 0
    AND (%(owner)s::int IS NULL OR p.owner_id = %(owner)s::int)
    AND (%(after)s::int IS NULL OR p.id < %(after)s::int)
    AND NOT EXISTS (SELECT 1 FROM likeness_blocked AS barred
                    WHERE barred.kind = 'post' AND barred.number = p.id)
  ORDER BY p.id DESC LIMIT %(take)s
), shown AS (
  SELECT * FROM page ORDER BY id DESC LIMIT %(limit)s
)
SELECT
  coalesce((SELECT json_agg(json_build_object(
    'id', shown.id, 'title', shown.title, 'description', shown.description,
    'status', shown.status, 'url', '/posts/' || shown.id,
    'owner', json_build_object('id', u.id, 'username', u.username,
      'display_name', coalesce(nullif(u.display_name, ''), u.username)),
    'version', shown.version_id, 'nsfw_level', shown.nsfw_level,
    'comments', shown.comment_count, 'published_at', shown.published_at,
    'images', (SELECT coalesce(json_agg(json_build_object(
        'id', i.id, 'post', i.post_id, 'media', i.media_id, 'page', '/images/' || i.id,
        'url', '/media/' || i.media_id || '/original.png',
        'thumbnail', '/media/' || i.media_id || '/320.webp',
        'width', md.width, 'height', md.height, 'rating', i.nsfw_level) ORDER BY i.position),
        '[]'::json)
      FROM gallery_image AS i JOIN media_media AS md ON md.id = i.media_id
      WHERE i.post_id = shown.id AND i.status = 'published'
        AND NOT EXISTS (SELECT 1 FROM likeness_blocked AS barred
                        WHERE barred.kind = 'image' AND barred.number = i.id)
        AND NOT EXISTS (SELECT 1 FROM likeness_blocked AS barred
                        WHERE barred.kind = 'media' AND barred.ref = i.media_id))
    ) ORDER BY shown.id DESC)
    FROM shown JOIN accounts_user AS u ON u.id = shown.owner_id), '[]'::json)::text,
  (SELECT count(*) FROM page), (SELECT min(id) FROM shown)
"""


def posts(
    *, levels: int, after: str | None = None, limit: int | None = None, owner_id: int | None = None
) -> bytes:
    """``{items, next}`` of public posts, newest first."""
    size = pagination.clamp_limit(limit)
    last: int | None = None
    if after:
        (value,) = pagination.decode_cursor(after, 1)
        if not isinstance(value, int):
            raise Invalid.field("after", "is not a cursor that this list gave out")
        last = value
    values: dict[str, Any] = {
        "levels": levels,
        "owner": owner_id,
        "after": last,
        "take": size + 1,
        "limit": size,
    }
    with connection.cursor() as cursor:
        cursor.execute(_POSTS, values)
        row = cursor.fetchone()
    if row is None:
        message = "an aggregate always answers a row"
        raise RuntimeError(message)
    text: str = row[0]
    count, least = row[1:]
    following = pagination.encode_cursor([least]) if count > size else None
    return b'{"items":' + text.encode() + b',"next":' + orjson.dumps(following) + b"}"
