"""Reading generations: one's history, the state that pages and events show, and their origin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from atelier.catalog import queries as catalog
from atelier.core.errors import NotFound
from atelier.core.pagination import Page, paginate
from atelier.generation.models import GeneratedPicture, Generation
from atelier.jobs import queries as jobs
from atelier.jobs.models import JobStatus
from atelier.likeness import queries as likeness
from atelier.media import queries as media
from atelier.media.origins import OriginFacts

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from atelier.accounts.models import User
    from atelier.catalog.models import ModelVersion
    from atelier.jobs.models import Job

GENERATOR = "atelier"


def _whole() -> QuerySet[Generation]:
    return Generation.objects.select_related("job", "checkpoint__model", "owner").prefetch_related(
        "resources__version__model", "pictures__media"
    )


def get_owned(*, owner: User, generation_id: str) -> Generation:
    """One's own generation; another's does not exist. Raises :class:`NotFound`."""
    found = _whole().filter(pk=generation_id, owner=owner).first()
    if found is None:
        raise NotFound("There is no such generation.")
    return found


def history(*, owner: User, after: str | None = None, limit: int | None = None) -> Page[Generation]:
    """One's generations, newest first."""
    return paginate(_whole().filter(owner=owner), order=("-id",), after=after, limit=limit)


def visible_pictures(generation: Generation) -> list[GeneratedPicture]:
    """Released pictures that nobody has taken down since, in order."""
    released = [picture for picture in generation.pictures.all() if picture.is_released]
    ids = [picture.media_id for picture in released]
    blocked = set(likeness.blocked_ids("media").filter(ref__in=ids).values_list("ref", flat=True))
    return [
        picture
        for picture in released
        if picture.media is not None
        and picture.media_id not in blocked
        and media.may_open(viewer=generation.owner, media=picture.media)
    ]


def refused_pictures(generation: Generation) -> list[GeneratedPicture]:
    """Pictures that were drawn and not shown, each with its reason; they cost nothing."""
    return [picture for picture in generation.pictures.all() if not picture.is_released]


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one picture on a page: filled, refused, or still to come."""

    number: int
    picture: GeneratedPicture | None = None
    refused: GeneratedPicture | None = None
    is_drawing: bool = False

    @property
    def label(self) -> str:
        """What a screen reader calls it."""
        return f"Picture {self.number}"


@dataclass(frozen=True, slots=True)
class Card:
    """A generation as a page shows it."""

    generation: Generation
    job: Job
    slots: list[Slot]
    progress: dict[str, Any]
    position: int | None

    @property
    def released(self) -> list[GeneratedPicture]:
        """Pictures that can be seen."""
        return [slot.picture for slot in self.slots if slot.picture is not None]


def card(generation: Generation) -> Card:
    """One generation for a page, with a place for each picture that was asked for."""
    job = generation.job
    shown = {picture.index: picture for picture in visible_pictures(generation)}
    refused = {picture.index: picture for picture in refused_pictures(generation)}
    settled = len(generation.pictures.all())
    slots = [
        Slot(
            number=index + 1,
            picture=shown.get(index),
            refused=refused.get(index),
            is_drawing=job.status == JobStatus.RUNNING and index == settled,
        )
        for index in range(generation.quantity)
        if not job.is_final or index in shown or index in refused
    ]
    return Card(generation, job, slots, progress(generation), jobs.position(job))


def state(generation: Generation) -> dict[str, Any]:
    """The whole object as the API and the live events show it."""
    job = generation.job
    return {
        "id": generation.pk,
        "status": job.status,
        "cost": job.cost_sparks,
        "charged": job.captured_sparks,
        "progress": progress(generation),
        "queue_position": jobs.position(job),
        "images": [
            {
                "id": picture.pk,
                "media": picture.media_id,
                "url": settings.BASE_URL + media.original_url(picture.media),
                "seed": picture.seed,
                "index": picture.index,
                "width": picture.media.width,
                "height": picture.media.height,
            }
            for picture in visible_pictures(generation)
            if picture.media is not None
        ],
        "refused": [
            {"index": p.index, "code": p.refusal_code, "detail": p.refusal_detail}
            for p in refused_pictures(generation)
        ],
        "code": job.problem_code or None,
        "problem": job.problem or None,
        "cancel_requested": job.cancel_requested_at is not None,
        "prompt": generation.prompt,
        "negative_prompt": generation.negative_prompt,
        "checkpoint": generation.checkpoint_id,
        "base_model": generation.base_model,
        "resources": [
            {"version": item.version_id, "strength": item.strength}
            for item in generation.resources.all()
        ],
        "width": generation.width,
        "height": generation.height,
        "steps": generation.steps,
        "cfg_scale": generation.cfg_scale,
        "sampler": generation.sampler,
        "clip_skip": generation.clip_skip,
        "seed": generation.seed,
        "quantity": generation.quantity,
        "created_at": generation.created_at.isoformat(),
        "finished_at": job.finished_at.isoformat() if job.finished_at else None,
    }


def progress(generation: Generation) -> dict[str, Any]:
    """How far the drawing is: picture and step, and all of it as a fraction."""
    job = generation.job
    total = generation.steps * generation.quantity
    now = job.progress
    settled = len(generation.pictures.all())
    running = job.status == JobStatus.RUNNING
    picture = min(settled + 1, generation.quantity) if running else settled
    drawing = running and int(now.get("picture", 0)) == picture > settled
    step = min(int(now.get("step", 0)), generation.steps) if drawing else 0
    done = total if job.status == JobStatus.COMPLETED else settled * generation.steps + step
    return {
        "picture": picture,
        "pictures": generation.quantity,
        "step": step,
        "steps": generation.steps,
        "fraction": round(min(done, total) / total, 4),
    }


def live_state(generation_id: str) -> dict[str, Any] | None:
    """What the events server sends for one generation; final states end the stream."""
    found = _whole().filter(pk=generation_id).first()
    if found is None:
        return None
    return {**state(found), "final": found.job.is_final}


def origin_of(generation: Generation, *, seed: int) -> OriginFacts:
    """Everything that posting or remixing a picture needs to know of how it was made."""
    return OriginFacts(
        prompt=generation.prompt,
        negative_prompt=generation.negative_prompt,
        settings={
            "steps": generation.steps,
            "sampler": generation.sampler,
            "cfg_scale": generation.cfg_scale,
            "seed": seed,
            "width": generation.width,
            "height": generation.height,
            "clip_skip": generation.clip_skip,
        },
        resources=[
            resource_facts(
                generation.checkpoint,
                strength=1.0,
                sha256=catalog.primary_file(generation.checkpoint).sha256,
            ),
            *(
                resource_facts(item.version, strength=item.strength, sha256=item.sha256)
                for item in generation.resources.all()
            ),
        ],
        generator=GENERATOR,
    )


def resource_facts(version: ModelVersion, *, strength: float, sha256: str = "") -> dict[str, Any]:
    """A resource as an origin names it."""
    facts: dict[str, Any] = {
        "version_id": version.pk,
        "name": version.model.name,
        "version": version.name,
        "type": version.model.type,
        "strength": strength,
    }
    if sha256:
        facts["hash"] = sha256
    return facts
