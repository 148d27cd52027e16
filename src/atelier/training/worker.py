"""Training one job: decided again at the start, epoch by epoch, each examined on its own.

An epoch arrives when its file is stored and its samples were taken into media, which examines
them. The last samples of each epoch are canaries, which ask for photographs of the subject: weights
that learnt a real person show it there. An epoch whose samples show nothing of the kind is cleared
and paid; another is refused and costs nothing. A worker that dies leaves its folder, and the next
one goes on there.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PIL import Image

from atelier.core import clock, storage
from atelier.core.db import locking
from atelier.core.errors import Busy, DomainError
from atelier.jobs import files, keeper
from atelier.jobs import queries as jobs_queries
from atelier.jobs import services as jobs
from atelier.jobs.errors import LeaseLost
from atelier.jobs.models import JobKind, JobStatus
from atelier.likeness import services as likeness
from atelier.likeness.refs import Ref
from atelier.media import marks
from atelier.media import services as media
from atelier.media.models import Scan, Status
from atelier.media.origins import OriginFacts
from atelier.training import canary, engine, services
from atelier.training.engine import CannotTrainError, StoppedError
from atelier.training.models import Epoch, EpochSample, Training

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from atelier.jobs.keeper import Keeper
    from atelier.jobs.services import Lease
    from atelier.training.engine import Finished, Sampled, Trains

log = logging.getLogger(__name__)
REPORT_SECONDS = 1.0
LOSS_POINTS = 300
# Room for generations: look this often, wait at most so long in a row, then work so long at least.
LOOK_SECONDS = 0.25
LONGEST_YIELD_SECONDS = 60.0
WORK_BETWEEN_YIELDS_SECONDS = 10.0
SAMPLES_APART = 100
FOUND_PERSON = "likeness_consent_required"
SAMPLES_OF_A_PERSON = 3
NEVER = frozenset({"minor_content", "sexual_likeness"})


def _name() -> str:
    return f"training@{socket.gethostname()}:{os.getpid()}"


def report() -> None:
    """Say that a worker is there, though it has nothing to do."""
    jobs.check_in(kind=JobKind.TRAINING, worker=_name())


def run_next(*, trains: Trains | None = None) -> bool:
    """Take the next job and see it through; false when nothing waited."""
    name = _name()
    jobs.check_in(kind=JobKind.TRAINING, worker=name)
    lease = jobs.claim(kind=JobKind.TRAINING, worker=name)
    if lease is None:
        return False
    try:
        with keeper.keeping(lease) as kept:
            _see_through(lease, kept, trains or engine.LocalEngine())
    except LeaseLost:
        log.warning("lost the lease of job %s", lease.job_id)
    except Exception:
        log.exception("job %s broke", lease.job_id)
        job = jobs.retry(
            lease=lease,
            problem="The training broke because of a fault of this site. Only finished epochs were "
            "charged.",
        )
        if job.is_final:
            files.forget("training", lease.subject_id)
    return True


def _see_through(lease: Lease, kept: Keeper, trains: Trains) -> None:
    training = Training.objects.select_related("owner", "base__model", "job").get(
        pk=lease.subject_id
    )
    try:
        services.decide_run(training)
    except Busy:
        raise
    except DomainError as refusal:
        jobs.finish(
            lease=lease,
            outcome=JobStatus.REFUSED,
            problem_code=refusal.code,
            problem=refusal.detail,
        )
        files.forget("training", training.pk)
        return
    run = _Run(lease=lease, kept=kept, training=training)
    try:
        trains.train(
            training,
            pictures=_pictures(training),
            workdir=files.work_folder("training", training.pk),
            cache=files.work_folder("training-cache"),
            on_step=run.step,
            on_epoch=run.epoch,
            checkpoint=run.checkpoint,
        )
    except StoppedError:
        if kept.lost.is_set():
            return
        jobs.finish(lease=lease, outcome=JobStatus.CANCELLED)
    except (CannotTrainError, FileNotFoundError) as problem:
        log.warning("job %s cannot be trained: %s", lease.job_id, problem)
        words = (
            "A picture of the dataset is missing."
            if isinstance(problem, FileNotFoundError)
            else str(problem)
        )
        jobs.finish(
            lease=lease, outcome=JobStatus.FAILED, problem_code="cannot_train", problem=words
        )
    else:
        _end(lease, training)
    files.forget("training", training.pk)


def _end(lease: Lease, training: Training) -> None:
    epochs = list(training.finished_epochs.all())
    if any(epoch.is_cleared for epoch in epochs):
        jobs.finish(lease=lease, outcome=JobStatus.COMPLETED)
        return
    last = epochs[-1]
    jobs.finish(
        lease=lease,
        outcome=JobStatus.REFUSED,
        problem_code=last.refusal_code,
        problem=last.refusal_detail,
    )


def _pictures(training: Training) -> Sequence[tuple[Path | bytes, str]]:
    """What is learned from: the canonical pictures, which are the ones that were examined."""
    blobs = storage.blobs()
    return [
        (blobs.read(row.media.canonical_sha256), row.caption)
        for row in training.dataset.select_related("media")
    ]


@dataclass(slots=True)
class _Run:
    """One run of the engine, as the site sees it."""

    lease: Lease
    kept: Keeper
    training: Training
    wait: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    _reported_at: float = field(default=0.0)
    _looked_at: float = field(default=0.0)
    _worked_since: float = field(default=0.0)
    _progress: dict[str, Any] = field(default_factory=dict)

    def step(self, step: int, steps: int, loss: float) -> None:
        """The engine has learnt one step."""
        self.kept.alive()
        each = max(1, steps // self.training.epochs)
        self._progress = {
            "epoch": min(step // each + 1, self.training.epochs),
            "step": step,
            "steps": steps,
            "loss": round(loss, 5),
        }
        self._note_loss(step, steps, loss)
        if step < steps and self.now() - self._reported_at < REPORT_SECONDS:
            return
        self._report()

    def _report(self, *, yielding: bool = False) -> None:
        self._reported_at = self.now()
        Training.objects.filter(pk=self.training.pk).update(losses=self.training.losses)
        if jobs.heartbeat(lease=self.lease, progress={**self._progress, "yielding": yielding}):
            self.kept.cancelled.set()

    def _note_loss(self, step: int, steps: int, loss: float) -> None:
        every = max(1, steps // LOSS_POINTS)
        if step % every and step != steps:
            return
        # After a restart the engine goes on at its last saved step.
        known = [point for point in self.training.losses if point[0] < step]
        self.training.losses = [*known, [step, round(loss, 5)]]

    def checkpoint(self) -> bool:
        """Between steps: leave the machine to people who wait for a picture; false means stop."""
        self.kept.alive()
        if self._unwanted():
            return False
        began = self.now()
        if began - self._looked_at < LOOK_SECONDS:
            return True
        self._looked_at = began
        if began - self._worked_since < WORK_BETWEEN_YIELDS_SECONDS and self._worked_since:
            return True
        yielded = False
        while jobs_queries.any_live(JobKind.GENERATION):
            if self.now() - began > LONGEST_YIELD_SECONDS:
                # Somebody generates without end; training gets its share all the same.
                self._worked_since = self.now()
                break
            if not yielded:
                yielded = True
                self._report(yielding=True)
            self.wait(LOOK_SECONDS)
            self.kept.alive()
            if self._unwanted():
                return False
        if yielded:
            self._report()
        return not self._unwanted()

    def _unwanted(self) -> bool:
        return self.kept.should_stop

    def epoch(self, finished: Finished) -> None:
        """An epoch arrived: store its file, take its samples in, and judge it by them."""
        self.kept.alive()
        if self.training.finished_epochs.filter(number=finished.number).exists():
            return
        with finished.lora_path.open("rb") as stream:
            stored = storage.blobs().put(stream)
        samples = []
        persons = 0
        for place, made in enumerate(finished.samples):
            with Image.open(made.path) as opened:
                drawn = opened.convert("RGB")
            persons += canary.shows_person(drawn)
            samples.append(self._sample(finished.number, place, made, drawn))
        code, detail = _examine(samples, persons=persons)
        try:
            with locking():
                if code:
                    jobs.heartbeat(lease=self.lease, progress=self._progress)
                else:
                    jobs.complete_unit(lease=self.lease)
                epoch = Epoch.objects.create(
                    training=self.training,
                    number=finished.number,
                    loss=finished.loss,
                    sha256=stored.sha256,
                    size_bytes=stored.size,
                    is_cleared=not code,
                    refusal_code=code,
                    refusal_detail=detail,
                    created_at=clock.now(),
                )
                for sample in samples:
                    sample.epoch = epoch
                EpochSample.objects.bulk_create(samples)
                for sample in samples:
                    if sample.media_id is not None:
                        likeness.register_resource(
                            kind="media",
                            ref=sample.media_id,
                            owner_id=self.training.owner_id,
                            parents=[Ref("training", self.training.pk)],
                        )
        except BaseException:
            media.hide(media_ids=[s.media_id for s in samples if s.media_id is not None])
            raise

    def _sample(self, number: int, place: int, made: Sampled, drawn: Image.Image) -> EpochSample:
        index = number * SAMPLES_APART + place
        sample = EpochSample(
            position=place,
            prompt=made.prompt,
            seed=made.seed,
            mark=marks.number_of(self.training.pk, index),
        )
        facts = OriginFacts(
            prompt=made.prompt,
            settings={"seed": made.seed},
            resources=[
                {
                    "version_id": self.training.base_id,
                    "name": self.training.base.model.name,
                    "type": self.training.base.model.type,
                    "strength": 1.0,
                }
            ],
            generator="atelier",
        )
        png = marks.finish(drawn, facts=facts, work_id=self.training.pk, index=index)
        try:
            picture = media.register_output(
                owner=self.training.owner,
                png_bytes=png,
                origin=facts,
                generation_id=self.training.pk,
            )
        except Busy:
            raise
        except DomainError as refusal:
            sample.refusal_code, sample.refusal_detail = refusal.code, refusal.detail
            return sample
        if picture.status != Status.READY:
            sample.refusal_code = picture.refusal_code
            sample.refusal_detail = picture.refusal_detail
            return sample
        sample.media = picture
        return sample


def _examine(samples: Sequence[EpochSample], *, persons: int) -> tuple[str, str]:
    """The rule that an epoch's samples break, with words, or empty.

    ``persons`` is how many show somebody. A detector errs now and then on a single drawing; a
    person that the weights have learnt shows in sample after sample.
    """
    if not samples:
        return "checks_unavailable", "The samples of this epoch could not be examined."
    scans = Scan.objects.in_bulk([s.media_id for s in samples if s.media_id is not None])
    for sample in samples:
        scan = scans.get(sample.media_id or "")
        if sample.media_id is not None and scan is None:
            return "checks_unavailable", "The samples of this epoch could not be examined."
        sample.shows_face = scan is not None and scan.real_faces > 0
    refused = [sample for sample in samples if sample.refusal_code]
    for sample in refused:
        if sample.refusal_code in NEVER or len(refused) == len(samples):
            return sample.refusal_code, (
                f"A sample of this epoch was refused: {sample.refusal_detail}"
            )
    if persons >= min(SAMPLES_OF_A_PERSON, len(samples)):
        return FOUND_PERSON, (
            f"{persons} of {len(samples)} samples of this epoch show a face like a real person's. "
            "Weights that depict a real person need that person's consent."
        )
    return "", ""
