"""Training LoRAs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from ninja import Field, Router, Schema

from atelier.api.v2.common import json_response, page_response, viewer_of
from atelier.catalog import queries as catalog
from atelier.core import events
from atelier.training import queries, services
from atelier.training.spec import DEFAULT_EPOCHS, Request, Settings

router = Router(tags=["Trainings"])


class TrainingIn(Schema):
    """What to learn from and how. What is left out takes the trainer's default."""

    name: str
    images: list[str] = Field(description="Media ids of your own ready pictures, 5 to 1,000")
    captions: list[str] = Field(default_factory=list, description="One for each picture")
    trigger_word: str
    base: int | str | None = Field(None, description="Version id or AIR of a base model")
    epochs: int = DEFAULT_EPOCHS
    sample_prompts: list[str] = Field(default_factory=list)
    repeats: int | None = None
    steps_per_epoch: int | None = None
    rank: int = 16
    alpha: float = 16.0
    learning_rate: float = 1e-3
    batch: int = 4
    seed: int = 0
    text_encoder: bool = True
    prior_preservation: bool = True
    flip: bool = True


class VersionIn(Schema):
    """What to call the model; ``model`` adds a version to one of yours instead."""

    name: str = ""
    description: str = ""
    tags: list[str] = Field(default_factory=list)
    model: int | None = None


@router.post("/trainings")
def create(request: HttpRequest, body: TrainingIn, dry_run: bool = False) -> HttpResponse:
    """Start a training, or with ``dry_run=1`` only price it."""
    viewer = viewer_of(request)
    asked = Request(
        name=body.name,
        media_ids=tuple(body.images),
        captions=tuple(body.captions),
        trigger_word=body.trigger_word,
        base=str(body.base or ""),
        epochs=body.epochs,
        sample_prompts=tuple(body.sample_prompts),
        settings=Settings(
            repeats=body.repeats,
            steps_per_epoch=body.steps_per_epoch,
            rank=body.rank,
            alpha=body.alpha,
            learning_rate=body.learning_rate,
            batch=body.batch,
            seed=body.seed,
            text_encoder=body.text_encoder,
            prior_preservation=body.prior_preservation,
            flip=body.flip,
        ),
    )
    if dry_run:
        planned = services.plan(owner=viewer.user, request=asked)
        return json_response(
            {
                "cost": planned.cost,
                "pictures": len(planned.pictures),
                "duplicates": planned.duplicates,
                "seconds": services.expected_seconds(planned),
            }
        )
    viewer.require("spend")
    made = services.start(owner=viewer.user, request=asked)
    found = queries.get_owned(owner=viewer.user, training_id=made.pk)
    return json_response(queries.state(found), status=201)


@router.get("/trainings")
def listing(
    request: HttpRequest, after: str | None = None, limit: int | None = None
) -> HttpResponse:
    """The caller's trainings, newest first."""
    page = queries.history(owner=viewer_of(request).user, after=after, limit=limit)
    return page_response(page, queries.state)


@router.get("/trainings/{training_id}")
def single(request: HttpRequest, training_id: str) -> HttpResponse:
    """One training: status, progress, and the epochs that arrived."""
    found = queries.get_owned(owner=viewer_of(request).user, training_id=training_id)
    return json_response(queries.state(found))


@router.delete("/trainings/{training_id}")
def cancel(request: HttpRequest, training_id: str) -> HttpResponse:
    """Stop a training; finished epochs stay, the rest is given back."""
    viewer = viewer_of(request)
    viewer.require("spend")
    found = queries.get_owned(owner=viewer.user, training_id=training_id)
    return json_response(queries.state(services.cancel(training=found, actor=viewer.user)))


@router.get("/trainings/{training_id}/events")
def live(request: HttpRequest, training_id: str) -> HttpResponse:
    """Live events: each is the whole state; a final one ends the stream."""
    found = queries.get_owned(owner=viewer_of(request).user, training_id=training_id)
    address = events.ticket_url(f"training:{found.pk}")
    return HttpResponseRedirect(address, preserve_request=True)


@router.post("/trainings/{training_id}/epochs/{number}/version")
def version(
    request: HttpRequest, training_id: str, number: int, body: VersionIn | None = None
) -> HttpResponse:
    """Make a draft version of an epoch; the same epoch again answers the same version."""
    viewer = viewer_of(request)
    viewer.require("write")
    asked = body or VersionIn()
    model = (
        catalog.model_for(model_id=asked.model, viewer=viewer.user)
        if asked.model is not None
        else None
    )
    made = services.version_from_epoch(
        training=queries.get_owned(owner=viewer.user, training_id=training_id),
        number=number,
        owner=viewer.user,
        name=asked.name,
        description=asked.description,
        tags=asked.tags,
        model=model,
    )
    return json_response(
        {
            "id": made.pk,
            "model": made.model_id,
            "name": made.name,
            "model_name": made.model.name,
            "base_model": made.base_model,
            "trained_words": made.trained_words,
            "status": made.status,
            "training": made.training_id,
            "epoch": made.training_epoch,
            "images": made.sample_media_ids,
        },
        status=201,
    )
