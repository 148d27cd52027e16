"""Reading trainings: one's list, and the state that pages, the API and live events show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from atelier.core.errors import NotFound
from atelier.core.pagination import Page, paginate
from atelier.jobs import queries as jobs
from atelier.jobs.models import JobStatus
from atelier.likeness import queries as likeness
from atelier.media import queries as media
from atelier.training.models import Epoch, EpochSample, Training

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from atelier.accounts.models import User


def _whole() -> QuerySet[Training]:
    return Training.objects.select_related("job", "base__model", "owner").prefetch_related(
        "finished_epochs__samples__media", "finished_epochs__version"
    )


def get_owned(*, owner: User, training_id: str) -> Training:
    """One's own training; another's does not exist. Raises :class:`NotFound`."""
    found = _whole().filter(pk=training_id, owner=owner).first()
    if found is None:
        raise NotFound("There is no such training.")
    return found


def history(*, owner: User, after: str | None = None, limit: int | None = None) -> Page[Training]:
    """One's trainings, newest first."""
    return paginate(_whole().filter(owner=owner), order=("-id",), after=after, limit=limit)


def visible_samples(epoch: Epoch, *, viewer: User) -> list[EpochSample]:
    """An epoch's samples that nobody has taken down, in order."""
    samples = [sample for sample in epoch.samples.all() if sample.media is not None]
    ids = [sample.media_id for sample in samples]
    blocked = set(likeness.blocked_ids("media").filter(ref__in=ids).values_list("ref", flat=True))
    return [
        sample
        for sample in samples
        if sample.media is not None
        and sample.media_id not in blocked
        and media.may_open(viewer=viewer, media=sample.media)
    ]


@dataclass(frozen=True, slots=True)
class Row:
    """An epoch as a row of the run's table: one cell a prompt, empty where nothing may be shown."""

    epoch: Epoch
    cells: list[EpochSample | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """The loss in a box of 600 by 160: its trend, each value, and its figures for a table."""

    points: str
    raw: str
    lowest: float
    highest: float
    last_step: int
    rows: list[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Summary:
    """A training as a list shows it."""

    training: Training
    progress: dict[str, Any]
    cover: EpochSample | None


@dataclass(frozen=True, slots=True)
class RunPage:
    """A training as its page shows it."""

    training: Training
    status: str
    progress: dict[str, Any]
    position: int | None
    prompts: list[str]
    rows: list[Row]
    chart: Chart | None
    pictures: int


CHART_WIDTH, CHART_HEIGHT = 600, 160
CHART_ROWS = 12
CHART_POINTS = 120
TREND = 0.15


def run_page(training: Training) -> RunPage:
    """Everything that the page of one run shows."""
    return RunPage(
        training=training,
        status=training.status,
        progress=progress(training),
        position=jobs.position(training.job) if training.job else None,
        prompts=training.sample_prompts,
        rows=[_row(epoch, training) for epoch in training.finished_epochs.all()],
        chart=chart_of(training.losses),
        pictures=training.dataset.count(),
    )


def summary(training: Training) -> Summary:
    """One training for a list, with the newest picture it drew."""
    cover = None
    for epoch in reversed(training.finished_epochs.all()):
        cover = next(iter(visible_samples(epoch, viewer=training.owner)), None)
        if cover is not None:
            break
    return Summary(training, progress(training), cover)


def _row(epoch: Epoch, training: Training) -> Row:
    shown = {sample.position: sample for sample in visible_samples(epoch, viewer=training.owner)}
    return Row(epoch, [shown.get(place) for place in range(len(training.sample_prompts))])


def chart_of(losses: list[list[float]]) -> Chart | None:
    """The loss and its trend as lines; a single point says nothing and is no chart."""
    if len(losses) < 2:  # noqa: PLR2004
        return None
    width = max(1, -(-len(losses) // CHART_POINTS))
    parts = [losses[start : start + width] for start in range(0, len(losses), width)]
    line = [(int(part[-1][0]), sum(loss for _, loss in part) / len(part)) for part in parts]
    lowest, highest = min(loss for _, loss in line), max(loss for _, loss in line)
    last = line[-1][0]
    trend: list[tuple[int, float]] = []
    level = line[0][1]
    for step, loss in line:
        level += (loss - level) * TREND
        trend.append((step, level))

    def drawn(points: list[tuple[int, float]]) -> str:
        spread = highest - lowest or 1.0
        return " ".join(
            f"{CHART_WIDTH * step / last:.1f},{CHART_HEIGHT * (highest - loss) / spread:.1f}"
            for step, loss in points
        )

    every = max(1, -(-len(line) // CHART_ROWS))
    return Chart(drawn(trend), drawn(line), lowest, highest, last, line[::every])


def state(training: Training) -> dict[str, Any]:
    """The whole object as the API and the live events show it."""
    job = training.job
    return {
        "id": training.pk,
        "status": training.status,
        "name": training.name,
        "cost": training.cost_sparks,
        "charged": job.captured_sparks if job else None,
        "progress": progress(training),
        "queue_position": jobs.position(job) if job else None,
        "epochs": [_epoch_state(epoch, training) for epoch in training.finished_epochs.all()],
        "epochs_total": training.epochs,
        "trigger_word": training.trigger_word,
        "base": training.base_id,
        "base_model": training.base_model,
        "sample_prompts": training.sample_prompts,
        "settings": training.settings,
        "losses": training.losses,
        "code": (job.problem_code if job else training.refusal_code) or None,
        "problem": (job.problem if job else training.refusal_detail) or None,
        "cancel_requested": job is not None and job.cancel_requested_at is not None,
        "created_at": training.created_at.isoformat(),
        "finished_at": job.finished_at.isoformat() if job and job.finished_at else None,
    }


def _epoch_state(epoch: Epoch, training: Training) -> dict[str, Any]:
    return {
        "number": epoch.number,
        "loss": epoch.loss,
        "sha256": epoch.sha256,
        "size": epoch.size_bytes,
        "cleared": epoch.is_cleared,
        "code": epoch.refusal_code or None,
        "problem": epoch.refusal_detail or None,
        "version": epoch.version_id,
        "model": epoch.version.model_id if epoch.version else None,
        "samples": [
            {
                "prompt": sample.prompt,
                "seed": sample.seed,
                "media": sample.media_id,
                "url": settings.BASE_URL + media.original_url(sample.media),
            }
            for sample in visible_samples(epoch, viewer=training.owner)
            if sample.media is not None
        ],
    }


def progress(training: Training) -> dict[str, Any]:
    """How far the training is: epoch and step, and all of it as a fraction."""
    now = training.job.progress if training.job else {}
    steps = int(now.get("steps", 0))
    step = int(now.get("step", 0))
    fraction = step / steps if steps else 0.0
    if training.status == JobStatus.COMPLETED:
        fraction = 1.0
    return {
        "epoch": int(now.get("epoch", 0)),
        "epochs": training.epochs,
        "step": step,
        "steps": steps,
        "loss": now.get("loss"),
        "yielding": bool(now.get("yielding", False)),
        "fraction": round(min(fraction, 1.0), 4),
    }


def live_state(training_id: str) -> dict[str, Any] | None:
    """What the events server sends for one training; final states end the stream."""
    found = _whole().filter(pk=training_id).first()
    if found is None:
        return None
    return {**state(found), "final": found.is_final}


def settings_of(training: Training, *, epoch: Epoch) -> dict[str, Any]:
    """The settings that a version shows: how these weights were made."""
    return {
        "base_model": training.base_model,
        "trigger_word": training.trigger_word,
        "pictures": training.dataset.count(),
        "epoch": epoch.number,
        "epochs": training.epochs,
        "loss": round(epoch.loss, 5),
        "sample_prompts": training.sample_prompts,
        **training.settings,
    }
