"""Rows taken for a change: the model before its version, so that no two wait in a ring."""

from __future__ import annotations

from atelier.catalog.models import AiModel, ModelVersion
from atelier.core.errors import NotFound


def model(model_id: int) -> AiModel:
    """The model, held until the transaction ends."""
    row = AiModel.objects.select_for_update(of=("self",), no_key=True).filter(pk=model_id).first()
    if row is None:
        raise NotFound("There is no such model.")
    return row


def version(version_id: int) -> tuple[AiModel, ModelVersion]:
    """The version and its model, both held until the transaction ends."""
    model_id = ModelVersion.objects.filter(pk=version_id).values_list("model_id", flat=True).first()
    if model_id is None:
        raise NotFound("There is no such version.")
    parent = model(model_id)
    row = ModelVersion.objects.select_for_update(of=("self",), no_key=True).get(pk=version_id)
    row.model = parent
    return parent, row
