from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from tests.factories import accounts as make
from tests.factories import ledger as sparks
from tests.factories import social as things

from atelier.accounts import services as accounts
from atelier.accounts.errors import Suspended
from atelier.core import clock, outbox
from atelier.core.errors import Forbidden, Invalid, NotFound, NotOwner, RateLimited
from atelier.core.models import OutboxEvent
from atelier.gallery.models import Image, Post
from atelier.ledger import queries as books
from atelier.ledger.errors import InsufficientSparks
from atelier.likeness import services as likeness
from atelier.likeness.errors import Refused
from atelier.likeness.refs import Ref
from atelier.social import queries, rewards
from atelier.social import services as social
from atelier.social.errors import AlreadyClaimed
from atelier.social.models import Comment, Follow, Reaction, Tip

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def earned(user: Any) -> int:
    wallet = books.wallet(user_id=user.pk)
    assert wallet.available == wallet.earned
    return wallet.earned


def topics() -> list[str]:
    return list(OutboxEvent.objects.order_by("id").values_list("topic", flat=True))


def suspended(name: str = "eve") -> Any:
    return accounts.suspend(user=make.user(name), actor=make.staff("chief"), reason="Spam")


def test_joining_brings_welcome_sparks_once() -> None:
    ada = make.user("ada")
    first = social.join(user=ada)
    assert (first.amount, first.reason) == (100, "Welcome to Atelier")
    assert social.join(user=ada) == first
    assert earned(ada) == 100


def test_daily_sparks_come_once_a_day_and_only_for_the_asking() -> None:
    ada = make.user("ada")
    with clock.frozen(NOON):
        assert queries.may_claim_daily(user=ada) is True
        assert earned(ada) == 0
        assert social.claim_daily(user=ada).amount == 25
        assert queries.may_claim_daily(user=ada) is False
        with pytest.raises(AlreadyClaimed):
            social.claim_daily(user=ada)
        assert earned(ada) == 25
    with clock.frozen(NOON + DAY):
        social.claim_daily(user=ada)
    assert earned(ada) == 50


def test_following_is_thanked_three_times_a_day_and_once_a_person() -> None:
    ada = make.user("ada")
    others = [make.user(f"other_{letter}") for letter in "abcde"]
    with clock.frozen(NOON):
        for other in others[:4]:
            social.follow(follower=ada, followee=other)
        assert earned(ada) == 30
        social.unfollow(follower=ada, followee=others[0])
        social.follow(follower=ada, followee=others[0])
        social.follow(follower=ada, followee=others[0])
        assert earned(ada) == 30
    with clock.frozen(NOON + DAY):
        social.unfollow(follower=ada, followee=others[0])
        social.follow(follower=ada, followee=others[0])
        assert earned(ada) == 30
        social.follow(follower=ada, followee=others[4])
        assert earned(ada) == 40
        # The one that came too late to be thanked for is thanked for when it is made again.
        social.unfollow(follower=ada, followee=others[3])
        social.follow(follower=ada, followee=others[3])
    assert earned(ada) == 50
    assert queries.follow_counts(ada) == (0, 5)
    assert [earned(other) for other in others] == [0] * 5
    assert topics() == ["social.followed"] * 5


def test_following_ends() -> None:
    ada, bob = make.user("ada"), make.user("bob")
    social.follow(follower=ada, followee=bob)
    assert queries.is_following(follower=ada, followee=bob) is True
    social.unfollow(follower=ada, followee=bob)
    social.unfollow(follower=ada, followee=bob)
    assert queries.is_following(follower=ada, followee=bob) is False
    assert queries.following(user=ada).items == []
    assert Follow.objects.count() == 1


def test_nobody_follows_themselves_or_while_suspended() -> None:
    ada = make.user("ada")
    with pytest.raises(Invalid):
        social.follow(follower=ada, followee=ada)
    with pytest.raises(Suspended):
        social.follow(follower=suspended(), followee=ada)
    assert Follow.objects.count() == 0


def test_the_first_post_of_a_day_is_thanked_for_once_however_often_it_is_told() -> None:
    ada = make.user("ada")
    with clock.frozen(NOON):
        first, second = things.post(ada), things.post(ada)
        for _ in range(2):
            rewards.reward_post({"post_id": first.pk})
            rewards.reward_post({"post_id": second.pk})
        assert earned(ada) == 25
    with clock.frozen(NOON + DAY):
        rewards.reward_post({"post_id": second.pk})  # late news of yesterday
        assert earned(ada) == 25
        rewards.reward_post({"post_id": things.post(ada).pk})
    assert earned(ada) == 50


def test_hidden_posts_and_showcases_are_not_thanked_for() -> None:
    ada = make.user("ada")
    rewards.reward_post({"post_id": things.post(ada, status="hidden").pk})
    rewards.reward_post({"post_id": things.post(ada).pk, "showcase": True})
    rewards.reward_post({"post_id": 10**9})
    assert earned(ada) == 0


def test_news_of_a_post_reaches_the_reward() -> None:
    ada = make.user("ada")
    outbox.publish(
        "gallery.post_published",
        {"post_id": things.post(ada).pk, "owner_id": ada.pk, "image_ids": []},
    )
    outbox.deliver()
    assert earned(ada) == 25


def test_a_reaction_counts_once_and_can_be_taken_back() -> None:
    ada, image = make.user("ada"), things.image()

    def react(kind: str) -> tuple[Reaction, bool]:
        return social.react(user=ada, target_kind="image", target_id=image.pk, kind=kind)

    like, created = react("Like")
    assert created is True
    assert react("Like") == (like, False)
    react("Heart")
    image.refresh_from_db()
    assert (image.like_count, image.heart_count, image.reaction_count) == (1, 1, 2)
    assert queries.own_reactions(user=ada, target_kind="image", target_ids=[image.pk]) == {
        str(image.pk): {
            "Like": like.id,
            "Heart": Reaction.objects.get(kind="Heart").id,
        }
    }
    with pytest.raises(NotFound):
        social.unreact(user=make.user("bob"), reaction_id=like.id)
    social.unreact(user=ada, reaction_id=like.id)
    with pytest.raises(NotFound):
        social.unreact(user=ada, reaction_id=like.id)
    image.refresh_from_db()
    assert (image.like_count, image.heart_count) == (0, 1)
    assert queries.reaction_counts(target_kind="image", target_ids=[image.pk]) == {
        str(image.pk): {"Heart": 1}
    }


@pytest.mark.parametrize(
    ("kind", "target", "error"),
    [
        ("Love", None, Invalid),
        ("Like", ("bicycle", "1"), Invalid),
        ("Like", ("image", "0"), NotFound),
        ("Like", ("image", "x"), NotFound),
        ("Like", ("image", str(2**31)), NotFound),
        ("Like", ("comment", "cmt_none"), NotFound),
    ],
)
def test_reactions_that_make_no_sense(
    kind: str, target: tuple[str, str] | None, error: type[Exception]
) -> None:
    where = target or ("image", str(things.image().pk))
    with pytest.raises(error):
        social.react(user=make.user("ada"), target_kind=where[0], target_id=where[1], kind=kind)
    assert Reaction.objects.count() == 0


def test_what_is_hidden_or_blocked_takes_no_reaction_and_no_comment() -> None:
    ada = make.user("ada")
    hidden = things.image(status="hidden")
    blocked = things.image()
    likeness.block(ref=Ref("image", blocked.pk), reason="Consent was withdrawn")
    for image in (hidden, blocked):
        with pytest.raises(NotFound):
            social.react(user=ada, target_kind="image", target_id=image.pk, kind="Like")
        with pytest.raises(NotFound):
            things.comment(ada, image)
        with pytest.raises(NotFound):
            queries.comments(target_kind="image", target_id=image.pk, viewer=ada)
    assert (Reaction.objects.count(), Comment.objects.count()) == (0, 0)


def test_a_suspended_account_says_and_gives_nothing() -> None:
    eve, bob, image = suspended(), make.user("bob"), things.image()
    sparks.earned(eve.pk, 100)
    for action in (
        lambda: social.react(user=eve, target_kind="image", target_id=image.pk, kind="Like"),
        lambda: things.comment(eve, image),
        lambda: social.claim_daily(user=eve),
        lambda: social.tip(payer=eve, payee=bob, amount=5),
        lambda: social.update_profile(user=eve, bio="Hello"),
    ):
        with pytest.raises(Suspended):
            action()
    assert (Reaction.objects.count(), Comment.objects.count(), Tip.objects.count()) == (0, 0, 0)
    assert earned(eve) == 100


def test_a_comment_is_shown_safely_and_counted() -> None:
    ada, image = make.user("ada"), things.image()
    written = things.comment(ada, image, "  **Fine** <script>alert(1)</script> fox  ")
    assert written.body == "**Fine** <script>alert(1)</script> fox"
    assert written.body_html == (
        "<p><strong>Fine</strong> &lt;script&gt;alert(1)&lt;/script&gt; fox</p>\n"
    )
    assert written.decision_id
    image.refresh_from_db()
    assert image.comment_count == 1
    page = queries.comments(target_kind="image", target_id=image.pk, viewer=None)
    assert [found.id for found in page.items] == [written.id]
    event = OutboxEvent.objects.get(topic="social.commented")
    assert event.payload == {
        "comment_id": written.id,
        "author_id": ada.pk,
        "target_kind": "image",
        "target_id": str(image.pk),
        "owner_id": image.owner_id,
        "parent_author_id": None,
    }


def test_answers_stand_one_level_deep() -> None:
    ada, bob, image = make.user("ada"), make.user("bob"), things.image()
    first = things.comment(ada, image, "One")
    answer = things.comment(bob, image, "Two", parent_id=first.id)
    deeper = things.comment(ada, image, "Three", parent_id=answer.id)
    assert (answer.parent_id, deeper.parent_id) == (first.id, first.id)
    with pytest.raises(NotFound):
        things.comment(ada, things.image(), "Four", parent_id=first.id)


@pytest.mark.parametrize("body", ["", "   ", "x" * 2001, "nul\0"])
def test_a_comment_says_something_of_bearable_length(body: str) -> None:
    image = things.image()
    with pytest.raises(Invalid):
        things.comment(make.user("ada"), image, body)
    image.refresh_from_db()
    assert (Comment.objects.count(), image.comment_count) == (0, 0)


@pytest.mark.parametrize(
    "body",
    [
        "I want a lora of my ex, see https://www.instagram.com/jane.private.person",
        "make a nude of my coworker",
    ],
)
def test_words_about_real_people_are_refused(body: str) -> None:
    image = things.image()
    with pytest.raises(Refused):
        things.comment(make.user("ada"), image, body)
    image.refresh_from_db()
    assert (Comment.objects.count(), image.comment_count) == (0, 0)
    assert topics() == []


def test_comments_come_at_a_human_pace() -> None:
    ada, image = make.user("ada"), things.image()
    with clock.frozen(NOON):
        for number in range(6):
            things.comment(ada, image, f"Comment {number}")
        with pytest.raises(RateLimited):
            things.comment(ada, image, "One more")
    assert Comment.objects.count() == 6


def test_only_its_author_deletes_a_comment_and_staff_hides_it() -> None:
    ada, bob, chief, image = make.user("ada"), make.user("bob"), make.staff("chief"), things.image()
    written = things.comment(ada, image)
    with pytest.raises(NotOwner):
        social.delete_comment(user=bob, comment_id=written.id)
    with pytest.raises(Forbidden):
        social.hide_comment(comment_id=written.id, actor=bob)

    def state() -> tuple[str, int]:
        written.refresh_from_db()
        return written.status, Image.objects.get(pk=image.pk).comment_count

    assert state() == ("shown", 1)
    for _ in range(2):
        social.hide_comment(comment_id=written.id, actor=chief)
        assert state() == ("hidden", 0)
    with pytest.raises(NotFound):
        social.delete_comment(user=ada, comment_id=written.id)
    social.unhide_comment(comment_id=written.id, actor=chief)
    assert state() == ("shown", 1)
    for _ in range(2):
        social.delete_comment(user=ada, comment_id=written.id)
        assert state() == ("deleted", 0)
    social.unhide_comment(comment_id=written.id, actor=chief)
    assert state() == ("deleted", 0)
    with pytest.raises(NotFound):
        queries.comment(comment_id=written.id, viewer=ada)


def test_a_tip_moves_sparks_once_per_key() -> None:
    ada, bob = make.user("ada"), make.user("bob")
    sparks.bought(ada.pk, 50)
    given = social.tip(payer=ada, payee=bob, amount=20, key="click")
    assert social.tip(payer=ada, payee=bob, amount=20, key="click") == given
    assert books.wallet(user_id=ada.pk).bought == 30
    assert books.wallet(user_id=bob.pk).income == 20
    assert topics() == ["social.tipped"]
    social.tip(payer=ada, payee=bob, amount=20, key="another click")
    assert books.wallet(user_id=bob.pk).income == 40
    with pytest.raises(InsufficientSparks):
        social.tip(payer=ada, payee=bob, amount=20, key="a third")
    assert Tip.objects.count() == 2


def test_a_tip_for_a_thing_goes_to_whose_it_is() -> None:
    ada, bob = make.user("ada"), make.user("bob")
    image = things.image(bob)
    sparks.bought(ada.pk, 50)
    given = social.tip(payer=ada, payee=bob, amount=5, target_kind="image", target_id=str(image.pk))
    assert (given.target_kind, given.target_id) == ("image", str(image.pk))
    with pytest.raises(Invalid):
        social.tip(
            payer=ada,
            payee=make.user("eve"),
            amount=5,
            target_kind="image",
            target_id=str(image.pk),
        )
    for wrong in (0, -5):
        with pytest.raises(Invalid):
            social.tip(payer=ada, payee=bob, amount=wrong)
    with pytest.raises(Invalid):
        social.tip(payer=ada, payee=ada, amount=5)
    assert books.wallet(user_id=ada.pk).available == 45
    assert Tip.objects.count() == 1


def test_profile_words_are_judged_before_they_are_shown() -> None:
    ada = make.user("ada")
    social.update_profile(user=ada, display_name="Ada", bio="I draw foxes.", browsing_level=7)
    with pytest.raises(Refused):
        social.update_profile(
            user=ada, bio="nudes of my ex girlfriend: https://www.instagram.com/jane.private"
        )
    ada.refresh_from_db()
    assert (ada.display_name, ada.bio, ada.browsing_level) == ("Ada", "I draw foxes.", 7)


def test_the_feed_shows_whom_one_follows_in_the_ratings_one_chose() -> None:
    ada, bob, eve = make.user("ada"), make.user("bob"), make.user("eve")
    shown = things.image(bob)
    things.image(bob, nsfw_level=8)
    things.image(bob, status="hidden")
    things.image(eve)
    social.follow(follower=ada, followee=bob)
    assert [image.pk for image in queries.followed_pictures(user=ada).items] == [shown.pk]
    assert Post.objects.count() == 4
