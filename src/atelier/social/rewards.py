"""What the site thanks people for. Each thanks has a key with its day in UTC, so it comes once
however often and from wherever it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atelier.accounts import services as accounts
from atelier.core import clock
from atelier.gallery.models import Post
from atelier.ledger import queries as books
from atelier.ledger import services as ledger
from atelier.social.errors import AlreadyClaimed

if TYPE_CHECKING:
    from atelier.accounts.models import User
    from atelier.ledger.records import TransferView
    from atelier.social.models import Follow

WELCOME = 100
DAILY = 25
POST = 25
FOLLOW = 10
FOLLOWS_A_DAY = 3


def daily_key(user_id: int) -> str:
    """The name of today's daily Sparks of one person."""
    return f"daily:{user_id}:{clock.today()}"


def welcome(*, user_id: int) -> TransferView:
    """The first transfer of an account."""
    return ledger.reward(
        user_id=user_id,
        amount=WELCOME,
        reason="Welcome to Atelier",
        business_key=f"welcome:{user_id}",
    )


def claim_daily(*, user: User) -> TransferView:
    """Today's Sparks, for the asking; raises :class:`AlreadyClaimed` the second time."""
    accounts.require_active(user)
    key = daily_key(user.pk)
    if books.happened_at(business_key=key):
        raise AlreadyClaimed("You have claimed today's Sparks. The next ones come at 00:00 UTC.")
    return ledger.reward(user_id=user.pk, amount=DAILY, reason="Daily Sparks", business_key=key)


def thank_for_follow(follow: Follow) -> bool:
    """Thanks for following, three times a day and once a person. The caller has locked the
    follower's account, which makes the count true.
    """
    if follow.rewarded_at is not None:
        return False
    prefix = f"follow:{follow.follower_id}:{clock.today()}:"
    count = books.rewarded_on(user_id=follow.follower_id, prefix=prefix)
    if count >= FOLLOWS_A_DAY:
        return False
    ledger.reward(
        user_id=follow.follower_id,
        amount=FOLLOW,
        reason=f"For following {follow.followee.username}",
        business_key=f"{prefix}{count + 1}",
        subject=ledger.Subject("user", follow.followee.username),
    )
    follow.rewarded_at = clock.now()
    follow.save(update_fields=["rewarded_at"])
    return True


def reward_post(payload: dict[str, Any]) -> None:
    """Thanks for the day's first post; told by the outbox, perhaps more than once.

    The day is the post's own, so late news is no second thanks. Samples that the site itself shows
    with a model are nobody's post of the day.
    """
    if payload.get("showcase"):
        return
    post = Post.objects.filter(pk=payload["post_id"], status="published").first()
    if post is None:
        return
    day = post.published_at.date()
    key = f"post:{post.owner_id}:{day}"
    if books.happened_at(business_key=key):
        return
    ledger.reward(
        user_id=post.owner_id,
        amount=POST,
        reason="First post of the day",
        business_key=key,
        subject=ledger.Subject("post", str(post.pk)),
    )
