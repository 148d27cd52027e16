"""Drawing pictures."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from ninja import Field, Router, Schema

from atelier.api.v2.common import json_response, page_response, viewer_of
from atelier.core import events
from atelier.generation import queries, services
from atelier.generation.spec import Request, ResourceChoice

router = Router(tags=["Generations"])


class ResourceIn(Schema):
    """A LoRA and how strongly it acts, from -2 to 2."""

    version: int | str = Field(description="Version id or AIR")
    strength: float = 1.0


class GenerationIn(Schema):
    """What to draw. What is left out takes the base model's default."""

    prompt: str
    negative_prompt: str = ""
    checkpoint: int | str | None = Field(None, description="Version id or AIR")
    resources: list[ResourceIn] = Field(default_factory=list)
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    cfg_scale: float | None = None
    sampler: str | None = None
    clip_skip: int = 1
    seed: int | None = Field(None, description="0 to 4294967295; -1 or nothing for a random one")
    quantity: int = 1


@router.post("/generations")
def create(request: HttpRequest, body: GenerationIn, dry_run: bool = False) -> HttpResponse:
    """Ask for pictures, or with ``dry_run=1`` only for the price."""
    viewer = viewer_of(request)
    asked = Request(
        prompt=body.prompt,
        negative_prompt=body.negative_prompt,
        checkpoint=str(body.checkpoint or ""),
        resources=tuple(
            ResourceChoice(version=str(item.version), strength=item.strength)
            for item in body.resources
        ),
        width=body.width,
        height=body.height,
        steps=body.steps,
        cfg_scale=body.cfg_scale,
        sampler=body.sampler or "",
        clip_skip=body.clip_skip,
        seed=body.seed,
        quantity=body.quantity,
    )
    if dry_run:
        planned = services.plan(owner=viewer.user, request=asked)
        return json_response(
            {
                "cost": planned.cost,
                "checkpoint": planned.checkpoint.pk,
                "base_model": planned.checkpoint.base_model,
            }
        )
    viewer.require("spend")
    made = services.request(owner=viewer.user, request=asked)
    found = queries.get_owned(owner=viewer.user, generation_id=made.pk)
    return json_response(queries.state(found), status=201)


@router.get("/generations")
def listing(
    request: HttpRequest, after: str | None = None, limit: int | None = None
) -> HttpResponse:
    """The caller's generations, newest first."""
    page = queries.history(owner=viewer_of(request).user, after=after, limit=limit)
    return page_response(page, queries.state)


@router.get("/generations/{generation_id}")
def single(request: HttpRequest, generation_id: str) -> HttpResponse:
    """One generation: status, progress, place in the queue and finished pictures."""
    found = queries.get_owned(owner=viewer_of(request).user, generation_id=generation_id)
    return json_response(queries.state(found))


@router.delete("/generations/{generation_id}")
def cancel(request: HttpRequest, generation_id: str) -> HttpResponse:
    """Stop drawing; what is not finished is given back."""
    viewer = viewer_of(request)
    viewer.require("spend")
    found = queries.get_owned(owner=viewer.user, generation_id=generation_id)
    services.cancel(generation=found, actor=viewer.user)
    return json_response(
        queries.state(queries.get_owned(owner=viewer.user, generation_id=generation_id))
    )


@router.get("/generations/{generation_id}/events")
def live(request: HttpRequest, generation_id: str) -> HttpResponse:
    """Live events: each is the whole state; a final one ends the stream."""
    found = queries.get_owned(owner=viewer_of(request).user, generation_id=generation_id)
    address = events.ticket_url(f"generation:{found.pk}")
    return HttpResponseRedirect(address, preserve_request=True)
