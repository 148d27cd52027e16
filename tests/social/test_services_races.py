"""Real threads on real connections: clicks that arrive together."""

from __future__ import annotations

import pytest
from tests.factories import accounts as make
from tests.factories import social as things
from tests.ledger.test_services_races import together

from atelier.gallery.models import Image
from atelier.ledger import queries as books
from atelier.social import services as social
from atelier.social.models import Follow

pytestmark = pytest.mark.django_db(transaction=True)


def test_ten_follows_at_once_are_thanked_for_three_times() -> None:
    ada = make.user("ada")
    others = [make.user(f"other_{number}") for number in range(10)]
    results = together(
        lambda number: social.follow(follower=ada, followee=others[number]), threads=10
    )
    assert not [result for result in results if isinstance(result, Exception)]
    assert Follow.objects.count() == 10
    assert books.wallet(user_id=ada.pk).earned == 30


def test_a_double_click_claims_once() -> None:
    ada = make.user("ada")
    together(lambda number: social.claim_daily(user=ada), threads=8)
    assert books.wallet(user_id=ada.pk).earned == 25


def test_one_like_from_many_clicks_and_many_likes_from_many_people() -> None:
    ada, image = make.user("ada"), things.image()
    people = [make.user(f"fan_{number}") for number in range(8)]

    def like(number: int) -> object:
        return social.react(
            user=ada if number < 8 else people[number - 8],
            target_kind="image",
            target_id=image.pk,
            kind="Like",
        )

    results = together(like, threads=16)
    assert not [result for result in results if isinstance(result, Exception)]
    assert Image.objects.get(pk=image.pk).like_count == 9
