"""Pictures that come with a form, for forms that work without a script.

A picture that was received stays on the form as a kept one, so nothing is sent twice when another
field needs a second look.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, cast

from atelier.media import services as media
from atelier.media.errors import MediaRefused
from atelier.media.models import Media, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest

    from atelier.accounts.models import User

KEPT = "images"
NEW = "files"


@dataclass(slots=True)
class Attachments:
    """What a form brought: pictures that are ready, and what was refused and why."""

    pictures: list[Media] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """The pictures by id."""
        return [picture.id for picture in self.pictures]


def shown(ids: Iterable[str], *, owner: User) -> list[Media]:
    """Ready pictures of one's own, in the order named; others are left out."""
    wanted = list(ids)
    rows = Media.objects.filter(owner=owner, status=Status.READY).in_bulk(wanted)
    return [rows[one] for one in dict.fromkeys(wanted) if one in rows]


def take(request: HttpRequest, *, owner: User, most: int) -> Attachments:
    """The kept pictures of a form, and the new ones, each checked at once."""
    got = Attachments(pictures=shown(request.POST.getlist(KEPT)[:most], owner=owner))
    for sent in request.FILES.getlist(NEW):
        name = sent.name or "picture"
        if len(got.pictures) >= most:
            got.problems.append(f"{name}: at most {most} pictures")
            continue
        try:
            made = media.receive_now(owner=owner, stream=cast("BinaryIO", sent), filename=name)
        except MediaRefused as refusal:
            got.problems.append(f"{name}: {refusal.detail}")
            continue
        if made.status == Status.READY:
            got.pictures.append(made)
        else:
            got.problems.append(f"{name}: {made.refusal_detail}")
    return got
