# ruff: noqa: S608 - every piece of SQL is a constant of ours; values are parameters
"""Models: the list, and one."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

import orjson
from django.db import connection

from atelier.api.v1 import dialect, sql
from atelier.api.v1.dialect import Parameters, V1Error
from atelier.catalog.vocabulary import CommercialUse, ModelType
from atelier.core import clock, pagination
from atelier.core.errors import Invalid

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

MAX_LIMIT = 100
PAGED_ROWS = 1000
MAX_SEARCH_OFFSET = 10_000
MAX_WORDS = 12
SORTS = {
    "Highest Rated": "m.thumbs_up_count",
    "Most Downloaded": "m.download_count",
    "Most Liked": "m.thumbs_up_count",
    "Most Discussed": "m.comment_count",
    "Most Collected": "m.collected_count",
    "Most Images": "m.image_count",
    "Newest": "m.last_version_at",
    "Oldest": "m.last_version_at",
}
PERIODS = {
    "Day": dt.timedelta(days=1),
    "Week": dt.timedelta(days=7),
    "Month": dt.timedelta(days=30),
    "Year": dt.timedelta(days=365),
    "AllTime": None,
}
TOO_DEEP = {"error": "You've requested too many pages, please use cursors instead"}
# Without mature bits. A list of values, not a mask: PostgreSQL knows how many rows have which, and
# with a good guess it plans the list once for all cursors.
_MATURE = 28
_CALM = f"m.nsfw_level IN ({', '.join(str(n) for n in range(64) if not n & _MATURE)})"
_WORD = re.compile(r"\w+", re.UNICODE)


@dialect.endpoint("GET")
def index(request: HttpRequest) -> HttpResponse:
    """The list of models."""
    asked = Parameters(request)
    limit = asked.number("limit", least=0, most=MAX_LIMIT, default=MAX_LIMIT)
    page = asked.number("page", least=1, most=dialect.MAX_INT, default=0)
    sort = asked.choice("sort", list(SORTS), "Highest Rated")
    words = asked.text("query")
    cursor = asked.text("cursor")
    conditions, values = _filters(asked)
    version_rule = "v.base_model = ANY(%(bases)s::text[])" if "bases" in values else "true"
    every_level = asked.flag("nsfw") is True
    primary_only = asked.flag("primaryFileOnly") is True
    asked.check()
    if dialect.user_of(request) is None and (asked.given("favorites") or asked.given("hidden")):
        raise V1Error(401, {"error": "Unauthorized"})
    if words and page:
        raise V1Error(
            400,
            {"error": "Cannot use page param with query search. Use cursor-based pagination."},
        )
    if page and not cursor and page * limit > PAGED_ROWS:
        raise V1Error(429, TOO_DEEP, retry_after=60)
    if not every_level:
        conditions.append(_CALM)
    values["base"] = dialect.base_url(request)
    if words:
        order, offset = _search(words, cursor, conditions, values)
    else:
        order, offset = _keyset(sort, cursor, conditions, values)
        if page and not cursor:
            offset = (page - 1) * limit
    body = sql.listed_model(
        condition=version_rule, primary_only=primary_only, all_levels=every_level
    )
    window = (limit, offset)
    text, count, last_value, last_id = _run(body, order, window, conditions, values)
    metadata: dict[str, Any] = {}
    if page and not cursor:
        metadata.update(currentPage=page, pageSize=limit)
    if limit and count > limit:
        following = (
            str(offset + limit) if words else pagination.encode_cursor([last_value, last_id])
        )
        metadata["nextCursor"] = following
        metadata["nextPage"] = dialect.with_query(request, cursor=following)
    return dialect.json_bytes(
        b'{"items":[' + text.encode() + b'],"metadata":' + orjson.dumps(metadata) + b"}"
    )


def _run(
    body: str,
    order: tuple[str, str],
    window: tuple[int, int],
    conditions: list[str],
    values: dict[str, Any],
) -> tuple[str, int, Any, int]:
    """The items as JSON, how many rows there were, and the sort key of the last one shown.

    The window stands in the text as numbers: with a parameter there PostgreSQL would expect a tenth
    of the table and plan every request anew, which costs more than answering it.
    """
    key, direction = order
    limit, offset = window
    statement = f"""
      WITH page AS MATERIALIZED (
        SELECT chosen.id, chosen.key, row_number() OVER () AS place FROM (
          SELECT m.id, {key} AS key FROM catalog_aimodel AS m
          WHERE {" AND ".join(conditions)}
          ORDER BY {key} {direction}, m.id {direction}
          LIMIT {limit + 1} OFFSET {offset}) AS chosen
      ), shown AS (
        SELECT page.place, {body}::text AS body
        FROM page JOIN catalog_aimodel AS m ON m.id = page.id
        WHERE page.place <= {limit}
      )
      SELECT coalesce((SELECT string_agg(body, ',' ORDER BY place) FROM shown), ''),
        (SELECT count(*) FROM page),
        (SELECT key::text FROM page WHERE place = {limit}),
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
    """What restricts the list, as conditions and their values."""
    conditions = [sql.VISIBLE_MODEL]
    values: dict[str, Any] = {}
    for name, value, condition in (
        ("ids", asked.ids("ids"), "m.id = ANY(%(ids)s::int[])"),
        (
            "version_ids",
            asked.ids("modelVersionIds"),
            _has_version("v.id = ANY(%(version_ids)s::int[])"),
        ),
        ("tag", asked.text("tag"), _TAGGED),
        ("username", asked.text("username"), _MADE_BY),
        ("types", asked.choices("types", ModelType.values), "m.type = ANY(%(types)s::text[])"),
        (
            "bases",
            asked.many("baseModels"),
            _has_version("v.base_model = ANY(%(bases)s::text[])"),
        ),
        (
            "uses",
            asked.choices("allowCommercialUse", CommercialUse.values),
            "m.allow_commercial_use::text[] && %(uses)s::text[]",
        ),
    ):
        if value:
            conditions.append(condition)
            values[name] = value
    if "bases" not in values:
        conditions.append(_has_version("true"))
    period = PERIODS[asked.choice("period", list(PERIODS), "AllTime")]
    if period is not None:
        conditions.append("m.last_version_at >= %(since)s::timestamptz")
        values["since"] = clock.now() - period
    asked.choice("checkpointType", ["Trained", "Merge"], "")
    conditions.extend(_switches(asked))
    return conditions, values


def _switches(asked: Parameters) -> list[str]:
    """Filters that are on or off."""
    found = []
    # Every text that is not empty switches these on, `false` too.
    if asked.text("supportsGeneration"):
        found.append(_has_version(sql.DRAWABLE))
    if asked.text("fromPlatform"):
        found.append(_has_version("v.source = 'trained'"))
    if asked.text("earlyAccess"):
        found.append("false")
    for name, column in (
        ("allowNoCredit", "allow_no_credit"),
        ("allowDerivatives", "allow_derivatives"),
        ("allowDifferentLicense", "allow_different_license"),
    ):
        wanted = asked.flag(name)
        if wanted is not None:
            found.append(f"m.{column}" if wanted else f"NOT m.{column}")
    if asked.flag("favorites") or asked.flag("hidden"):
        # Nobody has favourites or hidden models here, so both lists are empty.
        found.append("false")
    return found


_TAGGED = (
    "m.id IN (SELECT mt.model_id FROM catalog_modeltag AS mt "
    "JOIN catalog_tag AS t ON t.id = mt.tag_id WHERE t.name = lower(%(tag)s::text))"
)
_MADE_BY = (
    "m.owner_id = (SELECT u.id FROM accounts_user AS u "
    "WHERE u.username = lower(%(username)s::text))"
)


def _has_version(rule: str) -> str:
    return (
        "EXISTS (SELECT 1 FROM catalog_modelversion AS v "
        f"WHERE v.model_id = m.id AND {sql.VISIBLE_VERSION} AND {rule})"
    )


def _keyset(
    sort: str, cursor: str, conditions: list[str], values: dict[str, Any]
) -> tuple[tuple[str, str], int]:
    column = SORTS[sort]
    direction, comparison = ("ASC", ">") if sort == "Oldest" else ("DESC", "<")
    if cursor:
        kind = "timestamptz" if column == "m.last_version_at" else "int"
        value, last_id = _decode(cursor, kind)
        conditions.append(f"({column}, m.id) {comparison} (%(after)s::{kind}, %(after_id)s::int)")
        values.update(after=value, after_id=last_id)
    return (column, direction), 0


def _decode(cursor: str, kind: str) -> tuple[Any, int]:
    problem = V1Error(400, {"message": f"Invalid cursor: {cursor[:80]}"})
    try:
        value, last_id = pagination.decode_cursor(cursor, 2)
        last_id = int(last_id)
        value = int(value) if kind == "int" else dt.datetime.fromisoformat(str(value))
    except (Invalid, ValueError):
        raise problem from None
    if abs(last_id) > dialect.MAX_INT or (isinstance(value, int) and abs(value) > dialect.MAX_INT):
        raise problem
    return value, last_id


def _search(
    words: str, cursor: str, conditions: list[str], values: dict[str, Any]
) -> tuple[tuple[str, str], int]:
    """By relevance; the cursor is then an offset. The last word may be unfinished."""
    parts = _WORD.findall(words.lower())[:MAX_WORDS]
    if not parts:
        conditions.append("false")
    values["search"] = " & ".join(f"{part}:*" for part in parts) or "x"
    conditions.append("m.words @@ to_tsquery('simple', %(search)s::text)")
    offset = 0
    if cursor:
        if not cursor.isascii() or not cursor.isdigit() or int(cursor) > MAX_SEARCH_OFFSET:
            raise V1Error(400, {"message": f"Invalid cursor: {cursor[:80]}"})
        offset = int(cursor)
    return ("ts_rank(m.words, to_tsquery('simple', %(search)s::text))", "DESC"), offset


@dialect.endpoint("GET")
def detail(request: HttpRequest, model_id: str) -> HttpResponse:
    """One model with all its public versions."""
    number = dialect.path_id(model_id)
    statement = f"""
      SELECT {sql.model_detail()}::text FROM catalog_aimodel AS m
      WHERE m.id = %(id)s::int AND {sql.VISIBLE_MODEL}
        AND EXISTS (SELECT 1 FROM catalog_modelversion AS v
                    WHERE v.model_id = m.id AND {sql.VISIBLE_VERSION})
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, {"base": dialect.base_url(request), "id": number})
        row = cursor.fetchone()
    if row is None:
        raise V1Error(404, {"error": f"No model with id {number}"})
    return dialect.json_bytes(row[0].encode())
