"""Drawing one job: decided again at the start, picture by picture, each released on its own.

A picture is drawn, marked, taken into media (which examines it), and only then decided about. Until
the decision it is in nobody's list. Released pictures are paid one by one, refused ones cost
nothing. A worker that dies in the middle leaves finished pictures, and the next one goes on behind
them: picture n is drawn from seed + n, so it is the same picture.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from atelier.catalog import queries as catalog
from atelier.core.db import locking
from atelier.core.errors import Busy, DomainError
from atelier.generation import engine, queries, services
from atelier.generation.engine import CannotDrawError, StoppedError
from atelier.generation.models import GeneratedPicture, Generation
from atelier.jobs import files, keeper
from atelier.jobs import services as jobs
from atelier.jobs.errors import LeaseLost
from atelier.jobs.models import JobKind, JobStatus
from atelier.likeness import services as likeness
from atelier.likeness.actions import Action
from atelier.likeness.refs import Ref
from atelier.media import marks
from atelier.media import services as media
from atelier.media.models import Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from atelier.generation.engine import Drawn, Draws
    from atelier.jobs.keeper import Keeper
    from atelier.jobs.services import Lease
    from atelier.media.models import Media

log = logging.getLogger(__name__)
REPORT_SECONDS = 0.2
REMEMBERED = 4
_loaded: list[str] = []


def _name() -> str:
    return f"generation@{socket.gethostname()}:{os.getpid()}"


def report() -> None:
    """Load the engine, so that the first picture does not wait for it, and say that it is there."""
    engine.local()
    jobs.check_in(kind=JobKind.GENERATION, worker=_name(), loaded=_loaded)


def run_next(*, draws: Draws | None = None) -> bool:
    """Take the next job and see it through; false when nothing waited."""
    name = _name()
    jobs.check_in(kind=JobKind.GENERATION, worker=name, loaded=_loaded)
    lease = jobs.claim(kind=JobKind.GENERATION, worker=name, loaded=_loaded)
    if lease is None:
        return False
    try:
        with keeper.keeping(lease) as kept:
            _see_through(lease, kept, draws or engine.local())
    except LeaseLost:
        # Somebody else has the job now; what this worker made of it was fenced off.
        log.warning("lost the lease of job %s", lease.job_id)
    except Exception as problem:
        log.exception("job %s broke", lease.job_id)
        jobs.retry(lease=lease, problem=_in_words(problem))
    return True


def _in_words(problem: Exception) -> str:
    if isinstance(problem, Busy):
        return problem.detail
    return "The picture could not be drawn because of a fault of this site. Nothing was charged."


def _see_through(lease: Lease, kept: Keeper, draws: Draws) -> None:
    generation = Generation.objects.select_related("checkpoint__model", "owner", "job").get(
        pk=lease.subject_id
    )
    try:
        checkpoint, loras = _decided_files(generation)
    except Busy:
        raise
    except DomainError as refusal:
        jobs.finish(
            lease=lease,
            outcome=JobStatus.REFUSED,
            problem_code=refusal.code,
            problem=refusal.detail,
        )
        return
    _remember(generation)
    first = generation.pictures.count()
    reporter = _Reporter(lease, kept, quantity=generation.quantity, picture=first)
    try:
        if first < generation.quantity:
            for drawn in draws.draw(
                generation,
                first=first,
                checkpoint=checkpoint,
                loras=loras,
                on_step=reporter.step,
                should_stop=lambda: kept.should_stop,
            ):
                _hand_over(lease, generation, drawn)
                if kept.should_stop:
                    break
    except StoppedError:
        pass
    except (CannotDrawError, FileNotFoundError) as problem:
        log.warning("job %s cannot be drawn: %s", lease.job_id, problem)
        words = (
            "A model file is missing." if isinstance(problem, FileNotFoundError) else str(problem)
        )
        jobs.finish(
            lease=lease, outcome=JobStatus.FAILED, problem_code="cannot_draw", problem=words
        )
        return
    _end(lease, kept, generation)


def _end(lease: Lease, kept: Keeper, generation: Generation) -> None:
    pictures = list(generation.pictures.all())
    if kept.should_stop and len(pictures) < generation.quantity:
        jobs.finish(lease=lease, outcome=JobStatus.CANCELLED)
    elif not any(picture.is_released for picture in pictures):
        jobs.finish(
            lease=lease,
            outcome=JobStatus.REFUSED,
            problem_code=pictures[0].refusal_code,
            problem=pictures[0].refusal_detail,
        )
    else:
        jobs.finish(lease=lease, outcome=JobStatus.COMPLETED)


def _decided_files(
    generation: Generation,
) -> tuple[Path | None, Sequence[tuple[Path, float, str]]]:
    """The weights to draw with, if they may still be drawn with; raises the refusal."""
    items = list(generation.resources.select_related("version__model"))
    likeness.decide(
        action=Action.GENERATION_START,
        actor_id=generation.owner_id,
        subjects=services.subjects(generation.checkpoint, [item.version for item in items]),
        texts=services.texts(generation.prompt, generation.negative_prompt),
    )
    base_file = catalog.generatable(version=generation.checkpoint, viewer=generation.owner)
    for item in items:
        catalog.generatable(version=item.version, viewer=generation.owner)
    built_in = services.is_built_in(generation.checkpoint)
    checkpoint = None if built_in else files.local(base_file.sha256)
    return checkpoint, [(files.local(item.sha256), item.strength, item.sha256) for item in items]


def _remember(generation: Generation) -> None:
    affinity = generation.job.affinity
    if affinity in _loaded:
        _loaded.remove(affinity)
    _loaded.insert(0, affinity)
    del _loaded[REMEMBERED:]


def _hand_over(lease: Lease, generation: Generation, drawn: Drawn) -> None:
    """Take a drawn picture in and release it, or keep it from everybody and say why."""
    facts = queries.origin_of(generation, seed=drawn.seed)
    png = marks.finish(drawn.image, facts=facts, work_id=generation.pk, index=drawn.index)
    try:
        made = media.register_output(
            owner=generation.owner, png_bytes=png, origin=facts, generation_id=generation.pk
        )
    except Busy:
        raise
    except DomainError as refusal:
        _keep(lease, generation, drawn, code=refusal.code, detail=refusal.detail)
        return
    try:
        _release(lease, generation, drawn, made)
    except BaseException:
        # Fenced off, or not decided: nobody may see what this worker made.
        media.hide(media_ids=[made.pk])
        raise


def _release(lease: Lease, generation: Generation, drawn: Drawn, made: Media) -> None:
    code, detail, decision_id = made.refusal_code, made.refusal_detail, ""
    if made.status == Status.READY:
        try:
            decision_id = _decide_release(generation, made)
        except Busy:
            raise
        except DomainError as refusal:
            media.hide(media_ids=[made.pk])
            code, detail = refusal.code, refusal.detail
    if code:
        _keep(lease, generation, drawn, code=code, detail=detail)
    else:
        _keep(lease, generation, drawn, made=made, decision_id=decision_id)


def _keep(
    lease: Lease,
    generation: Generation,
    drawn: Drawn,
    *,
    made: Media | None = None,
    code: str = "",
    detail: str = "",
    decision_id: str = "",
) -> None:
    """Note what became of a picture, and count it if its owner gets it; fenced by the lease."""
    with locking():
        if made is None:
            progress = {"picture": drawn.index + 1, "pictures": generation.quantity, "step": 0}
            jobs.heartbeat(lease=lease, progress={**progress, "steps": generation.steps})
        else:
            jobs.complete_unit(lease=lease)
        GeneratedPicture.objects.create(
            generation=generation,
            index=drawn.index,
            seed=drawn.seed,
            mark=marks.number_of(generation.pk, drawn.index),
            media=made,
            refusal_code=code,
            refusal_detail=detail,
            decision_id=decision_id,
        )
        if made is not None:
            likeness.register_resource(
                kind="media",
                ref=made.pk,
                owner_id=generation.owner_id,
                parents=[Ref("generation", generation.pk)],
                decision_id=decision_id,
            )


def _decide_release(generation: Generation, made: Media) -> str:
    versions = [item.version for item in generation.resources.select_related("version__model")]
    decision = likeness.decide(
        action=Action.GENERATION_RELEASE,
        actor_id=generation.owner_id,
        subjects=[
            Ref("generation", generation.pk),
            Ref("media", made.pk),
            *services.subjects(generation.checkpoint, versions),
        ],
        texts=services.texts(generation.prompt, generation.negative_prompt),
    )
    return str(decision.id)


@dataclass(slots=True)
class _Reporter:
    """Publishes steps, a few times a second, and learns from the answer whether to stop."""

    lease: Lease
    kept: Keeper
    quantity: int
    picture: int
    _reported_at: float = field(default=0.0)

    def step(self, index: int, step: int, steps: int) -> None:
        self.kept.alive()
        now = time.monotonic()
        if step < steps and now - self._reported_at < REPORT_SECONDS:
            return
        self._reported_at = now
        progress = {
            "picture": index + 1,
            "pictures": self.quantity,
            "step": step,
            "steps": steps,
        }
        if jobs.heartbeat(lease=self.lease, progress=progress):
            self.kept.cancelled.set()
