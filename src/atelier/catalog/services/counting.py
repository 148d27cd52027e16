"""Counters that people's doings add up to, without a row that everybody waits for."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from atelier.catalog.models import AiModel, DownloadEvent, ModelVersion
from atelier.core import clock

if TYPE_CHECKING:
    from collections.abc import Mapping

BATCH = 10_000
KEPT = dt.timedelta(days=2)

_ROLL_UP = """
WITH batch AS (
  SELECT id, version_id FROM catalog_downloadevent WHERE NOT counted
  ORDER BY id LIMIT %(batch)s FOR UPDATE SKIP LOCKED
), marked AS (
  UPDATE catalog_downloadevent SET counted = true WHERE id IN (SELECT id FROM batch)
), by_version AS (
  SELECT version_id, count(*) AS downloads FROM batch GROUP BY version_id
), versions AS (
  UPDATE catalog_modelversion AS v SET download_count = v.download_count + b.downloads
  FROM by_version AS b WHERE v.id = b.version_id RETURNING v.model_id, b.downloads
), models AS (
  UPDATE catalog_aimodel AS m SET download_count = m.download_count + s.downloads
  FROM (SELECT model_id, sum(downloads) AS downloads FROM versions GROUP BY model_id) AS s
  WHERE m.id = s.model_id
)
SELECT count(*) FROM batch
"""


def record_download(*, version_id: int, person: str) -> None:
    """Notes that somebody took a version; the same person counts once a day."""
    DownloadEvent.objects.bulk_create(
        [DownloadEvent(version_id=version_id, person=person[:64], day=clock.today())],
        ignore_conflicts=True,
    )


def roll_up_downloads() -> int:
    """Adds noted downloads to the counters; answers how many."""
    counted = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_ROLL_UP, {"batch": BATCH})
            row = cursor.fetchone()
        found = int(row[0]) if row else 0
        counted += found
        if found < BATCH:
            break
    DownloadEvent.objects.filter(counted=True, day__lt=clock.today() - KEPT).delete()
    return counted


def add_images(*, by_model: Mapping[int, int]) -> None:
    """Pictures made with models came (or, below zero, went)."""
    for model_id in sorted(by_model):
        _add(AiModel, model_id, image_count=by_model[model_id])


def add_comments(*, model_id: int, count: int = 1) -> None:
    """Comments on a model came or went."""
    _add(AiModel, model_id, comment_count=count)


def add_tips(*, model_id: int, sparks: int) -> None:
    """Sparks were tipped to a model's maker for it."""
    _add(AiModel, model_id, tipped_sparks=sparks)


def add_ratings(*, version_id: int, levels: int) -> None:
    """Content of these ratings is shown with a version, so it and its model carry them too."""
    with transaction.atomic():
        model_id = (
            ModelVersion.objects.filter(pk=version_id).values_list("model_id", flat=True).first()
        )
        if model_id is None:
            return
        AiModel.objects.filter(pk=model_id).update(nsfw_level=F("nsfw_level").bitor(levels))
        ModelVersion.objects.filter(pk=version_id).update(nsfw_level=F("nsfw_level").bitor(levels))


def add_votes(*, version_id: int, up: int = 0, down: int = 0) -> None:
    """People recommend a version, or do not, or changed their mind."""
    with transaction.atomic():
        model_id = (
            ModelVersion.objects.filter(pk=version_id).values_list("model_id", flat=True).first()
        )
        if model_id is None:
            return
        _add(AiModel, model_id, thumbs_up_count=up, thumbs_down_count=down)
        _add(ModelVersion, version_id, thumbs_up_count=up, thumbs_down_count=down)


def _add(kind: type[AiModel | ModelVersion], key: int, **changes: int) -> None:
    kind._default_manager.filter(pk=key).update(  # noqa: SLF001 - Django's public meta API
        **{name: Greatest(F(name) + change, Value(0)) for name, change in changes.items() if change}
    )
