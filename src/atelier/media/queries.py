"""Reading pictures: one's own for use, anybody's for showing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atelier.core.errors import NotFound, NotOwner
from atelier.core.pagination import Page, paginate
from atelier.media.errors import MediaPending, MediaRefused
from atelier.media.models import Media, Status, Visibility

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atelier.accounts.models import User


@dataclass(frozen=True, slots=True)
class Source:
    """One size of a picture for a page: its address and width."""

    url: str
    width: int


@dataclass(frozen=True, slots=True)
class PictureSources:
    """What a ``<picture>`` element needs."""

    avif: list[Source]
    webp: list[Source]
    fallback: str
    width: int
    height: int
    thumbhash: str
    color: str


def get(media_id: str) -> Media:
    """A picture by id; raises :class:`NotFound`."""
    media = Media.objects.select_related("origin").filter(pk=media_id).first()
    if media is None:
        raise NotFound("There is no such picture.")
    return media


def get_owned(*, owner: User, media_id: str) -> Media:
    """One's own picture in any state; another's, or one closed to its owner, is not found."""
    media = get(media_id)
    if media.owner_id != owner.pk or media.visibility == Visibility.HIDDEN:
        raise NotFound("There is no such picture.")
    return media


def get_ready(*, owner: User, ids: Sequence[str]) -> list[Media]:
    """One's own pictures, all ready, in the order asked for.

    Raises :class:`NotFound`, :class:`NotOwner`, :class:`MediaPending` or :class:`MediaRefused` for
    the first that is not.
    """
    rows = Media.objects.select_related("origin").in_bulk(list(ids))
    found = []
    for media_id in ids:
        media = rows.get(media_id)
        if media is None or media.visibility == Visibility.HIDDEN:
            raise NotFound(f"There is no picture {media_id}.")
        if media.owner_id != owner.pk:
            raise NotOwner("One of these pictures is not yours. Upload it yourself to use it.")
        if media.status == Status.PENDING:
            raise MediaPending(
                "One of these pictures is still being checked. Try again in a moment.",
                retry_after=2,
            )
        if media.status == Status.REFUSED:
            raise MediaRefused(media.refusal_detail, code=media.refusal_code)
        found.append(media)
    return found


def may_open(*, viewer: User | None, media: Media) -> bool:
    """Whether this viewer may have the bytes, as far as media knows: blocks are likeness's."""
    if media.status != Status.READY:
        return False
    if viewer is not None and viewer.is_staff:
        return True
    if media.visibility == Visibility.PUBLIC:
        return True
    return (
        media.visibility == Visibility.PRIVATE
        and viewer is not None
        and media.owner_id == viewer.pk
    )


def blob_of(media: Media, *, width: int, fmt: str) -> str | None:
    """The blob of the smallest size at least this wide, else of the widest."""
    if not media.derivatives:
        return None
    widths = sorted(int(text) for text in media.derivatives)
    chosen = next((own for own in widths if own >= width), widths[-1])
    found = media.derivatives[str(chosen)].get(fmt)
    return str(found) if found else None


def original_of(media: Media) -> str:
    """The blob of the full picture: our own outputs with their marks, others in canonical form."""
    return media.sha256 if media.generated else media.canonical_sha256


def url(media: Media, width: int, fmt: str = "webp") -> str:
    """The address of a picture in one size."""
    return f"/media/{media.id}/{width}.{fmt}"


def original_url(media: Media) -> str:
    """The address of the full picture, a PNG."""
    return f"/media/{media.id}/original.png"


def picture_sources(media: Media) -> PictureSources:
    """All sizes of a ready picture, for pages."""
    widths = sorted(int(text) for text in media.derivatives)
    return PictureSources(
        avif=[Source(url(media, width, "avif"), width) for width in widths],
        webp=[Source(url(media, width, "webp"), width) for width in widths],
        fallback=url(media, widths[-1] if widths else 0),
        width=media.width,
        height=media.height,
        thumbhash=media.thumbhash,
        color=media.dominant_color,
    )


def of(*, owner: User, after: str | None = None, limit: int | None = None) -> Page[Media]:
    """A person's pictures in any state, newest first; not those that are closed to them."""
    rows = Media.objects.filter(owner=owner).exclude(visibility=Visibility.HIDDEN)
    return paginate(rows, order=("-created_at", "-id"), after=after, limit=limit)
