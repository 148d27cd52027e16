"""What a commission says, checked: every rule has its own words."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atelier.bounties.rules import (
    LONGEST,
    MAX_AMOUNT_SPARKS,
    MAX_DESCRIPTION,
    MAX_IMAGES,
    MAX_TAG,
    MAX_TAGS,
    MAX_TITLE,
    MIN_AMOUNT_SPARKS,
    MIN_CONTRIBUTION_SPARKS,
    MIN_TITLE,
    Judge,
    Kind,
    Rule,
)
from atelier.core import clock
from atelier.core.errors import Invalid
from atelier.media import queries as media

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atelier.accounts.models import User
    from atelier.media.models import Media

_TAG = re.compile(r"[^\W_][\w .+-]*", re.UNICODE)
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Brief:
    """The words of a commission."""

    title: str
    description: str
    tags: list[str]

    @property
    def texts(self) -> dict[str, str]:
        """As a decision reads them."""
        return {
            "title": self.title,
            "description": self.description,
            "tags": ", ".join(self.tags),
        }


def brief(*, title: str, description: str, tags: Sequence[str]) -> Brief:
    """Checks the words; raises :class:`Invalid` that names the field and its rule."""
    shown = _SPACE.sub(" ", title).strip()
    if not MIN_TITLE <= len(shown) <= MAX_TITLE or not shown.isprintable():
        raise Invalid.field("title", f"must be {MIN_TITLE} to {MAX_TITLE} plain characters")
    words = description.strip()
    if not words:
        raise Invalid.field("description", "must say what you want made")
    if len(words) > MAX_DESCRIPTION:
        raise Invalid.field("description", f"must be at most {MAX_DESCRIPTION} characters")
    if "\0" in words:
        raise Invalid.field("description", "must be plain text")
    return Brief(title=shown, description=words, tags=_tags(tags))


def _tags(tags: Sequence[str]) -> list[str]:
    kept: list[str] = []
    for tag in tags:
        name = _SPACE.sub(" ", tag).strip().lower()
        if not name or name in kept:
            continue
        if len(name) > MAX_TAG or not _TAG.fullmatch(name):
            raise Invalid.field("tags", f"must be words of at most {MAX_TAG} characters each")
        kept.append(name)
    if len(kept) > MAX_TAGS:
        raise Invalid.field("tags", f"must be at most {MAX_TAGS}")
    return kept


def amount(sparks: int) -> int:
    """What the creator puts in."""
    return _sparks(sparks, least=MIN_AMOUNT_SPARKS, what="A bounty pays")


def contribution(sparks: int) -> int:
    """What somebody else adds."""
    return _sparks(sparks, least=MIN_CONTRIBUTION_SPARKS, what="A contribution is")


def _sparks(sparks: int, *, least: int, what: str) -> int:
    if isinstance(sparks, bool) or not isinstance(sparks, int):
        raise Invalid.field("amount", "must be a whole number of Sparks")
    if sparks < least:
        raise Invalid.field("amount", f"is too small. {what} at least {least} Sparks")
    if sparks > MAX_AMOUNT_SPARKS:
        raise Invalid.field("amount", f"must be at most {MAX_AMOUNT_SPARKS:,} Sparks")
    return sparks


def deadline(moment: dt.datetime) -> dt.datetime:
    """A moment in the future, at most 90 days away. Short ones harm nobody but the creator."""
    if moment.tzinfo is None:
        raise Invalid.field(
            "deadline", "must say its offset from UTC, as in 2030-01-31T18:00:00+01:00"
        )
    moment = moment.astimezone(dt.UTC)
    now = clock.now()
    if moment <= now:
        raise Invalid.field("deadline", "must lie in the future")
    if moment > now + LONGEST:
        raise Invalid.field("deadline", f"must be at most {LONGEST.days} days away")
    return moment


def kind(value: str) -> Kind:
    """What is commissioned."""
    if value not in Kind.values:
        raise Invalid.field("kind", f"must be one of {', '.join(Kind.values)}")
    return Kind(value)


def rule(value: str) -> Rule:
    """What happens without an award."""
    if value not in Rule.values:
        raise Invalid.field("rule", f"must be one of {', '.join(Rule.values)}")
    return Rule(value)


def judge(value: str) -> Judge:
    """Who decides over a stake."""
    if value not in Judge.values:
        raise Invalid.field("judge", f"must be one of {', '.join(Judge.values)}")
    return Judge(value)


def text(name: str, value: str, *, most: int, required: bool = False) -> str:
    """Free words of a person."""
    words = value.strip()
    if required and not words:
        raise Invalid.field(name, "must not be empty")
    if len(words) > most:
        raise Invalid.field(name, f"must be at most {most} characters")
    if "\0" in words:
        raise Invalid.field(name, "must be plain text")
    return words


def pictures(*, owner: User, ids: Sequence[str]) -> list[Media]:
    """Ready pictures of this person, in the order given, each once."""
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > MAX_IMAGES:
        raise Invalid.field("images", f"must be at most {MAX_IMAGES}")
    return media.get_ready(owner=owner, ids=wanted) if wanted else []


def rating_of(shown: Sequence[Media]) -> int:
    """The most guarded rating among pictures; PG without any."""
    return max((picture.rating for picture in shown), default=1)
