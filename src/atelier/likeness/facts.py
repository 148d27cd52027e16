"""What is known about the subjects of a decision, read by the judge itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection

from atelier.likeness.models import Blocked, DetectedClass, Resource
from atelier.likeness.refs import Ref
from atelier.media.models import Media, Scan, SexualLevel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's scan, bound to its canonical hash; ``complete`` says that it is all there."""

    ref: Ref
    complete: bool
    canonical_sha256: str = ""
    real_faces: int = 0
    photoreal: float = 0.0
    sexual: str = SexualLevel.NONE
    minor_signal: bool = False
    generated: bool = False

    @property
    def is_sexual(self) -> bool:
        return self.sexual != SexualLevel.NONE

    @property
    def is_explicit(self) -> bool:
        return self.sexual == SexualLevel.EXPLICIT


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it: pictures, what resources were found to show, and what is blocked."""

    pictures: tuple[Picture, ...]
    ancestors: tuple[Picture, ...]
    classes: dict[Ref, str]
    blocked: tuple[Ref, ...]


_ANCESTORS = """
WITH RECURSIVE line (kind, ref) AS (
  SELECT * FROM unnest(%s::text[], %s::text[])
  UNION
  SELECT up.parent_kind::text, up.parent_ref::text
  FROM likeness_lineage up JOIN line ON up.child_kind = line.kind AND up.child_ref = line.ref
)
SELECT kind, ref FROM line
"""


def gather(subjects: Sequence[Ref]) -> Facts:
    """Read scans, classes, lineage and blocks of these subjects."""
    asked = list(dict.fromkeys(subjects))
    line = _with_ancestors(asked)
    inherited = [ref for ref in line if ref not in set(asked)]
    return Facts(
        pictures=_pictures([ref for ref in asked if ref.kind == "media"]),
        ancestors=_pictures([ref for ref in inherited if ref.kind == "media"]),
        classes=_classes(line),
        blocked=_blocked(line),
    )


def _with_ancestors(refs: Sequence[Ref]) -> list[Ref]:
    if not refs:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_ANCESTORS, [[ref.kind for ref in refs], [ref.id for ref in refs]])
        return [Ref(kind, id_) for kind, id_ in cursor.fetchall()]


def _pictures(refs: Sequence[Ref]) -> tuple[Picture, ...]:
    if not refs:
        return ()
    ids = [ref.id for ref in refs]
    media = Media.objects.only("id", "canonical_sha256", "generated").in_bulk(ids)
    scans = Scan.objects.in_bulk(ids)
    return tuple(_picture(ref, media.get(ref.id), scans.get(ref.id)) for ref in refs)


def _picture(ref: Ref, media: Media | None, scan: Scan | None) -> Picture:
    # A scan of other pixels than the ones shown is no scan.
    if (
        media is None
        or scan is None
        or not scan.canonical_sha256
        or scan.canonical_sha256 != media.canonical_sha256
    ):
        return Picture(ref, complete=False)
    return Picture(
        ref,
        complete=True,
        canonical_sha256=scan.canonical_sha256,
        real_faces=scan.real_faces,
        photoreal=scan.photoreal,
        sexual=scan.sexual,
        minor_signal=scan.minor_signal,
        generated=media.generated,
    )


def _classes(refs: Iterable[Ref]) -> dict[Ref, str]:
    wanted = [ref for ref in refs if ref.kind != "media"]
    rows = Resource.objects.filter(
        kind__in={ref.kind for ref in wanted}, ref__in=[ref.id for ref in wanted]
    ).values_list("kind", "ref", "detected_class")
    known = {(kind, id_): found for kind, id_, found in rows}
    found: dict[Ref, str] = {}
    for ref in wanted:
        if (ref.kind, ref.id) in known:
            found[ref] = known[ref.kind, ref.id]
        elif ref.kind == "version":
            found[ref] = DetectedClass.UNSCANNED  # an unknown resource is not a harmless one
    return found


def _blocked(refs: Iterable[Ref]) -> tuple[Ref, ...]:
    wanted = {(ref.kind, ref.id): ref for ref in refs}
    if not wanted:
        return ()
    rows = Blocked.objects.filter(
        kind__in={kind for kind, _ in wanted}, ref__in=[id_ for _, id_ in wanted]
    ).values_list("kind", "ref")
    return tuple(wanted[key] for key in rows if key in wanted)
