"""Putting a training together in steps: nothing is lost between them, and nothing is spent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from django.db import transaction

from atelier.core import clock
from atelier.core.db import locking
from atelier.core.errors import DomainError, Invalid, NotFound
from atelier.media import services as media
from atelier.media.models import Media, Status
from atelier.training import services, spec
from atelier.training.models import Training, TrainingDraft
from atelier.training.spec import Request, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from atelier.accounts.models import User

MAX_DRAFTS = 20
NUMBERS = ("epochs", "repeats", "steps_per_epoch", "rank", "batch", "seed")
FRACTIONS = ("alpha", "learning_rate")
SWITCHES = ("text_encoder", "prior_preservation", "flip")


@dataclass(frozen=True, slots=True)
class Slot:
    """A picture of a draft as the contact sheet shows it."""

    media: Media
    caption: str


def latest(*, owner: User) -> list[TrainingDraft]:
    """One's drafts, the one touched last first."""
    return list(TrainingDraft.objects.filter(owner=owner).order_by("-updated_at")[:MAX_DRAFTS])


def get_owned(*, owner: User, draft_id: str) -> TrainingDraft:
    """One's own draft; another's does not exist. Raises :class:`NotFound`."""
    found = TrainingDraft.objects.filter(pk=draft_id, owner=owner).first()
    if found is None:
        raise NotFound("There is no such draft. It may have been started or thrown away.")
    return found


def begin(*, owner: User) -> TrainingDraft:
    """An empty draft; the oldest ones make room."""
    with transaction.atomic():
        draft = TrainingDraft.objects.create(owner=owner)
        kept = [other.pk for other in latest(owner=owner)]
        TrainingDraft.objects.filter(owner=owner).exclude(pk__in=kept).delete()
    return draft


def throw_away(*, draft: TrainingDraft) -> None:
    """Forget a draft; its pictures stay its owner's."""
    draft.delete()


def add_pictures(
    *, draft: TrainingDraft, files: Iterable[tuple[str, BinaryIO]]
) -> list[tuple[str, str]]:
    """Take pictures in and put them at the end; answers names and reasons of those not taken."""
    refused: list[tuple[str, str]] = []
    taken: list[str] = []
    for name, stream in files:
        if len(draft.pictures) + len(taken) >= spec.MAX_PICTURES:
            refused.append((name, f"A training has at most {spec.MAX_PICTURES} pictures."))
            continue
        try:
            made = media.receive(owner=draft.owner, stream=stream, filename=name)
        except DomainError as refusal:
            refused.append((name, refusal.detail))
            continue
        taken.append(made.pk)
    with locking():
        locked = _lock(draft)
        locked.pictures = [
            *locked.pictures,
            *({"media": media_id, "caption": ""} for media_id in taken),
        ]
        _save(locked)
    draft.pictures = locked.pictures
    return refused


def slots(draft: TrainingDraft) -> list[Slot]:
    """The pictures of a draft in order, in whatever state they are."""
    rows = Media.objects.filter(owner_id=draft.owner_id).in_bulk(
        [picture["media"] for picture in draft.pictures]
    )
    return [
        Slot(rows[picture["media"]], picture["caption"])
        for picture in draft.pictures
        if picture["media"] in rows
    ]


def drop_refused(*, draft: TrainingDraft) -> list[tuple[str, str]]:
    """Take refused pictures out; answers their names and reasons, for the person to read."""
    refused = [slot.media for slot in slots(draft) if slot.media.status == Status.REFUSED]
    if refused:
        remove(draft=draft, media_ids=[picture.pk for picture in refused])
    return [(picture.filename or "A picture", picture.refusal_detail) for picture in refused]


def remove(*, draft: TrainingDraft, media_ids: Sequence[str]) -> None:
    """Take pictures out of a draft."""
    gone = set(media_ids)
    with locking():
        locked = _lock(draft)
        locked.pictures = [p for p in locked.pictures if p["media"] not in gone]
        _save(locked)
    draft.pictures = locked.pictures


def write_captions(*, draft: TrainingDraft, captions: Mapping[str, str]) -> None:
    """Keep captions by media id."""
    with locking():
        locked = _lock(draft)
        locked.pictures = [
            {**p, "caption": captions.get(p["media"], p["caption"])[: spec.MAX_CAPTION]}
            for p in locked.pictures
        ]
        _save(locked)
    draft.pictures = locked.pictures


def write_values(*, draft: TrainingDraft, values: Mapping[str, Any]) -> None:
    """Keep what was filled in, right or not: it is checked when the training starts."""
    with locking():
        locked = _lock(draft)
        locked.values = {**locked.values, **values}
        _save(locked)
    draft.values = locked.values


def request_of(draft: TrainingDraft) -> Request:
    """The training that a draft asks for; raises :class:`Invalid` for what is not a number."""
    values = draft.values
    numbers = {name: _number(name, values.get(name)) for name in NUMBERS}
    fractions = {name: _fraction(name, values.get(name)) for name in FRACTIONS}
    epochs = numbers.pop("epochs")
    switches = {name: bool(values[name]) for name in SWITCHES if name in values}
    given: dict[str, Any] = {**numbers, **fractions, **switches}
    prompts = [line.strip() for line in str(values.get("sample_prompts", "")).splitlines()]
    return Request(
        name=str(values.get("name", "")),
        trigger_word=str(values.get("trigger_word", "")),
        media_ids=tuple(picture["media"] for picture in draft.pictures),
        captions=tuple(picture["caption"] for picture in draft.pictures),
        epochs=spec.DEFAULT_EPOCHS if epochs is None else epochs,
        sample_prompts=tuple(prompt for prompt in prompts if prompt),
        settings=Settings(**{k: v for k, v in given.items() if v is not None}),
    )


def start(*, draft: TrainingDraft) -> Training:
    """Start what a draft asks for; the draft is gone then, or stays as it is on a refusal."""
    return services.start(owner=draft.owner, request=request_of(draft), draft=draft)


def _number(name: str, value: object) -> int | None:
    text = str(value if value is not None else "").strip()
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise Invalid.field(name, "must be a whole number") from None


def _fraction(name: str, value: object) -> float | None:
    text = str(value if value is not None else "").strip()
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise Invalid.field(name, "must be a number") from None


def _lock(draft: TrainingDraft) -> TrainingDraft:
    found = (
        TrainingDraft.objects.select_for_update(of=("self",), no_key=True)
        .select_related("owner")
        .filter(pk=draft.pk)
        .first()
    )
    if found is None:
        raise NotFound("There is no such draft. It may have been started or thrown away.")
    return found


def _save(draft: TrainingDraft) -> None:
    draft.updated_at = clock.now()
    draft.save(update_fields=["pictures", "values", "updated_at"])
