"""Asking for pictures: rules, resources, the decision, the price, and then the queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from atelier.accounts import services as accounts
from atelier.catalog import queries as catalog
from atelier.catalog.models import ModelFile, ModelVersion, Source
from atelier.catalog.vocabulary import ModelType
from atelier.core.errors import Invalid, NotFound
from atelier.core.ids import new_id
from atelier.generation import spec
from atelier.generation.models import Generation, GenerationResource
from atelier.jobs import services as jobs
from atelier.jobs.models import JobKind
from atelier.likeness import services as likeness
from atelier.likeness.actions import Action
from atelier.likeness.refs import Ref

if TYPE_CHECKING:
    from atelier.accounts.models import User
    from atelier.generation.spec import Request, Settings

LORA_TYPES = frozenset({ModelType.LORA, ModelType.LOCON, ModelType.DORA})


@dataclass(frozen=True, slots=True)
class ResolvedResource:
    """A LoRA that this person may draw with, bound to its bytes."""

    version: ModelVersion
    strength: float
    sha256: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A request with everything looked up and nothing left open."""

    settings: Settings
    checkpoint: ModelVersion
    resources: tuple[ResolvedResource, ...]
    cost: int

    @property
    def affinity(self) -> str:
        """What a worker must have in memory to draw this without loading anything."""
        loras = ",".join(sorted(resource.sha256[:16] for resource in self.resources))
        return f"{self.checkpoint.pk}+{loras}"[:200]


def plan(*, owner: User, request: Request) -> Plan:
    """Check a request and price it, without asking the judge and without storing anything.

    Raises :class:`Invalid` naming each broken rule, and the catalog's refusals for models that this
    person may not draw with.
    """
    spec.check_resources(request)
    resources = _resources(owner, request)
    checkpoint = _checkpoint(owner, request, resources)
    settings = spec.settle(request, spec.family_of(checkpoint.base_model))
    for place, resource in enumerate(resources):
        if resource.version.base_model != checkpoint.base_model:
            raise Invalid.field(
                f"resources.{place}.version",
                f"is made for {resource.version.base_model}, but the picture is drawn with "
                f"{checkpoint.base_model}",
            )
    return Plan(
        settings=settings,
        checkpoint=checkpoint,
        resources=resources,
        cost=quote(steps=settings.steps, quantity=settings.quantity),
    )


def quote(*, steps: int, quantity: int) -> int:
    """The price of a generation in Sparks."""
    return spec.price_of_picture(steps) * quantity


def request(*, owner: User, request: Request) -> Generation:
    """Ask for pictures: decided first, then held and queued, or nothing at all.

    Raises everything that :func:`plan` does, the judge's refusals, and ``InsufficientSparks``.
    """
    accounts.require_active(owner)
    planned = plan(owner=owner, request=request)
    generation_id = new_id("gen")
    decision = likeness.decide(
        action=Action.GENERATION_ENQUEUE,
        actor_id=owner.pk,
        subjects=subjects(planned.checkpoint, [item.version for item in planned.resources]),
        texts=texts(planned.settings.prompt, planned.settings.negative_prompt),
    )
    settings = planned.settings
    with transaction.atomic():
        job = jobs.submit(
            kind=JobKind.GENERATION,
            owner=owner,
            subject_id=generation_id,
            title=f"Generation of {_pictures(settings.quantity)}",
            cost_sparks=planned.cost,
            units_total=settings.quantity,
            affinity=planned.affinity,
        )
        generation = Generation.objects.create(
            id=generation_id,
            owner=owner,
            job=job,
            checkpoint=planned.checkpoint,
            base_model=planned.checkpoint.base_model,
            prompt=settings.prompt,
            negative_prompt=settings.negative_prompt,
            width=settings.width,
            height=settings.height,
            steps=settings.steps,
            cfg_scale=settings.cfg_scale,
            sampler=settings.sampler,
            clip_skip=settings.clip_skip,
            seed=settings.seed,
            quantity=settings.quantity,
            decision_id=decision.id,
        )
        GenerationResource.objects.bulk_create(
            GenerationResource(
                generation=generation,
                position=position,
                version=resource.version,
                strength=resource.strength,
                sha256=resource.sha256,
            )
            for position, resource in enumerate(planned.resources)
        )
        likeness.register_resource(
            kind="generation",
            ref=generation.pk,
            owner_id=owner.pk,
            parents=subjects(planned.checkpoint, [item.version for item in planned.resources]),
            decision_id=decision.id,
        )
    return generation


def cancel(*, generation: Generation, actor: User) -> Generation:
    """Stop drawing; pictures that are finished stay and are paid, the rest is given back."""
    jobs.cancel(job_id=generation.job_id, actor=actor)
    generation.job.refresh_from_db()
    return generation


def subjects(checkpoint: ModelVersion, loras: list[ModelVersion]) -> list[Ref]:
    """What the judge looks at: every model that takes part."""
    return [Ref("version", version.pk) for version in (checkpoint, *loras)]


def texts(prompt: str, negative_prompt: str) -> dict[str, str]:
    """The words that the judge reads."""
    return {"prompt": prompt, "negative_prompt": negative_prompt}


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count} pictures"


def _resources(owner: User, request: Request) -> tuple[ResolvedResource, ...]:
    resolved: list[ResolvedResource] = []
    for place, choice in enumerate(request.resources):
        name = f"resources.{place}.version"
        version, file = _resolve(owner, name, choice.version)
        if version.model.type not in LORA_TYPES:
            raise Invalid.field(name, f"is a {version.model.type}, not a LoRA")
        if any(other.version.pk == version.pk for other in resolved):
            raise Invalid.field(name, "is in the list already; give it one strength")
        resolved.append(ResolvedResource(version, choice.strength, file.sha256))
    return tuple(resolved)


def _checkpoint(
    owner: User, request: Request, resources: tuple[ResolvedResource, ...]
) -> ModelVersion:
    if not request.checkpoint:
        base_model = resources[0].version.base_model if resources else ""
        return catalog.base_version(base_model)
    version, _ = _resolve(owner, "checkpoint", request.checkpoint)
    if version.model.type != ModelType.CHECKPOINT:
        raise Invalid.field("checkpoint", f"is a {version.model.type}, not a checkpoint")
    return version


def _resolve(owner: User, name: str, reference: str) -> tuple[ModelVersion, ModelFile]:
    """A version and its file, if this person may draw with it; what is hidden does not exist."""
    try:
        version = catalog.resolve(reference)
        return version, catalog.generatable(version=version, viewer=owner)
    except NotFound:
        raise Invalid.field(
            name, f"there is no model {reference[:80]} that this site can draw with"
        ) from None


def is_built_in(checkpoint: ModelVersion) -> bool:
    """Whether a checkpoint is the base that the engine brings along."""
    return checkpoint.source == Source.BASE
