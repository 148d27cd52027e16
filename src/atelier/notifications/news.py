"""What each event of the domains below says, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atelier.accounts import queries as accounts
from atelier.core import outbox
from atelier.notifications import services
from atelier.notifications.models import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    Payload = dict[str, Any]

# Where a thing that was commented on or reacted to has its page.
_PLACES = {
    "image": "/images/{}",
    "post": "/posts/{}",
    "model": "/models/{}",
    "bounty": "/bounties/{}",
}
_THINGS = {
    "image": "picture",
    "post": "post",
    "model": "model",
    "bounty": "bounty",
    "comment": "comment",
}


def _name(user_id: int | None) -> str:
    person = accounts.by_id(user_id) if user_id else None
    return person.shown_name if person else "Somebody"


def _place(payload: Payload) -> str:
    pattern = _PLACES.get(str(payload["target_kind"]))
    return pattern.format(payload["target_id"]) if pattern else ""


def _amount(payload: Payload) -> str:
    amount = payload.get("amount")
    return f"{amount:,} Sparks" if isinstance(amount, int) else "Sparks"


def _bounty(words: Callable[[Payload], str]) -> Callable[[str], Callable[[Payload], None]]:
    """A subscriber that tells all recipients of a bounty's event in the same words."""

    def for_topic(topic: str) -> Callable[[Payload], None]:
        def tell(payload: Payload) -> None:
            part = payload.get("entry_id") or payload.get("contribution_id") or ""
            for user_id in payload.get("recipients", []):
                services.notify(
                    user_id=user_id,
                    kind=Kind.BOUNTY,
                    text=words(payload),
                    link=f"/bounties/{payload['bounty_id']}",
                    actor_id=payload.get("actor_id"),
                    key=f"{topic}:{payload['bounty_id']}:{part}:{payload.get('status', '')}",
                )

        return tell

    return for_topic


_BOUNTIES: dict[str, Callable[[Payload], str]] = {
    "bounties.opened": lambda p: f"The bounty “{p['title']}” is open.",
    "bounties.contributed": lambda p: (
        f"{_name(p.get('actor_id'))} added {_amount(p)} to “{p['title']}”."
    ),
    "bounties.entered": lambda p: f"{_name(p.get('actor_id'))} entered work for “{p['title']}”.",
    "bounties.judging": lambda p: f"“{p['title']}” is being judged; decide within 48 hours.",
    "bounties.awarded": lambda p: f"“{p['title']}” was awarded: {_amount(p)} to the maker.",
    "bounties.settled": lambda p: f"“{p['title']}” is settled.",
    "bounties.refunded": lambda p: (
        f"“{p['title']}” ended without an award; the Sparks were given back."
    ),
    "bounties.cancelled": lambda p: f"“{p['title']}” was cancelled; the Sparks were given back.",
    "bounties.disputed": lambda p: f"“{p['title']}” is disputed; staff decide.",
    "bounties.held": lambda p: f"“{p['title']}” waits until a person has looked at it.",
}


def _job(noun: str, path: str) -> Callable[[Payload], None]:
    words = {
        "completed": f"Your {noun} is done.",
        "failed": f"Your {noun} failed. What it did not use was given back.",
        "refused": f"Your {noun} was refused. What it did not use was given back.",
    }

    def tell(payload: Payload) -> None:
        text = words.get(str(payload["status"]))
        if text:  # whoever cancelled knows
            services.notify(
                user_id=payload["owner_id"],
                kind=Kind.JOB,
                text=text,
                link=path.format(payload["subject_id"]),
                key=f"job:{payload['job_id']}",
            )

    return tell


def _followed(payload: Payload) -> None:
    follower = accounts.by_id(payload["follower_id"])
    if follower is not None:
        services.notify(
            user_id=payload["followee_id"],
            kind=Kind.SOCIAL,
            text=f"{follower.shown_name} follows you.",
            link=f"/u/{follower.username}",
            actor_id=follower.pk,
            key=f"follow:{follower.pk}",
        )


def _commented(payload: Payload) -> None:
    author = payload["author_id"]
    thing = _THINGS.get(str(payload["target_kind"]), "post")
    name = _name(author)
    parent = payload.get("parent_author_id")
    if parent:
        services.notify(
            user_id=parent,
            kind=Kind.SOCIAL,
            text=f"{name} answered your comment.",
            link=_place(payload),
            actor_id=author,
            key=f"comment:{payload['comment_id']}",
        )
    services.notify(
        user_id=payload["owner_id"],
        kind=Kind.SOCIAL,
        text=f"{name} commented on your {thing}.",
        link=_place(payload),
        actor_id=author,
        key=f"comment:{payload['comment_id']}",
    )


def _reacted(payload: Payload) -> None:
    thing = _THINGS.get(str(payload["target_kind"]), "post")
    # One line a person and thing, however many kinds of reaction.
    target = f"{payload['target_kind']}:{payload['target_id']}"
    services.notify(
        user_id=payload["owner_id"],
        kind=Kind.SOCIAL,
        text=f"{_name(payload['user_id'])} reacted to your {thing}.",
        link=_place(payload),
        actor_id=payload["user_id"],
        key=f"reaction:{payload['user_id']}:{target}",
    )


def _tipped(payload: Payload) -> None:
    services.notify(
        user_id=payload["payee_id"],
        kind=Kind.SPARKS,
        text=f"{_name(payload['payer_id'])} tipped you {_amount(payload)}.",
        link=f"/wallet/transfers/{payload['transfer_id']}",
        actor_id=payload["payer_id"],
        key=f"tip:{payload['tip_id']}",
    )


def _version(words: str) -> Callable[[Payload], None]:
    def tell(payload: Payload) -> None:
        services.notify(
            user_id=payload["owner_id"],
            kind=Kind.MODEL,
            text=words,
            link=f"/models/{payload['model_id']}",
            key=f"version:{payload['version_id']}:{words}",
        )

    return tell


def _decided(payload: Payload) -> None:
    services.notify(
        user_id=payload["user_id"],
        kind=Kind.DECISION,
        text=payload["text"],
        link=payload["link"],
        key=f"statement:{payload['statement_id']}",
    )


def _report_answered(payload: Payload) -> None:
    services.notify(
        user_id=payload["user_id"],
        kind=Kind.DECISION,
        text=payload["text"],
        link=f"/cases/{payload['report_id']}",
        key=f"report:{payload['report_id']}",
    )


def _appeal_answered(payload: Payload) -> None:
    services.notify(
        user_id=payload["user_id"],
        kind=Kind.DECISION,
        text=payload["text"],
        link=f"/cases/{payload['statement_id']}",
        key=f"appeal:{payload['statement_id']}",
    )


_OTHERS: dict[str, Callable[[Payload], None]] = {
    "generation.finished": _job("generation", "/generate/{}"),
    "training.finished": _job("training", "/train/{}"),
    "social.followed": _followed,
    "social.commented": _commented,
    "social.reacted": _reacted,
    "social.tipped": _tipped,
    "catalog.version_quarantined": _version(
        "Your weights wait for staff to examine them; until then nobody can use them."
    ),
    "catalog.version_cleared": _version(
        "Your weights were examined and cleared. Publish them now."
    ),
    "moderation.stated": _decided,
    "moderation.answered": _report_answered,
    "moderation.appeal_answered": _appeal_answered,
}
SUBSCRIBERS: dict[str, Callable[[Payload], None]] = {
    **{topic: _bounty(words)(topic) for topic, words in _BOUNTIES.items()},
    **_OTHERS,
}


def subscribe() -> None:
    """Listen to all of it; doing it twice does it once."""
    for topic, tell in SUBSCRIBERS.items():
        outbox.subscribe(topic, tell)
