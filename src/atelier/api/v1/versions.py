# ruff: noqa: S608 - every piece of SQL is a constant of ours; values are parameters
"""Versions: by id, by hash, many by hash, and in short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from django.core.exceptions import RequestDataTooBig
from django.db import connection

from atelier.api.v1 import dialect, sql
from atelier.api.v1.dialect import V1Error

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

MAX_HASHES = 100
MAX_HASH_IDS = 10_000
SHA256_DIGITS = 64
_FROM = "FROM catalog_modelversion AS v JOIN catalog_aimodel AS m ON m.id = v.model_id"
_VISIBLE = f"{sql.VISIBLE_VERSION} AND {sql.VISIBLE_MODEL}"
MISSING = {"error": "Model not found"}


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _one(request: HttpRequest, condition: str, order: str = "", **values: Any) -> HttpResponse:
    statement = f"""
      SELECT {sql.version_detail()}::text,
        EXISTS (SELECT 1 FROM catalog_modelfile AS f WHERE f.version_id = v.id)
      {_FROM} WHERE {condition} AND {_VISIBLE} {order} LIMIT 1
    """
    rows = _rows(statement, {"base": dialect.base_url(request), **values})
    if not rows:
        raise V1Error(404, MISSING)
    body, has_file = rows[0]
    if not has_file:
        raise V1Error(404, {"error": "Missing model file"})
    return dialect.json_bytes(body.encode())


@dialect.endpoint("GET")
def detail(request: HttpRequest, version_id: str) -> HttpResponse:
    """One public version."""
    if not version_id.isascii() or not version_id.isdigit():
        raise V1Error(400, {"error": f"Invalid id: {version_id[:80]}"})
    if not 1 <= int(version_id) <= dialect.MAX_INT:
        raise V1Error(404, MISSING)
    return _one(request, "v.id = %(id)s::int", id=int(version_id))


_BY_HASH = """v.id IN (SELECT f.version_id FROM catalog_filehash AS h
  JOIN catalog_modelfile AS f ON f.id = h.file_id WHERE h.value = %(value)s::text)"""


@dialect.endpoint("GET")
def by_hash(request: HttpRequest, value: str) -> HttpResponse:
    """The public version with a file of this hash, any of the six, in any case."""
    return _one(
        request, _BY_HASH, "ORDER BY v.published_at, v.id", value=value.strip().upper()[:200]
    )


@dialect.endpoint("POST")
def many_by_hash(request: HttpRequest) -> HttpResponse:
    """The public versions of many SHA-256 hashes; unknown ones are left out."""
    hashes = _hashes(request, most=MAX_HASHES)
    statement = f"""
      SELECT coalesce(json_agg({sql.version_detail()} ORDER BY v.id), '[]'::json)::text
      {_FROM} WHERE {_VISIBLE} AND v.id IN (
        SELECT f.version_id FROM catalog_filehash AS h
        JOIN catalog_modelfile AS f ON f.id = h.file_id
        WHERE h.kind = 'SHA256' AND h.value = ANY(%(hashes)s::text[]))
    """
    rows = _rows(statement, {"base": dialect.base_url(request), "hashes": hashes})
    return dialect.json_bytes(rows[0][0].encode())


@dialect.endpoint("POST")
def ids_by_hash(request: HttpRequest) -> HttpResponse:
    """Which versions many SHA-256 hashes belong to."""
    hashes = _hashes(request, most=MAX_HASH_IDS)
    statement = f"""
      SELECT coalesce(json_agg(json_build_object(
        'modelVersionId', v.id, 'modelId', m.id, 'hash', h.value) ORDER BY v.id), '[]'::json)::text
      {_FROM} JOIN catalog_modelfile AS f ON f.version_id = v.id
      JOIN catalog_filehash AS h ON h.file_id = f.id
      WHERE h.kind = 'SHA256' AND h.value = ANY(%(hashes)s::text[]) AND {_VISIBLE}
    """
    return dialect.json_bytes(_rows(statement, {"hashes": hashes})[0][0].encode())


def _hashes(request: HttpRequest, *, most: int) -> list[str]:
    problem = V1Error(
        400,
        {
            "error": "Request must include an array of SHA256 Hashes. "
            f"Maximum array length is {most}."
        },
    )
    try:
        body = orjson.loads(request.body)
    except (orjson.JSONDecodeError, RequestDataTooBig):
        raise problem from None
    if (
        not isinstance(body, list)
        or len(body) > most
        or not all(isinstance(one, str) and len(one) == SHA256_DIGITS for one in body)
    ):
        raise problem
    return [one.upper() for one in body]


@dialect.endpoint("GET")
def mini(request: HttpRequest, version_id: str) -> HttpResponse:
    """A version in short, for tools that only want to load it."""
    number = dialect.path_id(version_id)
    wanted = dialect.Parameters(request).text("modelFileId")
    file_id = dialect.path_id(wanted) if wanted else None
    rule = "f.id = %(file)s::int" if file_id else "f.is_primary"
    suffix = " || '+' || f.id" if file_id else ""
    query = " || '?fileId=' || f.id" if file_id else ""
    statement = f"""
      SELECT json_build_object(
        'air', {sql.AIR}{suffix}, 'versionName', v.name, 'modelName', m.name,
        'userId', m.owner_id, 'baseModel', v.base_model, 'availability', 'Public',
        'publishedAt', {sql.moment("v.published_at")}, 'size', f.size_bytes::float8 / 1024,
        'fileType', f.type, 'fileName', f.uploaded_name, 'hashes', f.hashes,
        'downloadUrls', json_build_array({sql.DOWNLOAD_URL}{query}),
        'format', f.format, 'canGenerate', {sql.DRAWABLE}, 'isFeatured', false,
        'requireAuth', false, 'checkPermission', false, 'additionalResourceCharge', false,
        'minor', false, 'sfwOnly', false, 'fees', json_build_array(), 'payoutEnabled', false)::text
      {_FROM} LEFT JOIN catalog_modelfile AS f ON f.version_id = v.id AND {rule}
      WHERE v.id = %(id)s::int AND {_VISIBLE} LIMIT 1
    """
    values: dict[str, Any] = {"base": dialect.base_url(request), "id": number}
    if file_id:
        values["file"] = file_id
    rows = _rows(statement, values)
    if not rows:
        raise V1Error(404, MISSING)
    body = orjson.loads(rows[0][0])
    if body["fileType"] is None:
        words = f"Model file {file_id} not found in version {number}"
        raise V1Error(404, {"error": words if file_id else "Missing model file"})
    return dialect.json_bytes(rows[0][0].encode())
