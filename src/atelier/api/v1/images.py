# ruff: noqa: S608 - every piece of SQL is a constant of ours; values are parameters
"""Pictures of the gallery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from django.db import connection

from atelier.api.v1 import dialect, models, sql
from atelier.api.v1.dialect import Parameters, V1Error
from atelier.core import clock, pagination
from atelier.core.errors import Invalid

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

MAX_LIMIT = 200
DEFAULT_LIMIT = 100
SORTS = {
    "Most Reactions": "i.reaction_count",
    "Most Comments": "i.comment_count",
    "Most Collected": "i.collected_count",
    "Newest": "i.id",
    "Oldest": "i.id",
    "Random": "i.id",
}
# A level's name means "up to"; a plain yes means the mature ones alone.
LEVELS = {"none": 1, "soft": 3, "mature": 7, "x": 31, "blocked": 63}
MATURE = 60
SAFE = 1
MOST_LEVEL = 63

_LEVEL_NAME = """CASE i.nsfw_level WHEN 1 THEN 'None' WHEN 2 THEN 'Soft' WHEN 4 THEN 'Mature'
  WHEN 8 THEN 'X' WHEN 16 THEN 'X' WHEN 32 THEN 'Blocked' ELSE 'None' END"""


@dialect.endpoint("GET")
def index(request: HttpRequest) -> HttpResponse:
    """The list of pictures."""
    asked = Parameters(request)
    limit = asked.number("limit", least=0, most=MAX_LIMIT, default=DEFAULT_LIMIT)
    page = asked.number("page", least=1, most=dialect.MAX_INT, default=0)
    sort = asked.choice("sort", list(SORTS), "Most Reactions")
    cursor = asked.text("cursor")
    conditions, values = _filters(asked)
    with_meta = asked.flag("withMeta") is True
    with_tags = asked.flag("withTags") is True
    flat = asked.flag("flatMeta")
    by_model = bool(asked.text("modelId")) and not asked.text("modelVersionId")
    wrapped = not flat if flat is not None else bool(asked.text("imageId")) or by_model
    asked.check()
    if page and not cursor and page * limit > models.PAGED_ROWS:
        raise V1Error(429, models.TOO_DEEP, retry_after=60)
    column = SORTS[sort]
    direction, comparison = ("ASC", ">") if sort == "Oldest" else ("DESC", "<")
    if cursor:
        after, after_id = _decode(cursor)
        conditions.append(f"({column}, i.id) {comparison} (%(after)s::int, %(after_id)s::int)")
        values.update(after=after, after_id=after_id)
    values["base"] = dialect.base_url(request)
    window = (limit, (page - 1) * limit if page and not cursor else 0)
    meta = "NULL"
    if with_meta:
        meta = sql.META
        if wrapped:
            meta = f"json_build_object('id', i.id, 'meta', {sql.META})"
    text, count, last, last_id = _run(
        _item(meta, with_tags=with_tags), (column, direction), window, conditions, values
    )
    metadata: dict[str, Any] = {}
    if page and not cursor:
        metadata.update(currentPage=page, pageSize=limit)
    if limit and count > limit:
        following = pagination.encode_cursor([last, last_id])
        metadata["nextCursor"] = following
        changes = {"page": str(page + 1)} if page and not cursor else {"cursor": following}
        metadata["nextPage"] = dialect.with_query(request, **changes)
    return dialect.json_bytes(
        b'{"items":[' + text.encode() + b'],"metadata":' + orjson.dumps(metadata) + b"}"
    )


def _item(meta: str, *, with_tags: bool) -> str:
    tags = ", 'tags', json_build_array()" if with_tags else ""
    return f"""
      json_build_object(
        'id', i.id, 'url', {sql.picture_url()}, 'hash', i.blurhash, 'width', md.width,
        'height', md.height, 'nsfwLevel', {_LEVEL_NAME}, 'type', 'image',
        'nsfw', i.nsfw_level > 1, 'browsingLevel', i.nsfw_level,
        'createdAt', {sql.moment("i.created_at")}, 'postId', i.post_id,
        'stats', json_build_object('cryCount', i.cry_count, 'laughCount', i.laugh_count,
          'likeCount', i.like_count, 'dislikeCount', i.dislike_count,
          'heartCount', i.heart_count, 'commentCount', i.comment_count),
        'meta', {meta}, 'username', u.username, 'baseModel', nullif(i.base_model, ''),
        'modelVersionIds', coalesce((SELECT json_agg(ir.version_id ORDER BY ir.id)
          FROM gallery_imageresource AS ir WHERE ir.image_id = i.id), '[]'::json){tags})
    """


def _run(
    body: str,
    order: tuple[str, str],
    window: tuple[int, int],
    conditions: list[str],
    values: dict[str, Any],
) -> tuple[str, int, int, int]:
    column, direction = order
    # Numbers in the text, as in the list of models: else every request is planned anew.
    limit, offset = window
    statement = f"""
      WITH page AS MATERIALIZED (
        SELECT chosen.id, chosen.key, row_number() OVER () AS place FROM (
          SELECT i.id, {column} AS key FROM gallery_image AS i
          WHERE {" AND ".join(conditions)}
          ORDER BY {column} {direction}, i.id {direction}
          LIMIT {limit + 1} OFFSET {offset}) AS chosen
      ), shown AS (
        SELECT page.place, {body}::text AS body
        FROM page JOIN gallery_image AS i ON i.id = page.id
        JOIN media_media AS md ON md.id = i.media_id
        JOIN accounts_user AS u ON u.id = i.owner_id
        LEFT JOIN media_origin AS o ON o.id = md.origin_id
        WHERE page.place <= {limit}
      )
      SELECT coalesce((SELECT string_agg(body, ',' ORDER BY place) FROM shown), ''),
        (SELECT count(*) FROM page),
        (SELECT key FROM page WHERE place = {limit}),
        (SELECT id FROM page WHERE place = {limit})
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    if row is None:
        message = "an aggregate always answers a row"
        raise RuntimeError(message)
    return row[0], row[1], row[2], row[3]


def _filters(asked: Parameters) -> tuple[list[str], dict[str, Any]]:
    conditions = [sql.VISIBLE_IMAGE, f"(i.nsfw_level & {_levels(asked)}) <> 0"]
    values: dict[str, Any] = {}
    for name, condition in (
        ("postId", "i.post_id = %(postId)s::int"),
        ("imageId", "i.id = %(imageId)s::int"),
        ("userId", "i.owner_id = %(userId)s::int"),
        ("modelId", _made_with("model_id", "modelId")),
        ("modelVersionId", _made_with("version_id", "modelVersionId")),
    ):
        number = asked.number(name, least=1, most=dialect.MAX_INT, default=0)
        if number:
            conditions.append(condition)
            values[name] = number
    if username := asked.text("username"):
        conditions.append(
            "i.owner_id = (SELECT u.id FROM accounts_user AS u "
            "WHERE u.username = lower(%(username)s::text))"
        )
        values["username"] = username
    if bases := asked.many("baseModels"):
        conditions.append("i.base_model = ANY(%(bases)s::text[])")
        values["bases"] = bases
    period = models.PERIODS[asked.choice("period", list(models.PERIODS), "AllTime")]
    if period is not None:
        conditions.append("i.created_at >= %(since)s::timestamptz")
        values["since"] = clock.now() - period
    kinds = asked.choices("type", ["image", "video", "audio"])
    if (kinds and "image" not in kinds) or asked.ids("tags"):
        # All media here are pictures, and pictures carry no tags.
        conditions.append("false")
    if asked.flag("requiringMeta"):
        conditions.append(
            "EXISTS (SELECT 1 FROM media_media AS x "
            "WHERE x.id = i.media_id AND x.origin_id IS NOT NULL)"
        )
    return conditions, values


def _made_with(column: str, name: str) -> str:
    return (
        "EXISTS (SELECT 1 FROM gallery_imageresource AS ir "
        f"WHERE ir.image_id = i.id AND ir.{column} = %({name})s::int)"
    )


def _levels(asked: Parameters) -> int:
    mask = asked.number("browsingLevel", least=0, most=MOST_LEVEL, default=0)
    if mask:
        return mask
    raw = asked.text("nsfw").lower()
    if raw in LEVELS:
        return LEVELS[raw]
    if not raw:
        return SAFE
    return MATURE if asked.flag("nsfw") else SAFE


def _decode(cursor: str) -> tuple[int, int]:
    problem = V1Error(400, {"message": f"Invalid cursor: {cursor[:80]}"})
    try:
        after, after_id = (int(value) for value in pagination.decode_cursor(cursor, 2))
    except (Invalid, ValueError):
        raise problem from None
    if max(abs(after), abs(after_id)) > dialect.MAX_INT:
        raise problem
    return after, after_id
