"""Where bounties ask whether something may happen. Nothing here knows the rules; likeness does.

Each answer is a stored decision. A refusal is raised; "hold" means that a person looks first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atelier.bounties.errors import NeedsReview
from atelier.likeness import services as likeness
from atelier.likeness.actions import Action
from atelier.likeness.refs import Ref

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atelier.accounts.models import User
    from atelier.bounties.models import Bounty, Entry
    from atelier.catalog.models import ModelVersion
    from atelier.likeness.services import Decision
    from atelier.media.models import Media

HOLD = "hold"


def is_held(decision: Decision) -> bool:
    """Whether a person has to look before anybody else sees it."""
    return decision.outcome == HOLD


def opening(
    *, owner: User, bounty_id: str, texts: dict[str, str], pictures: Sequence[Media]
) -> Decision:
    """May this be commissioned?"""
    return likeness.decide(
        action=Action.BOUNTY_CREATE,
        actor_id=owner.pk,
        subjects=[Ref("bounty", bounty_id), *_media(pictures)],
        texts=texts,
    )


def edit(*, bounty: Bounty, texts: dict[str, str], pictures: Sequence[Media]) -> Decision:
    """May the commission be changed to this?"""
    return likeness.decide(
        action=Action.BOUNTY_EDIT,
        actor_id=bounty.owner_id,
        subjects=[Ref("bounty", bounty.id), *_media(pictures)],
        texts=texts,
    )


def contribution(*, bounty: Bounty, contributor: User) -> None:
    """May Sparks be put into this? A doubt about an open bounty is a no until it is cleared."""
    decision = likeness.decide(
        action=Action.CONTRIBUTE,
        actor_id=contributor.pk,
        subjects=[Ref("bounty", bounty.id), *_references(bounty)],
        texts=_words(bounty),
    )
    _no_hold(decision)


def entry(
    *,
    bounty: Bounty,
    entry_id: str,
    maker: User,
    description: str,
    version: ModelVersion | None,
    pictures: Sequence[Media],
) -> Decision:
    """May this be submitted?"""
    subjects = [Ref("bounty", bounty.id), Ref("entry", entry_id), *_media(pictures)]
    if version is not None:
        subjects.append(Ref("version", version.pk))
    return likeness.decide(
        action=Action.ENTRY_CREATE,
        actor_id=maker.pk,
        subjects=subjects,
        texts={"description": description},
    )


def award(*, bounty: Bounty, entry: Entry, actor: User | None) -> None:
    """May this entry win, and may its maker be paid? Asked again now, whatever was said before."""
    actor_id = actor.pk if actor else bounty.owner_id
    subjects = [
        Ref("bounty", bounty.id),
        Ref("entry", entry.id),
        *_references(bounty),
        *(Ref("media", row.media_id) for row in entry.picture_rows.all()),
    ]
    if entry.version_id is not None:
        subjects.append(Ref("version", entry.version_id))
    texts = _words(bounty)
    if entry.reviewed_at is None:
        texts["entry"] = entry.description
    for action in (Action.AWARD, Action.PAYOUT):
        _no_hold(likeness.decide(action=action, actor_id=actor_id, subjects=subjects, texts=texts))


def _words(bounty: Bounty) -> dict[str, str]:
    """What is asked for; not again what staff read and cleared."""
    if bounty.reviewed_at is not None:
        return {}
    return {"title": bounty.title, "description": bounty.description}


def _no_hold(decision: Decision) -> None:
    if is_held(decision):
        raise NeedsReview(
            "Staff have to look at this first. Nothing was changed and no Sparks moved."
        )


def _media(pictures: Sequence[Media]) -> list[Ref]:
    return [Ref("media", picture.id) for picture in pictures]


def _references(bounty: Bounty) -> list[Ref]:
    return [Ref("media", row.media_id) for row in bounty.reference_rows.all()]
