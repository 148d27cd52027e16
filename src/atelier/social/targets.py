"""What people can react to, comment on and tip for.

Each kind has a finder that answers only for what the viewer may see, so that a reaction tells
nobody about a draft. Domains beside this one are registered by a layer above both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atelier.catalog import queries as catalog
from atelier.core.errors import Invalid, NotFound
from atelier.gallery import queries as gallery
from atelier.gallery import services as counting
from atelier.social.models import Comment, CommentStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from atelier.accounts.models import User

    Finder = Callable[[str, User | None], int]

MAX_INT = 2**31 - 1
_finders: dict[str, Finder] = {}


@dataclass(frozen=True, slots=True)
class Target:
    """A thing that the viewer may see, and whose it is."""

    kind: str
    id: str
    owner_id: int


def register(kind: str, finder: Finder) -> None:
    """Have things of ``kind`` found by ``finder``, which answers the owner's number or raises
    :class:`NotFound`.
    """
    _finders[kind] = finder


def kinds() -> list[str]:
    """The kinds that are known, for messages."""
    return sorted(_finders)


def find(*, kind: str, target_id: str | int, viewer: User | None) -> Target:
    """The thing; raises :class:`NotFound` for what does not exist or is not the viewer's to see."""
    finder = _finders.get(kind)
    if finder is None:
        raise Invalid.field("target_kind", f"must be one of {', '.join(kinds())}")
    text = str(target_id)
    return Target(kind, text, finder(text, viewer))


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_INT:
        raise NotFound("There is nothing here.")
    return int(text)


def _image(text: str, viewer: User | None) -> int:
    return gallery.image_for(image_id=_number(text), viewer=viewer).owner_id


def _post(text: str, viewer: User | None) -> int:
    return gallery.post_for(post_id=_number(text), viewer=viewer)[0].owner_id


def _model(text: str, viewer: User | None) -> int:
    return catalog.model_for(model_id=_number(text), viewer=viewer).owner_id


def _comment(text: str, viewer: User | None) -> int:
    comment = Comment.objects.filter(pk=text, status=CommentStatus.SHOWN).first()
    if comment is None:
        raise NotFound("There is no such comment.")
    # A comment is as visible as what it stands under.
    find(kind=comment.target_kind, target_id=comment.target_id, viewer=viewer)
    return comment.author_id


def count_reaction(target: Target, kind: str, step: int) -> None:
    """Rolls a reaction up into the picture's own counters."""
    if target.kind == "image":
        counting.add_reactions(by_image={int(target.id): {kind.lower(): step}})


def count_comment(kind: str, target_id: str, step: int) -> None:
    """Rolls a comment up into the counter of what it stands under."""
    if kind == "image":
        counting.add_comments(image_id=int(target_id), count=step)
    elif kind == "post":
        counting.add_comments(post_id=int(target_id), count=step)


def register_own() -> None:
    """The kinds of the layers below."""
    register("image", _image)
    register("post", _post)
    register("model", _model)
    register("comment", _comment)
