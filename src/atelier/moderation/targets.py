"""What can be reported and decided about: whose it is, how it reads, what staff can do with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from atelier.accounts.models import User
from atelier.bounties import queries as bounty_queries
from atelier.bounties.models import Bounty, Entry
from atelier.catalog.models import AiModel, ModelVersion
from atelier.core.errors import Invalid, NotFound
from atelier.gallery.models import Image, Post
from atelier.moderation.models import ActionKind
from atelier.social.models import Comment

if TYPE_CHECKING:
    from collections.abc import Callable

    from atelier.media.models import Media

MAX_INT = 2**31 - 1
MAX_PICTURES = 12
MAX_EXCERPT = 2000


@dataclass(frozen=True, slots=True)
class Target:
    """One thing as a moderator sees it."""

    kind: str
    id: str
    owner: User | None
    title: str
    path: str
    status: str
    words: str = ""
    pictures: tuple[Media, ...] = field(default_factory=tuple)
    actions: tuple[ActionKind, ...] = ()
    # The judge's decision that a thing in review waits for.
    decision_id: str = ""

    @property
    def word(self) -> str:
        """What the thing is called, in a sentence."""
        return WORDS[self.kind]


WORDS = {
    "image": "picture",
    "post": "post",
    "model": "model",
    "version": "model version",
    "comment": "comment",
    "bounty": "bounty",
    "entry": "bounty entry",
    "user": "account",
}
KINDS = tuple(WORDS)


def find(*, kind: str, target_id: str) -> Target:
    """The thing, in whatever state it is; raises :class:`NotFound`."""
    finder = _FINDERS.get(kind)
    if finder is None:
        raise Invalid.field("kind", f"must be one of {', '.join(KINDS)}")
    found = finder(target_id)
    if found is None:
        raise NotFound(f"There is no such {WORDS[kind]}.")
    return found


_PATHS = (
    (re.compile(r"^/images/(\d+)"), "image"),
    (re.compile(r"^/posts/(\d+)"), "post"),
    (re.compile(r"^/models/(\d+)"), "model"),
    (re.compile(r"^/bounties/(bty_[0-9a-z]+)"), "bounty"),
)
_PROFILE = re.compile(r"^/u/([A-Za-z0-9_]{3,30})")
_PICTURE = re.compile(r"^/media/(med_[0-9a-z]+)/")


def by_link(link: str) -> Target:
    """The thing that a link to this site leads to; raises :class:`Invalid` for any other."""
    path = urlsplit(link.strip()).path
    for pattern, kind in _PATHS:
        match = pattern.match(path)
        if match:
            return find(kind=kind, target_id=match.group(1))
    profile = _PROFILE.match(path)
    if profile:
        person = User.objects.filter(username=profile.group(1).lower()).first()
        if person is not None:
            return find(kind="user", target_id=str(person.pk))
    picture = _PICTURE.match(path)
    if picture:
        image = Image.objects.filter(media_id=picture.group(1)).order_by("pk").first()
        if image is not None:
            return find(kind="image", target_id=str(image.pk))
    raise Invalid.field(
        "link", "must be the address of a picture, post, model, bounty or profile on this site"
    )


def _number(text: str) -> int:
    """A number that a row may have; 0, which none has, for anything else."""
    if text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_INT:
        return int(text)
    return 0


def _image(text: str) -> Target | None:
    row = Image.objects.select_related("owner", "media", "post").filter(pk=_number(text)).first()
    if row is None:
        return None
    return Target(
        "image",
        str(row.pk),
        row.owner,
        row.post.title or "A picture",
        f"/images/{row.pk}",
        row.status,
        pictures=(row.media,),
        actions=_visibility(row.status),
    )


def _post(text: str) -> Target | None:
    row = Post.objects.select_related("owner").filter(pk=_number(text)).first()
    if row is None:
        return None
    images = row.images.select_related("media").order_by("position")[:MAX_PICTURES]
    return Target(
        "post",
        str(row.pk),
        row.owner,
        row.title or "A post",
        f"/posts/{row.pk}",
        row.status,
        words=row.description[:MAX_EXCERPT],
        pictures=tuple(image.media for image in images),
        actions=_visibility(row.status),
    )


def _model(text: str) -> Target | None:
    row = AiModel.objects.select_related("owner").filter(pk=_number(text)).first()
    if row is None:
        return None
    return Target(
        "model",
        str(row.pk),
        row.owner,
        row.name,
        f"/models/{row.pk}",
        row.status,
        words=row.description[:MAX_EXCERPT],
        pictures=_pictures_with(model_id=row.pk),
        actions=_visibility(row.status),
    )


def _version(text: str) -> Target | None:
    row = (
        ModelVersion.objects.select_related("model", "model__owner")
        .prefetch_related("files")
        .filter(pk=_number(text))
        .first()
    )
    if row is None:
        return None
    files = "\n".join(
        f"{file.uploaded_name} ({file.size_bytes:,} bytes, {file.detected_type or 'unknown type'})"
        for file in row.files.all()
    )
    waiting = (ActionKind.CLEAR, ActionKind.REFUSE)
    return Target(
        "version",
        str(row.pk),
        row.model.owner,
        f"{row.model.name}, {row.name}",
        f"/models/{row.model_id}",
        row.clearance,
        words=f"{row.model.description}\n\n{files}".strip()[:MAX_EXCERPT],
        actions=waiting if row.clearance == "quarantined" else (ActionKind.REFUSE,),
    )


def _comment(text: str) -> Target | None:
    row = Comment.objects.select_related("author").filter(pk=text).first()
    if row is None:
        return None
    places = {"image": "/images/{}", "post": "/posts/{}", "model": "/models/{}"}
    pattern = places.get(row.target_kind, "/bounties/{}")
    return Target(
        "comment",
        row.pk,
        row.author,
        f"A comment on a {WORDS.get(row.target_kind, 'thing')}",
        f"{pattern.format(row.target_id)}#{row.pk}",
        row.status,
        words=row.body,
        actions=_visibility("published" if row.status == "shown" else row.status),
    )


def _bounty(text: str) -> Target | None:
    row = Bounty.objects.select_related("owner").filter(pk=text).first()
    if row is None:
        return None
    actions: tuple[ActionKind, ...] = ()
    if row.status == "screening":
        actions = (ActionKind.OPEN, ActionKind.REFUSE)
    elif row.status == "frozen":
        actions = (ActionKind.UNHIDE, ActionKind.REMOVE)
    elif row.status in {"open", "judging", "disputed", "awarded"}:
        actions = (ActionKind.HIDE,)
    pictures = row.reference_rows.select_related("media")[:MAX_PICTURES]
    return Target(
        "bounty",
        row.pk,
        row.owner,
        row.title,
        f"/bounties/{row.pk}",
        row.status,
        words=row.description[:MAX_EXCERPT],
        pictures=tuple(picture.media for picture in pictures),
        actions=actions,
        decision_id=row.decision_id if row.status == "screening" else "",
    )


def _entry(text: str) -> Target | None:
    row = Entry.objects.select_related("maker", "bounty").filter(pk=text).first()
    if row is None:
        return None
    actions: tuple[ActionKind, ...] = ()
    if row.status == "screening":
        actions = (ActionKind.OPEN, ActionKind.REFUSE)
    elif row.status in {"submitted", "rejected"}:
        actions = (ActionKind.REMOVE,)
    pictures = row.picture_rows.select_related("media")[:MAX_PICTURES]
    return Target(
        "entry",
        row.pk,
        row.maker,
        f"An entry to “{row.bounty.title}”",
        f"/bounties/{row.bounty_id}",
        row.status,
        words=row.description[:MAX_EXCERPT],
        pictures=tuple(picture.media for picture in pictures),
        actions=actions,
        decision_id=row.decision_id if row.status == "screening" else "",
    )


def _user(text: str) -> Target | None:
    row = User.objects.filter(pk=_number(text)).first()
    if row is None:
        return None
    return Target(
        "user",
        str(row.pk),
        row,
        row.shown_name,
        f"/u/{row.username}",
        "suspended" if row.is_suspended else "active",
        words=row.bio,
        actions=(ActionKind.UNSUSPEND,) if row.is_suspended else (ActionKind.SUSPEND,),
    )


def _visibility(status: str) -> tuple[ActionKind, ...]:
    if status == "published":
        return (ActionKind.HIDE, ActionKind.REMOVE)
    if status == "hidden":
        return (ActionKind.UNHIDE, ActionKind.REMOVE)
    return (ActionKind.REMOVE,) if status == "draft" else ()


def _pictures_with(*, model_id: int) -> tuple[Media, ...]:
    rows = (
        Image.objects.filter(resources__model_id=model_id, status="published")
        .select_related("media")
        .order_by("-pk")[:MAX_PICTURES]
    )
    return tuple(image.media for image in rows)


_FINDERS: dict[str, Callable[[str], Target | None]] = {
    "image": _image,
    "post": _post,
    "model": _model,
    "version": _version,
    "comment": _comment,
    "bounty": _bounty,
    "entry": _entry,
    "user": _user,
}


def require_visible(*, target: Target, viewer: User | None) -> None:
    """Raises :class:`NotFound` where a reporter could not have seen the thing, so that reporting
    tells nobody what is hidden.
    """
    from atelier.catalog import queries as catalog
    from atelier.gallery import queries as gallery
    from atelier.social import queries as social

    match target.kind:
        case "image":
            gallery.image_for(image_id=int(target.id), viewer=viewer)
        case "post":
            gallery.post_for(post_id=int(target.id), viewer=viewer)
        case "model":
            catalog.model_for(model_id=int(target.id), viewer=viewer)
        case "version":
            catalog.version_for(version_id=int(target.id), viewer=viewer)
        case "comment":
            social.comment(comment_id=target.id, viewer=viewer)
        case "bounty":
            bounty_queries.find(bounty_id=target.id, viewer=viewer)
        case "entry":
            bounty = Entry.objects.select_related("bounty").get(pk=target.id).bounty
            bounty_queries.entry(bounty=bounty, entry_id=target.id, viewer=viewer)
        case _:
            return
