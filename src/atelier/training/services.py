"""Starting trainings, and turning epochs into model versions.

The dataset is decided about before anything is stored that others could see and before a Spark
moves: in the request for up to ``DECIDED_AT_ONCE`` pictures, by a task above that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from atelier.accounts import services as accounts
from atelier.catalog import queries as catalog
from atelier.catalog import services as catalog_services
from atelier.catalog.models import Source
from atelier.catalog.vocabulary import ModelType
from atelier.core import events, queue
from atelier.core.db import locking
from atelier.core.errors import Busy, DomainError, Invalid, NotFound, NotOwner, WrongState
from atelier.core.ids import new_id
from atelier.jobs import services as jobs
from atelier.jobs.models import JobKind
from atelier.ledger import queries as ledger
from atelier.ledger.errors import InsufficientSparks
from atelier.likeness import services as likeness
from atelier.likeness.actions import Action
from atelier.likeness.refs import Ref
from atelier.media import queries as media
from atelier.training import engine, queries, spec
from atelier.training.errors import EpochNotCleared
from atelier.training.models import DatasetPicture, Epoch, Intake, Training, TrainingDraft

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atelier.accounts.models import User
    from atelier.catalog.models import AiModel, ModelVersion
    from atelier.media.models import Media
    from atelier.training.spec import Request

DECIDED_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Plan:
    """A training with everything looked up: distinct pictures with captions, base and price."""

    request: Request
    base: ModelVersion
    pictures: tuple[tuple[Media, str], ...]
    duplicates: int
    cost: int


def plan(*, owner: User, request: Request) -> Plan:
    """Check a training and price it, without asking the judge and without storing anything.

    Pictures that are the same to the eye of the trainer count once. Raises :class:`Invalid` naming
    each broken rule, and media's refusals for pictures that are not one's own or not ready.
    """
    spec.check(request)
    base = _base(owner, request.base)
    found = media.get_ready(owner=owner, ids=request.media_ids)
    captions = request.captions or ("",) * len(found)
    distinct: dict[str, tuple[Media, str]] = {}
    for picture, caption in zip(found, captions, strict=True):
        distinct.setdefault(picture.canonical_sha256, (picture, caption.strip()))
    if len(distinct) < spec.MIN_PICTURES:
        raise Invalid.field(
            "images",
            f"must be at least {spec.MIN_PICTURES} different pictures; of these {len(found)} only "
            f"{len(distinct)} differ",
        )
    for picture, _ in distinct.values():
        if min(picture.width, picture.height) < spec.MIN_SIDE:
            raise Invalid.field(
                "images",
                f"must be at least {spec.MIN_SIDE} pixels on each side; "
                f"{picture.filename or picture.pk} is {picture.width} by {picture.height}",
            )
    return Plan(
        request=request,
        base=base,
        pictures=tuple(distinct.values()),
        duplicates=len(found) - len(distinct),
        cost=spec.price(pictures=len(distinct), epochs=request.epochs, settings=request.settings),
    )


def expected_seconds(planned: Plan) -> int:
    """How long the training takes once it runs, on two cores that do nothing else."""
    request = planned.request
    prompts = spec.prompts_to_sample(
        trigger_word=request.trigger_word,
        captions=[caption for _, caption in planned.pictures],
        chosen=request.sample_prompts,
    )
    return engine.estimate_seconds(
        pictures=len(planned.pictures),
        epochs=request.epochs,
        prompts=prompts,
        settings=request.settings.as_json(pictures=len(planned.pictures)),
    )


def start(*, owner: User, request: Request, draft: TrainingDraft | None = None) -> Training:
    """Have a LoRA trained: decided first, then held and queued, or nothing at all.

    ``draft`` is used up by it, so that sending it twice starts one training.

    Above ``DECIDED_AT_ONCE`` pictures the answer is a training in ``checking``; a task decides and
    then holds the price. Raises what :func:`plan` does, the judge's refusals, and
    ``InsufficientSparks``.
    """
    accounts.require_active(owner)
    planned = plan(owner=owner, request=request)
    if len(planned.pictures) <= DECIDED_AT_ONCE:
        decision_id = _decide(
            owner,
            pictures=planned.pictures,
            base=planned.base,
            texts=_texts(request.name, request.trigger_word, request.sample_prompts),
        )
        with transaction.atomic():
            _use_up(draft)
            training = _store(owner, planned)
            _accept(training, pictures=len(planned.pictures), decision_id=decision_id)
        return training
    from atelier.training import tasks

    if ledger.available(user_id=owner.pk) < planned.cost:
        raise InsufficientSparks(f"This training costs {planned.cost} Sparks.")
    with transaction.atomic():
        _use_up(draft)
        training = _store(owner, planned)
        queue.defer(tasks.check, training_id=training.pk)
    return training


def check(*, training_id: str) -> Training:
    """Decide about a large dataset and then queue the training, or refuse it; twice is once."""
    training = Training.objects.select_related("owner", "base__model").get(pk=training_id)
    if training.intake != Intake.CHECKING:
        return training
    pictures = [(row.media, row.caption) for row in training.dataset.select_related("media")]
    try:
        decision_id = _decide(
            training.owner,
            pictures=pictures,
            base=training.base,
            texts=_texts(training.name, training.trigger_word, training.sample_prompts),
        )
        with locking():
            training = _lock(training_id)
            if training.intake == Intake.CHECKING:
                _accept(training, pictures=len(pictures), decision_id=decision_id)
    except Busy:
        raise
    except DomainError as refusal:
        with locking():
            training = _lock(training_id)
            if training.intake == Intake.CHECKING:
                training.intake = Intake.REFUSED
                training.refusal_code = refusal.code
                training.refusal_detail = refusal.detail
                training.save(update_fields=["intake", "refusal_code", "refusal_detail"])
                events.notify(f"training:{training.pk}")
    return training


def cancel(*, training: Training, actor: User) -> Training:
    """Stop a training; finished epochs stay and are paid, the rest is given back."""
    if training.owner_id != actor.pk:
        raise NotOwner("Only the owner can cancel this.")
    with locking():
        locked = _lock(training.pk)
        if locked.job_id is None:
            if locked.intake == Intake.REFUSED:
                raise WrongState("This is refused already and can no longer be cancelled.")
            locked.intake = Intake.CANCELLED
            locked.save(update_fields=["intake"])
            events.notify(f"training:{locked.pk}")
        else:
            jobs.cancel(job_id=locked.job_id, actor=actor)
    return queries.get_owned(owner=actor, training_id=training.pk)


def version_from_epoch(
    *,
    training: Training,
    number: int,
    owner: User,
    name: str = "",
    description: str = "",
    tags: Sequence[str] = (),
    model: AiModel | None = None,
) -> ModelVersion:
    """A draft version of a finished epoch, with its samples, settings and origin.

    The same epoch again answers the version that it became. Raises :class:`NotFound` for an epoch
    that has not arrived, :class:`EpochNotCleared` for one whose samples showed what nobody may
    have, and the judge's refusals.
    """
    if training.owner_id != owner.pk:
        raise NotOwner("Only the owner of a training can use its epochs.")
    epoch = (
        Epoch.objects.select_related("version__model")
        .prefetch_related("samples")
        .filter(training=training, number=number)
        .first()
    )
    if epoch is None:
        raise NotFound(f"Epoch {number} of this training has not arrived.")
    if epoch.version is not None:
        return epoch.version
    if not epoch.is_cleared:
        raise EpochNotCleared(epoch.refusal_detail, code=epoch.refusal_code)
    samples = [s.media_id for s in epoch.samples.all() if s.is_clean and s.media_id]
    dataset = list(training.dataset.values_list("media_id", flat=True))
    likeness.decide(
        action=Action.TRAINING_PUBLISH,
        actor_id=owner.pk,
        subjects=[
            Ref("training", training.pk),
            Ref("version", training.base_id),
            *(Ref("media", media_id) for media_id in (*samples, *dataset)),
        ],
        texts={
            **_texts(training.name, training.trigger_word, training.sample_prompts),
            "name": name or training.name,
            "description": description,
        },
    )
    version = catalog_services.register_trained_version(
        owner=owner,
        name=name or training.name,
        model=model,
        version_name="" if model is None else f"{training.name} · epoch {number}"[:60],
        description=description,
        tags=tags,
        trigger_words=[training.trigger_word],
        training_settings=queries.settings_of(training, epoch=epoch),
        sample_media_ids=samples,
        training_id=training.pk,
        epoch=number,
        blob_sha256=epoch.sha256,
        base_model=training.base_model,
        dataset_ref=training.pk,
        parents=[Ref("version", training.base_id)],
    )
    Epoch.objects.filter(pk=epoch.pk, version=None).update(version=version)
    events.notify(f"training:{training.pk}")
    return version


def decide_run(training: Training) -> None:
    """Ask again when the worker starts: consent and blocks may have changed since."""
    _decide(
        training.owner,
        pictures=[(row.media, row.caption) for row in training.dataset.select_related("media")],
        base=training.base,
        texts=_texts(training.name, training.trigger_word, training.sample_prompts),
        action=Action.TRAINING_RUN,
    )


def _decide(
    owner: User,
    *,
    pictures: Sequence[tuple[Media, str]],
    base: ModelVersion,
    texts: dict[str, str],
    action: Action | None = None,
) -> str:
    subjects = [Ref("media", picture.pk) for picture, _ in pictures]
    captions = {f"captions.{place}": text for place, (_, text) in enumerate(pictures) if text}
    if action is None:
        likeness.decide(
            action=Action.DATASET_INTAKE, actor_id=owner.pk, subjects=subjects, texts=captions
        )
        action = Action.TRAINING_START
    decision = likeness.decide(
        action=action,
        actor_id=owner.pk,
        subjects=[Ref("version", base.pk), *subjects],
        texts={**texts, **captions},
    )
    return str(decision.id)


def _texts(name: str, trigger_word: str, sample_prompts: Sequence[str]) -> dict[str, str]:
    prompts = {f"sample_prompts.{place}": text for place, text in enumerate(sample_prompts)}
    return {"name": name, "trigger_word": trigger_word, **prompts}


def _use_up(draft: TrainingDraft | None) -> None:
    if draft is not None and not TrainingDraft.objects.filter(pk=draft.pk).delete()[0]:
        raise WrongState("This draft was started already. Find it among your trainings.")


def _store(owner: User, planned: Plan) -> Training:
    request = planned.request
    training = Training.objects.create(
        id=new_id("trn"),
        owner=owner,
        name=request.name.strip(),
        base=planned.base,
        base_model=planned.base.base_model,
        trigger_word=request.trigger_word.strip(),
        epochs=request.epochs,
        settings=request.settings.as_json(pictures=len(planned.pictures)),
        sample_prompts=spec.prompts_to_sample(
            trigger_word=request.trigger_word,
            captions=[caption for _, caption in planned.pictures],
            chosen=request.sample_prompts,
        ),
        cost_sparks=planned.cost,
    )
    DatasetPicture.objects.bulk_create(
        DatasetPicture(training=training, position=position, media=picture, caption=caption)
        for position, (picture, caption) in enumerate(planned.pictures)
    )
    return training


def _accept(training: Training, *, pictures: int, decision_id: str) -> None:
    training.job = jobs.submit(
        kind=JobKind.TRAINING,
        owner=training.owner,
        subject_id=training.pk,
        title=f"Training of {training.name} on {pictures} pictures",
        cost_sparks=training.cost_sparks,
        units_total=training.epochs,
        affinity=training.base_model,
    )
    training.intake = Intake.ACCEPTED
    training.decision_id = decision_id
    training.save(update_fields=["job", "intake", "decision_id"])
    likeness.register_resource(
        kind="training",
        ref=training.pk,
        owner_id=training.owner_id,
        detected_class="none",
        parents=[
            Ref("version", training.base_id),
            *(
                Ref("media", media_id)
                for media_id in training.dataset.values_list("media_id", flat=True)
            ),
        ],
    )


def _base(owner: User, reference: str) -> ModelVersion:
    if not reference:
        return catalog.base_version()
    try:
        version = catalog.resolve(reference)
        catalog.generatable(version=version, viewer=owner)
    except NotFound:
        raise Invalid.field(
            "base", f"there is no model {reference[:80]} that this site can train on"
        ) from None
    if version.model.type != ModelType.CHECKPOINT or version.source != Source.BASE:
        raise Invalid.field("base", "must be a base model of this site")
    return version


def _lock(training_id: str) -> Training:
    return (
        Training.objects.select_for_update(of=("self",), no_key=True)
        .select_related("owner", "job")
        .get(pk=training_id)
    )
