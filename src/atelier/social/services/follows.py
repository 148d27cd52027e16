"""Following people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atelier.accounts import services as accounts
from atelier.accounts.models import User
from atelier.core import clock, db, outbox
from atelier.core.errors import Invalid, NotFound
from atelier.social import rewards
from atelier.social.models import Follow

if TYPE_CHECKING:
    from django.db.models import QuerySet


def follow(*, follower: User, followee: User) -> Follow:
    """Starts following somebody; twice is once."""
    accounts.require_active(follower)
    if follower.pk == followee.pk:
        raise Invalid.field("user", "must be somebody else")
    if not followee.is_active:
        raise NotFound("There is no such person.")
    with db.locking():
        # One follow of a person at a time: the daily cap counts under this lock.
        User.objects.select_for_update(of=("self",), no_key=True).get(pk=follower.pk)
        found, created = Follow.objects.select_related("followee").get_or_create(
            follower=follower, followee=followee
        )
        if not created and found.ended_at is None:
            return found
        if not created:
            found.ended_at = None
            found.created_at = clock.now()
            found.save(update_fields=["ended_at", "created_at"])
        rewards.thank_for_follow(found)
        if created:
            outbox.publish(
                "social.followed", {"follower_id": follower.pk, "followee_id": followee.pk}
            )
    return found


def unfollow(*, follower: User, followee: User) -> None:
    """Stops following; what was given stays given."""
    accounts.require_active(follower)
    _live(follower, followee).update(ended_at=clock.now())


def _live(follower: User, followee: User) -> QuerySet[Follow]:
    return Follow.objects.filter(follower=follower, followee=followee, ended_at=None)
