"""Reading what people said and whom they follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count

from atelier.catalog import queries as catalog
from atelier.catalog.vocabulary import Rating
from atelier.core.errors import NotFound
from atelier.core.pagination import Page, paginate
from atelier.gallery import queries as gallery
from atelier.ledger import queries as books
from atelier.social import rewards, targets
from atelier.social.models import Comment, CommentStatus, Follow, Reaction, Tip

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet

    from atelier.accounts.models import User
    from atelier.catalog.models import AiModel
    from atelier.gallery.models import Image


def is_following(*, follower: User | None, followee: User) -> bool:
    """Whether somebody follows somebody now."""
    if follower is None or not follower.is_authenticated:
        return False
    return Follow.objects.filter(follower=follower, followee=followee, ended_at=None).exists()


def followed_ids(user: User) -> QuerySet[Follow, int]:
    """The numbers of those whom a person follows, as a subquery."""
    return Follow.objects.filter(follower=user, ended_at=None).values_list("followee_id", flat=True)


def models_of(person: User) -> QuerySet[AiModel]:
    """The models that a person shares, newest first."""
    return catalog.published_models().filter(owner=person).order_by("-id")


def followed_pictures(
    *, user: User, after: str | None = None, limit: int | None = None
) -> Page[Image]:
    """The newest pictures of those whom a person follows, in the ratings that they want to see."""
    levels = gallery.levels_of(user)
    ratings = [rating for rating in Rating.values if rating & levels]
    rows = (
        gallery.public_images()
        .filter(owner_id__in=followed_ids(user), nsfw_level__in=ratings)
        .select_related("media", "owner")
    )
    return paginate(rows, order=("-id",), after=after, limit=limit)


def following(*, user: User, after: str | None = None, limit: int | None = None) -> Page[Follow]:
    """Whom a person follows, newest first."""
    rows = Follow.objects.filter(follower=user, ended_at=None).select_related(
        "follower", "followee"
    )
    return paginate(rows, order=("-id",), after=after, limit=limit)


def follow_of(*, user: User, follow_id: str) -> Follow:
    """One of a person's own live follows."""
    found = (
        Follow.objects.filter(pk=follow_id, follower=user, ended_at=None)
        .select_related("follower", "followee")
        .first()
    )
    if found is None:
        raise NotFound("You follow nobody by that id.")
    return found


def follow_counts(user: User) -> tuple[int, int]:
    """How many follow a person, and how many they follow."""
    return (
        Follow.objects.filter(followee=user, ended_at=None).count(),
        Follow.objects.filter(follower=user, ended_at=None).count(),
    )


def reactions_of(
    *,
    user: User,
    target_kind: str = "",
    target_id: str = "",
    after: str | None = None,
    limit: int | None = None,
) -> Page[Reaction]:
    """A person's own reactions, newest first, perhaps to one thing only."""
    rows = Reaction.objects.filter(user=user)
    if target_kind:
        rows = rows.filter(target_kind=target_kind)
    if target_id:
        rows = rows.filter(target_id=target_id)
    return paginate(rows, order=("-id",), after=after, limit=limit)


def reaction_of(*, user: User, reaction_id: str) -> Reaction:
    """One of a person's own reactions."""
    found = Reaction.objects.filter(pk=reaction_id, user=user).first()
    if found is None:
        raise NotFound("You have no such reaction.")
    return found


def reaction_counts(
    *, target_kind: str, target_ids: Iterable[str | int]
) -> dict[str, dict[str, int]]:
    """How many of each reaction things of one kind got, by id."""
    rows = (
        Reaction.objects.filter(
            target_kind=target_kind, target_id__in=[str(target_id) for target_id in target_ids]
        )
        .values_list("target_id", "kind")
        .annotate(count=Count("pk"))
    )
    counts: dict[str, dict[str, int]] = {}
    for target_id, kind, count in rows:
        counts.setdefault(target_id, {})[kind] = count
    return counts


def own_reactions(
    *, user: User | None, target_kind: str, target_ids: Sequence[str | int]
) -> dict[str, dict[str, str]]:
    """A viewer's reactions to things of one kind: by thing, the reaction's id by its kind."""
    if user is None or not user.is_authenticated:
        return {}
    found: dict[str, dict[str, str]] = {}
    rows = Reaction.objects.filter(
        user=user, target_kind=target_kind, target_id__in=[str(each) for each in target_ids]
    )
    for reaction in rows:
        found.setdefault(reaction.target_id, {})[reaction.kind] = reaction.id
    return found


def comments(
    *,
    target_kind: str,
    target_id: str | int,
    viewer: User | None,
    after: str | None = None,
    limit: int | None = None,
) -> Page[Comment]:
    """What was said about a thing that the viewer may see, oldest first."""
    target = targets.find(kind=target_kind, target_id=target_id, viewer=viewer)
    rows = Comment.objects.filter(
        target_kind=target.kind, target_id=target.id, status=CommentStatus.SHOWN
    ).select_related("author")
    return paginate(rows, order=("id",), after=after, limit=limit)


def comment(*, comment_id: str, viewer: User | None) -> Comment:
    """One comment, if the viewer may see what it stands under."""
    found = (
        Comment.objects.filter(pk=comment_id, status=CommentStatus.SHOWN)
        .select_related("author")
        .first()
    )
    if found is None:
        raise NotFound("There is no such comment.")
    targets.find(kind=found.target_kind, target_id=found.target_id, viewer=viewer)
    return found


def tips_given(*, user: User, after: str | None = None, limit: int | None = None) -> Page[Tip]:
    """What a person gave, newest first."""
    rows = Tip.objects.filter(payer=user).select_related("payer", "payee")
    return paginate(rows, order=("-id",), after=after, limit=limit)


def tip_of(*, user: User, tip_id: str) -> Tip:
    """One of the tips that a person gave or got."""
    found = Tip.objects.filter(pk=tip_id).select_related("payer", "payee").first()
    if found is None or user.pk not in {found.payer_id, found.payee_id}:
        raise NotFound("There is no such tip of yours.")
    return found


def may_claim_daily(*, user: User) -> bool:
    """Whether today's Sparks still wait for this person."""
    return books.happened_at(business_key=rewards.daily_key(user.pk)) is None
