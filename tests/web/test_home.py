from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.factories import accounts as make
from tests.factories import social as things

from atelier.social import services as social

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def test_a_newcomer_sees_what_this_is_and_two_ways_in(client: Client) -> None:
    page = client.get("/").content.decode()
    assert 'href="/generate"' in page
    assert "Open a bounty" in page
    assert "No pictures yet" in page
    assert "No open bounties" in page
    assert "No models yet" in page


def test_members_see_whom_they_follow_first(client: Client) -> None:
    ada, bob = make.user("ada"), make.user("bob")
    theirs, other = things.image(bob), things.image()
    client.force_login(ada)
    page = client.get("/").content.decode()
    assert f'href="/images/{theirs.pk}"' in page
    assert f'href="/images/{other.pk}"' in page
    social.follow(follower=ada, followee=bob)
    page = client.get("/").content.decode()
    assert "From people you follow" in page
    assert f'href="/images/{theirs.pk}"' in page
    assert f'href="/images/{other.pk}"' not in page
    assert f'href="/images/{other.pk}"' in client.get("/?show=all").content.decode()


def test_pictures_of_other_ratings_stay_away(client: Client) -> None:
    image = things.image(nsfw_level=8)
    assert f'href="/images/{image.pk}"' not in client.get("/").content.decode()


def test_the_number_of_queries_does_not_grow(
    client: Client, django_assert_max_num_queries: object
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count() -> int:
        with CaptureQueriesContext(connection) as caught:
            client.get("/")
        return len(caught)

    things.image()
    first = count()
    for _ in range(10):
        things.image()
    assert count() == first
