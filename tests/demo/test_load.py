"""The demo community as a first visitor finds it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from tests.factories.weights import safetensors

from atelier.accounts.models import User
from atelier.bounties.models import Bounty
from atelier.catalog import services as catalog
from atelier.catalog.models import AiModel, ModelFile, ModelVersion
from atelier.core import outbox
from atelier.core.errors import Forbidden
from atelier.demo import load, plan
from atelier.gallery.models import Image
from atelier.ledger import queries as ledger
from atelier.media.models import Media
from atelier.social.models import Comment, Follow

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.django_db


def _counts() -> dict[str, int]:
    kinds = (User, AiModel, ModelVersion, ModelFile, Image, Media, Bounty, Comment, Follow)
    return {kind.__name__: kind.objects.count() for kind in kinds}


def test_a_first_run_shows_a_living_community(tmp_path: Path) -> None:
    base = tmp_path / "base.safetensors"
    base.write_bytes(safetensors())
    catalog.ensure_base_model(path=base)

    load.ensure()
    outbox.deliver()

    assert User.objects.filter(is_demo=True).count() == len(plan.PEOPLE) >= 12
    published = AiModel.objects.filter(status="published")
    assert published.count() >= 25
    for model in published.exclude(owner__username="atelier"):
        assert model.tags.exists(), model
        assert model.versions.filter(status="published").count() == 1
    assert Image.objects.count() >= 150
    assert not Image.objects.filter(media__origin=None).exists()
    assert Comment.objects.count() == 30
    assert Follow.objects.count() >= 30
    states = Counter(Bounty.objects.values_list("status", flat=True))
    assert states == {
        "open": 4,
        "judging": 1,
        "awarded": 1,
        "settled": 1,
        "refunded": 1,
        "cancelled": 1,
        "disputed": 1,
    }
    assert ledger.verify().ok

    # Killed in the middle or simply started again: nothing doubles.
    before = _counts()
    load.ensure()
    outbox.deliver()
    assert _counts() == before


def test_a_site_that_others_can_reach_has_no_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atelier.config.env.Environment.on_loopback", False)
    with pytest.raises(Forbidden):
        load.ensure()
    assert User.objects.count() == 0
