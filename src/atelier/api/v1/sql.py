# ruff: noqa: S608 - every piece of SQL is a constant of ours; values are parameters
"""The contract's objects as JSON that PostgreSQL makes, in pieces that the queries put together.

Every text here is ours; what callers send only travels as parameters. ``%(base)s`` is the address
that a request came to, for the contract wants absolute URLs.
"""

from __future__ import annotations

from atelier.catalog.vocabulary import AIR_TYPES, BASE_MODELS, ecosystem_of

BASE = "%(base)s::text"


def moment(column: str) -> str:
    """A time with milliseconds and ``Z``, as strict clients parse it."""
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""


def not_blocked(kind: str, column: str) -> str:
    """Whether likeness lets a thing be shown."""
    return (
        "NOT EXISTS (SELECT 1 FROM likeness_blocked AS barred "
        f"WHERE barred.kind = '{kind}' AND barred.number = {column})"
    )


VISIBLE_VERSION = f"""
    v.status = 'published' AND v.clearance = 'cleared' AND v.access = 'public'
    AND {not_blocked("version", "v.id")}
"""

VISIBLE_MODEL = f"m.status = 'published' AND {not_blocked('model', 'm.id')}"

VISIBLE_IMAGE = f"""
    i.status = 'published' AND {not_blocked("image", "i.id")} AND {not_blocked("post", "i.post_id")}
    AND NOT EXISTS (SELECT 1 FROM likeness_blocked AS barred
                    WHERE barred.kind = 'media' AND barred.ref = i.media_id)
"""

_DRAWABLE = ", ".join(f"'{entry.name}'" for entry in BASE_MODELS.values() if entry.family)
DRAWABLE = f"v.base_model IN ({_DRAWABLE})"

# A query string only on files that are not the primary one: clients append `?token=` blindly.
DOWNLOAD_URL = f"{BASE} || '/api/download/models/' || v.id"
_FILE_URL = f"""
    {DOWNLOAD_URL} || CASE WHEN f.is_primary THEN '' ELSE
      '?type=' || replace(f.type, ' ', '%%20')
      || CASE WHEN f.format = '' THEN '' ELSE '&format=' || replace(f.format, ' ', '%%20') END
      || CASE WHEN f.extent = '' THEN '' ELSE '&size=' || f.extent END
      || CASE WHEN f.precision = '' THEN '' ELSE '&fp=' || f.precision END
      || CASE WHEN EXISTS (
           SELECT 1 FROM catalog_modelfile AS twin
           WHERE twin.version_id = f.version_id AND twin.id <> f.id AND twin.type = f.type)
         THEN '&fileId=' || f.id ELSE '' END
    END
"""

# Safetensors hold no code, and the header was checked when the file came in.
_FILE_FIELDS = f"""
    'id', f.id, 'sizeKB', f.size_bytes::float8 / 1024, 'name', f.name, 'type', f.type,
    'metadata', json_strip_nulls(json_build_object(
      'format', nullif(f.format, ''), 'size', nullif(f.extent, ''), 'fp', nullif(f.precision, ''))),
    'pickleScanResult', 'Success', 'pickleScanMessage', 'No Pickle imports',
    'virusScanResult', 'Success', 'virusScanMessage', NULL,
    'scannedAt', {moment("f.scanned_at")}, 'hashes', f.hashes, 'downloadUrl', {_FILE_URL}
"""


def files(*, everywhere: bool, condition: str = "true") -> str:
    """A version's files. ``primary`` is on all of them, or on the primary one alone."""
    if everywhere:
        body = f"json_build_object({_FILE_FIELDS}, 'primary', f.is_primary)"
    else:
        body = f"""
          CASE WHEN f.is_primary THEN json_build_object({_FILE_FIELDS}, 'primary', true)
          ELSE json_build_object({_FILE_FIELDS}) END
        """
    return f"""
      (SELECT coalesce(json_agg({body} ORDER BY f.is_primary DESC, f.id), '[]'::json)
       FROM catalog_modelfile AS f WHERE f.version_id = v.id AND {condition})
    """


def picture_url(image: str = "i") -> str:
    """Where other programs fetch a picture: its own id is the last part of the address."""
    return (
        f"{BASE} || '/api/pictures/atelier/' || {image}.media_id || '/original=true/' "
        f"|| {image}.id || '.jpeg'"
    )


META = """
    CASE WHEN o.id IS NULL THEN NULL ELSE json_strip_nulls(json_build_object(
      'prompt', nullif(o.prompt, ''), 'negativePrompt', nullif(o.negative_prompt, ''),
      'seed', o.settings -> 'seed', 'steps', o.settings -> 'steps',
      'sampler', o.settings -> 'sampler', 'cfgScale', o.settings -> 'cfg_scale',
      'clipSkip', o.settings -> 'clip_skip',
      'Size', md.width || 'x' || md.height,
      'Model', (SELECT om.name FROM gallery_imageresource AS ir
                JOIN catalog_aimodel AS om ON om.id = ir.model_id
                WHERE ir.image_id = i.id AND om.type = 'Checkpoint' LIMIT 1),
      'resources', coalesce((SELECT json_agg(json_strip_nulls(json_build_object(
          'name', entry -> 'name', 'type', lower(entry ->> 'type'), 'hash', entry -> 'hash',
          'weight', entry -> 'strength')))
        FROM jsonb_array_elements(o.resources) AS entry), '[]'::json),
      'civitaiResources', coalesce((SELECT json_agg(json_build_object(
          'type', lower(rm.type), 'modelVersionId', ir.version_id, 'weight', ir.strength)
          ORDER BY ir.id)
        FROM gallery_imageresource AS ir JOIN catalog_aimodel AS rm ON rm.id = ir.model_id
        WHERE ir.image_id = i.id), '[]'::json)
    )) END
"""


def version_images(*, fields: str = "", levels: str = "") -> str:
    """Up to ten pictures that a version's maker shows with it."""
    rated = f"AND (i.nsfw_level & {levels}) <> 0" if levels else ""
    return f"""
      (SELECT coalesce(json_agg(picture.body ORDER BY picture.id), '[]'::json) FROM (
        SELECT i.id, json_build_object({fields}
          'url', {picture_url()}, 'nsfwLevel', i.nsfw_level, 'width', md.width,
          'height', md.height, 'hash', i.blurhash, 'type', 'image', 'minor', false, 'poi', false,
          'hasMeta', o.id IS NOT NULL, 'hasPositivePrompt', coalesce(o.prompt, '') <> '',
          'onSite', md.generated, 'remixOfId', i.remix_of_id) AS body
        FROM gallery_post AS p
        JOIN gallery_image AS i ON i.post_id = p.id
        JOIN media_media AS md ON md.id = i.media_id
        LEFT JOIN media_origin AS o ON o.id = md.origin_id
        WHERE p.version_id = v.id AND p.status = 'published' AND {VISIBLE_IMAGE} {rated}
        ORDER BY i.id LIMIT 10) AS picture)
    """


_VERSION_HEAD = f"""
    'id', v.id, 'index', v.index, 'name', v.name, 'baseModel', v.base_model,
    'baseModelType', v.base_model_type, 'publishedAt', {moment("v.published_at")},
    'availability', 'Public', 'nsfwLevel', v.nsfw_level,
    'description', nullif(v.description_html, ''), 'trainedWords', to_json(v.trained_words),
    'stats', json_build_object('downloadCount', v.download_count,
      'thumbsUpCount', v.thumbs_up_count, 'thumbsDownCount', v.thumbs_down_count),
    'paidAccess', NULL
"""


def _model(versions: str) -> str:
    return f"""
      json_build_object(
        'id', m.id, 'name', m.name, 'description', nullif(m.description_html, ''),
        'type', m.type, 'nsfw', (m.nsfw_level & 28) <> 0, 'nsfwLevel', m.nsfw_level,
        'minor', false, 'poi', false, 'sfwOnly', false, 'availability', 'Public',
        'allowNoCredit', m.allow_no_credit,
        'allowCommercialUse', to_json(m.allow_commercial_use),
        'allowDerivatives', m.allow_derivatives,
        'allowDifferentLicense', m.allow_different_license,
        'stats', json_build_object('downloadCount', m.download_count,
          'thumbsUpCount', m.thumbs_up_count, 'thumbsDownCount', m.thumbs_down_count,
          'commentCount', m.comment_count, 'tippedAmountCount', m.tipped_sparks),
        'creator', (SELECT json_build_object('username', u.username, 'image',
            CASE WHEN u.avatar_media_id = '' THEN NULL
            ELSE {BASE} || '/api/pictures/atelier/' || u.avatar_media_id || '/width=96/'
                 || u.id || '.jpeg' END)
          FROM accounts_user AS u WHERE u.id = m.owner_id),
        'tags', (SELECT coalesce(json_agg(t.name ORDER BY t.name), '[]'::json)
          FROM catalog_modeltag AS mt JOIN catalog_tag AS t ON t.id = mt.tag_id
          WHERE mt.model_id = m.id),
        'supportsGeneration', EXISTS (SELECT 1 FROM catalog_modelversion AS v
          WHERE v.model_id = m.id AND {VISIBLE_VERSION} AND {DRAWABLE}),
        'baseModels', (SELECT coalesce(json_agg(DISTINCT v.base_model), '[]'::json)
          FROM catalog_modelversion AS v WHERE v.model_id = m.id AND {VISIBLE_VERSION}),
        'modelVersions', {versions}
      )
    """


def _versions(body: str, condition: str = "true") -> str:
    return f"""
      (SELECT coalesce(json_agg({body} ORDER BY v.index, v.id), '[]'::json)
       FROM catalog_modelversion AS v
       WHERE v.model_id = m.id AND {VISIBLE_VERSION} AND {condition})
    """


def listed_model(*, condition: str, primary_only: bool, all_levels: bool) -> str:
    """A model as the list shows it."""
    file_rule = "f.is_primary" if primary_only else "true"
    pictures = version_images(fields="'id', i.id,", levels="" if all_levels else "1")
    body = f"""
      json_build_object({_VERSION_HEAD}, 'supportsGeneration', {DRAWABLE},
        'files', {files(everywhere=False, condition=file_rule)}, 'images', {pictures},
        'downloadUrl', {DOWNLOAD_URL})
    """
    return _model(_versions(body, condition))


def model_detail() -> str:
    """A model by its id: every public version, at every level."""
    body = f"""
      json_build_object({_VERSION_HEAD}, 'createdAt', {moment("v.created_at")},
        'status', 'Published', 'covered', {DRAWABLE},
        'files', {files(everywhere=False)}, 'images', {version_images()},
        'downloadUrl', {DOWNLOAD_URL})
    """
    return _model(_versions(body))


def _cases(pairs: list[tuple[str, str]], column: str, otherwise: str) -> str:
    cases = " ".join(f"WHEN '{key}' THEN '{value}'" for key, value in pairs)
    return f"CASE {column} {cases} ELSE {otherwise} END"


AIR = (
    "'urn:air:' || "
    + _cases(
        [(name, ecosystem_of(name)) for name in BASE_MODELS],
        "v.base_model",
        "lower(replace(v.base_model, ' ', ''))",
    )
    + " || ':' || "
    + _cases([(kind.value, air) for kind, air in AIR_TYPES.items()], "m.type", "'unknown'")
    + " || ':civitai:' || m.id || '@' || v.id"
)


def version_detail() -> str:
    """A version by its id or a hash."""
    meta = f"'meta', {META}, 'availability', 'Public',"
    return f"""
      json_build_object(
        'id', v.id, 'modelId', m.id, 'name', v.name, 'nsfwLevel', v.nsfw_level,
        'createdAt', {moment("v.created_at")}, 'updatedAt', {moment("v.updated_at")},
        'publishedAt', {moment("v.published_at")}, 'status', 'Published',
        'availability', 'Public', 'earlyAccessEndsAt', NULL,
        'earlyAccessConfig', json_build_object(),
        'trainedWords', to_json(v.trained_words),
        'trainingStatus', CASE WHEN v.source = 'trained' THEN 'Approved' END,
        'trainingDetails', CASE WHEN v.source = 'trained' THEN v.training_settings END,
        'baseModel', v.base_model, 'baseModelType', v.base_model_type,
        'description', nullif(v.description_html, ''),
        'uploadType', CASE WHEN v.source = 'trained' THEN 'Trained' ELSE 'Created' END,
        'usageControl', 'Download', 'licensingFee', NULL, 'paidAccess', NULL,
        'air', {AIR},
        'stats', json_build_object('downloadCount', v.download_count,
          'thumbsUpCount', v.thumbs_up_count),
        'model', json_build_object('name', m.name, 'type', m.type,
          'nsfw', (m.nsfw_level & 28) <> 0, 'poi', false),
        'files', {files(everywhere=True)}, 'images', {version_images(fields=meta)},
        'downloadUrl', {DOWNLOAD_URL})
    """
