"""Puts the demo community into a site, through the services that people use.

Every step is idempotent by what it makes (a name, a training id, a post key), so a load that was
killed in the middle goes on at the next start.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from atelier.accounts import queries as accounts_queries
from atelier.accounts import services as accounts
from atelier.catalog import services as catalog
from atelier.catalog.models import ModelVersion
from atelier.catalog.vocabulary import ATELIER_BASE
from atelier.core.errors import Forbidden, WrongState
from atelier.demo import bounties, plan
from atelier.gallery import services as gallery
from atelier.gallery.models import Image, Post
from atelier.gallery.provenance import ResourceSpec
from atelier.ledger import services as ledger
from atelier.media import services as media
from atelier.media.models import Media, Scan
from atelier.media.origins import OriginFacts
from atelier.social import services as social
from atelier.social.models import Comment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atelier.accounts.models import User

ASSETS = Path(__file__).with_name("assets")
START_SPARKS = 8000
PICTURES_PER_POST = 4
SIDE = 256


def login() -> dict[str, str]:
    """The demo account that a first visitor is told of."""
    return {"username": plan.LOGIN, "password": plan.PASSWORD}


def ensure() -> None:
    """Load everything that is missing. Refused when the site can be reached from elsewhere."""
    if not settings.ENVIRONMENT.on_loopback:
        raise Forbidden("Demo accounts exist only while the site listens on loopback.")
    facts = json.loads((ASSETS / "manifest.json").read_text(encoding="utf-8"))
    people = _people()
    base = _base()
    versions = _models(facts, people)
    _posts(facts, people, versions, base)
    _talk(people)
    bounties.ensure(people=people)


def _base() -> ModelVersion:
    """The base model's version, which every start of the site makes sure of before."""
    found = ModelVersion.objects.filter(source="base", status="published").order_by("-id").first()
    if found is None:
        raise WrongState("The base model is not in the catalog yet: start the site with `up`.")
    return found


def _people() -> dict[str, User]:
    people = {}
    for person in plan.PEOPLE:
        user = accounts_queries.by_username(person.name)
        if user is None:
            user = accounts.create_user(
                username=person.name,
                email=f"{person.name}@example.invalid",
                password=plan.PASSWORD,
                is_demo=True,
            )
        social.join(user=user)
        ledger.credit(
            user_id=user.pk,
            amount=START_SPARKS,
            kind="bought",
            reason="Demo Sparks",
            business_key=f"demo:credit:{person.name}",
            actor=None,
        )
        social.update_profile(user=user, display_name=person.shown, bio=person.bio)
        people[person.name] = user
    return people


def _models(facts: dict[str, Any], people: dict[str, User]) -> dict[str, ModelVersion]:
    versions = {}
    for model in facts["models"]:
        owner = people[model["creator"]]
        training_id = f"demo_{model['slug']}"
        made = ModelVersion.objects.filter(
            model__owner=owner, training_id=training_id, status="published"
        ).first()
        if made is None:
            rows = [row for row in facts["pictures"] if row["model"] == model["slug"]]
            drawn = [_picture(owner, row, resources=[]) for row in rows]
            # A drawing that the detectors take for a face, once compressed, is no sample.
            mistaken = Scan.objects.filter(media__in=drawn, real_faces__gt=0)
            left_out = set(mistaken.values_list("media_id", flat=True))
            samples = [picture for picture in drawn if picture.id not in left_out]
            made = catalog.register_trained_version(
                owner=owner,
                name=model["title"],
                trigger_words=[model["trigger"]],
                training_settings={"rank": 4, "alpha": 4, "steps": 90, "pictures": 12},
                sample_media_ids=[sample.id for sample in samples],
                training_id=training_id,
                epoch=1,
                safetensors_path=ASSETS / "loras" / f"{model['slug']}.safetensors",
                version_name="v1",
                description=model["text"],
                tags=model["tags"],
            )
            made = catalog.publish(version=made, actor=owner)
        versions[model["slug"]] = made
    return versions


def _picture(owner: User, row: dict[str, Any], *, resources: list[dict[str, Any]]) -> Media:
    """A picture of the demo as an output of this site's generator, which it is."""
    generation_id = f"demo:{row['file']}"
    made = Media.objects.filter(origin__generation_id=generation_id, owner=owner).first()
    if made is not None:
        return made
    return media.register_output(
        owner=owner,
        png_bytes=_png(ASSETS / "pictures" / row["file"]),
        origin=OriginFacts(
            prompt=row["prompt"],
            settings={
                "steps": row["steps"],
                "sampler": row["sampler"],
                "cfg_scale": row["cfg_scale"],
                "seed": row["seed"],
                "width": SIDE,
                "height": SIDE,
            },
            resources=[
                {"name": ATELIER_BASE, "type": "Checkpoint", "strength": 1.0},
                *resources,
            ],
            generator="atelier",
        ),
        generation_id=generation_id,
    )


def _png(path: Path) -> bytes:
    import io

    from PIL import Image as Pillow

    out = io.BytesIO()
    with Pillow.open(path) as picture:
        picture.convert("RGB").save(out, "PNG")
    return out.getvalue()


def _posts(
    facts: dict[str, Any],
    people: dict[str, User],
    versions: dict[str, ModelVersion],
    base: ModelVersion,
) -> None:
    """Base pictures in posts by everybody, and each model's pictures by somebody who likes it."""
    everyone = list(people.values())
    plain = [row for row in facts["pictures"] if not row["model"]]
    for number, start in enumerate(range(0, len(plain), PICTURES_PER_POST)):
        rows = plain[start : start + PICTURES_PER_POST]
        owner = everyone[number % len(everyone)]
        _post(owner, ", ".join(row["prompt"] for row in rows[:2]), rows, [base])
    for number, model in enumerate(facts["models"]):
        owner = everyone[(number * 5 + 1) % len(everyone)]
        if owner == people[model["creator"]]:
            owner = everyone[(number * 5 + 2) % len(everyone)]
        rows = [row for row in facts["pictures"] if row["model"] == model["slug"]][:2]
        # The same drawing is shown by its maker already; a fan posts it under a file of its own.
        _post(owner, f"Trying {model['title']}", rows, [base, versions[model["slug"]]], fan=True)


def _post(
    owner: User,
    title: str,
    rows: Sequence[dict[str, Any]],
    used: Sequence[ModelVersion],
    *,
    fan: bool = False,
) -> None:
    key = f"demo:{rows[0]['file']}{':fan' if fan else ''}"
    if Post.objects.filter(owner=owner, key=key).exists():
        return
    resources = [
        {
            "version_id": version.pk,
            "name": version.model.name,
            "type": version.model.type,
            "strength": row_strength,
        }
        for version, row_strength in ((used[-1], rows[0]["strength"] or 1.0),)
        if len(used) > 1
    ]
    pictures = [_picture(owner, row, resources=resources) for row in rows]
    specs = [
        gallery.ImageSpec(
            media_id=picture.id,
            resources=[ResourceSpec(version=version.pk) for version in used],
        )
        for picture in pictures
    ]
    gallery.create_post(owner=owner, title=title, images=specs, key=key)


def _talk(people: dict[str, User]) -> None:
    """Follows, reactions and comments, the same on every load."""
    rng = random.Random(11)  # noqa: S311 - a lifelike spread, not a secret
    everyone = list(people.values())
    for person in everyone:
        for other in rng.sample(everyone, 4):
            if other != person:
                social.follow(follower=person, followee=other)
    images = list(Image.objects.order_by("id").values_list("id", flat=True))
    for person in everyone:
        for image_id in rng.sample(images, min(18, len(images))):
            kind = rng.choice(("Like", "Heart", "Heart", "Laugh"))
            social.react(user=person, target_kind="image", target_id=image_id, kind=kind)
    if Comment.objects.exists():
        return
    for number, image_id in enumerate(rng.sample(images, min(30, len(images)))):
        social.comment(
            author=everyone[number % len(everyone)],
            target_kind="image",
            target_id=image_id,
            body=plan.COMMENTS[number % len(plan.COMMENTS)],
        )
