"""Reading the gallery: levels, order, pages, and what made a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.factories import accounts, catalog, gallery

from atelier.core.errors import Invalid
from atelier.gallery import queries

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db


def test_pages_follow_each_other_without_gap_or_repeat() -> None:
    images = [gallery.image() for _ in range(5)]
    found: list[int] = []
    after = None
    while True:
        page = queries.feed(levels=1, after=after, limit=2)
        found += [image.pk for image in page.items]
        after = page.next
        if after is None:
            break
    assert found == [image.pk for image in reversed(images)]


def test_a_page_is_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(3):
        gallery.image()
    with django_assert_num_queries(1):
        page = queries.feed(levels=1)
        assert [image.owner.username and image.media.width for image in page.items] == [640] * 3


def test_levels_that_the_viewer_does_not_want_are_left_out() -> None:
    safe, mature = gallery.image(rating=2), gallery.image(rating=8)
    assert queries.feed(levels=3).items == [safe]
    assert queries.feed(levels=31).items == [mature, safe]
    assert queries.levels_of(None) == 3


def test_the_gallery_of_a_model() -> None:
    version = catalog.published()
    gallery.image()
    shown = gallery.post(version.model.owner, version=version).images.get()
    assert queries.feed(levels=1, model_id=version.model_id).items == [shown]
    assert queries.feed(levels=1, version_id=version.pk).items == [shown]
    assert queries.feed(levels=1, owner_id=version.model.owner_id).items == [shown]
    assert queries.feed(levels=1, version_id=version.pk + 1).items == []


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(Invalid):
        queries.feed(levels=1, sort="random")


def test_neighbours_in_the_feed() -> None:
    first, second, third = (gallery.image() for _ in range(3))
    assert queries.neighbours(second, levels=1) == (third.pk, first.pk)
    assert queries.neighbours(third, levels=1) == (None, second.pk)


def test_versions_that_are_not_public_are_named_without_a_link() -> None:
    version = catalog.trained()
    owner = version.model.owner
    image = gallery.post(owner, version=version).images.get()
    seen = queries.facts_of(image, viewer=accounts.user()).resources
    assert [(used.name, used.version_id) for used in seen] == [("A model that is not public", None)]
    own = queries.facts_of(image, viewer=owner).resources
    assert [used.version_id for used in own] == [version.pk]


def test_names_from_elsewhere_are_shown_as_names() -> None:
    owner = accounts.user()
    media = gallery.picture(
        owner, origin=gallery.origin(resources=[{"name": "elsewhere", "type": "LORA"}, 5])
    )
    image = gallery.post(owner, [media]).images.get()
    facts = queries.facts_of(image, viewer=None)
    assert [(used.name, used.type, used.version_id) for used in facts.resources] == [
        ("elsewhere", "LORA", None)
    ]
    assert facts.settings["seed"] == 7
