"""Making models and versions, and changing what is said about them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db.models import Max

from atelier.catalog import locks
from atelier.catalog.models import AiModel, Clearance, ModelTag, ModelVersion, Source, Status, Tag
from atelier.catalog.vocabulary import BASE_MODELS, CommercialUse, License, ModelType
from atelier.core import clock, db, markdown
from atelier.core.errors import Invalid, NotOwner, WrongState
from atelier.likeness import services as likeness
from atelier.likeness.actions import Action
from atelier.likeness.refs import Ref

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atelier.accounts.models import User

MAX_NAME = 100
MAX_VERSION_NAME = 60
MAX_DESCRIPTION = 20_000
MAX_TAGS = 20
MAX_TAG = 40
MAX_WORDS = 30
MAX_WORD = 200
MAX_VERSIONS = 200
_TAG = re.compile(r"[\w][\w .'&+\-]*", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the maker lets others do."""

    license: str = License.OPENRAIL_M
    allow_no_credit: bool = True
    allow_commercial_use: Sequence[str] = field(default_factory=lambda: (CommercialUse.IMAGE,))
    allow_derivatives: bool = True
    allow_different_license: bool = True


def create_model(
    *,
    owner: User,
    name: str,
    type: str,  # noqa: A002 - the contract's word
    base_model: str = "",
    description: str = "",
    tags: Sequence[str] = (),
    permissions: Permissions | None = None,
) -> AiModel:
    """A draft that only its owner sees. ``base_model`` is what its versions are for by default."""
    allowed = permissions or Permissions()
    label = _text("name", name, least=1, most=MAX_NAME)
    if type not in ModelType.values:
        raise Invalid.field("type", f"must be one of {', '.join(ModelType.values)}")
    words = check_tags(tags)
    body = _text("description", description, least=0, most=MAX_DESCRIPTION)
    base = check_base_model(base_model) if base_model else ""
    fields = _permission_fields(allowed)
    with db.locking():
        likeness.decide(
            action=Action.MODEL_CREATE,
            actor_id=owner.pk,
            texts={"name": label, "description": body, "tags": " ".join(words)},
        )
        model = AiModel.objects.create(
            owner=owner,
            name=label,
            type=type,
            base_model=base,
            description=body,
            description_html=markdown.render(body),
            **fields,
        )
        set_tags(model, words)
    return model


def update_model(
    *,
    model: AiModel,
    actor: User,
    name: str | None = None,
    description: str | None = None,
    tags: Sequence[str] | None = None,
    permissions: Permissions | None = None,
) -> AiModel:
    """Change what is said about a model; what is not given stays."""
    with db.locking():
        row = locks.model(model.pk)
        _require_owner(row, actor)
        if row.status in {Status.HIDDEN, Status.REMOVED}:
            raise WrongState("Staff took this model down, so it cannot be changed now.")
        texts: dict[str, str] = {}
        if name is not None:
            row.name = texts["name"] = _text("name", name, least=1, most=MAX_NAME)
        if description is not None:
            row.description = texts["description"] = _text(
                "description", description, least=0, most=MAX_DESCRIPTION
            )
            row.description_html = markdown.render(row.description)
        if tags is not None:
            words = check_tags(tags)
            texts["tags"] = " ".join(words)
        if texts:
            likeness.decide(
                action=Action.MODEL_TEXT,
                actor_id=actor.pk,
                subjects=[Ref("model", row.pk)],
                texts=texts,
            )
        if tags is not None:
            set_tags(row, words)
        if permissions is not None:
            for key, value in _permission_fields(permissions).items():
                setattr(row, key, value)
        row.updated_at = clock.now()
        row.save()
    return row


def create_version(
    *,
    model: AiModel,
    actor: User,
    name: str,
    description: str = "",
    base_model: str = "",
    trained_words: Sequence[str] = (),
) -> ModelVersion:
    """A draft version for weights from elsewhere; it gets its files by uploads."""
    with db.locking():
        row = locks.model(model.pk)
        _require_owner(row, actor)
        if row.status in {Status.HIDDEN, Status.REMOVED}:
            raise WrongState("Staff took this model down, so it gets no new versions now.")
        base = check_base_model(base_model or row.base_model)
        label = _text("name", name, least=1, most=MAX_VERSION_NAME)
        body = _text("description", description, least=0, most=MAX_DESCRIPTION)
        words = check_words(trained_words)
        likeness.decide(
            action=Action.MODEL_TEXT,
            actor_id=actor.pk,
            subjects=[Ref("model", row.pk)],
            texts={"name": label, "description": body, "trained_words": ", ".join(words)},
        )
        return ModelVersion.objects.create(
            model=row,
            index=next_index(row),
            name=label,
            description=body,
            description_html=markdown.render(body),
            base_model=base,
            trained_words=words,
            source=Source.UPLOADED,
        )


def update_version(
    *,
    version: ModelVersion,
    actor: User,
    name: str | None = None,
    description: str | None = None,
    trained_words: Sequence[str] | None = None,
) -> ModelVersion:
    """Change what is said about a version; what is not given stays."""
    with db.locking():
        model, row = locks.version(version.pk)
        _require_owner(model, actor)
        if row.status in {Status.HIDDEN, Status.REMOVED}:
            raise WrongState("Staff took this version down, so it cannot be changed now.")
        texts: dict[str, str] = {}
        if name is not None:
            row.name = texts["name"] = _text("name", name, least=1, most=MAX_VERSION_NAME)
        if description is not None:
            row.description = texts["description"] = _text(
                "description", description, least=0, most=MAX_DESCRIPTION
            )
            row.description_html = markdown.render(row.description)
        if trained_words is not None:
            row.trained_words = check_words(trained_words)
            texts["trained_words"] = ", ".join(row.trained_words)
        if texts:
            likeness.decide(
                action=Action.MODEL_TEXT,
                actor_id=actor.pk,
                subjects=_known(model, row),
                texts=texts,
            )
        row.updated_at = clock.now()
        row.save()
    return row


def _known(model: AiModel, version: ModelVersion) -> list[Ref]:
    """What a version's words are about; weights that nobody examined say nothing yet."""
    refs = [Ref("model", model.pk)]
    if version.clearance == Clearance.CLEARED:
        refs.append(Ref("version", version.pk))
    return refs


def next_index(model: AiModel) -> int:
    """The place of a model's next version. The caller holds the model's lock."""
    last = model.versions.aggregate(last=Max("index"))["last"]
    if last is not None and last + 1 >= MAX_VERSIONS:
        raise Invalid.field("version", f"a model has at most {MAX_VERSIONS} versions")
    return 0 if last is None else last + 1


def check_base_model(name: str) -> str:
    """A base model that the site knows."""
    if name not in BASE_MODELS:
        raise Invalid.field("base_model", f"must be one of {', '.join(BASE_MODELS)}")
    return name


def check_tags(tags: Sequence[str]) -> list[str]:
    """Tags as they are stored: lower case, each once, in the order given."""
    found: list[str] = []
    for tag in tags:
        word = " ".join(tag.lower().split())
        if not word:
            continue
        if len(word) > MAX_TAG or not _TAG.fullmatch(word):
            raise Invalid.field("tags", f"each is letters, digits and spaces, at most {MAX_TAG}")
        if word not in found:
            found.append(word)
    if len(found) > MAX_TAGS:
        raise Invalid.field("tags", f"at most {MAX_TAGS}")
    return found


def check_words(words: Sequence[str]) -> list[str]:
    """Trained words as they are stored."""
    found = list(dict.fromkeys(word.strip() for word in words if word.strip()))
    if len(found) > MAX_WORDS or any(len(word) > MAX_WORD for word in found):
        raise Invalid.field(
            "trained_words", f"at most {MAX_WORDS}, each at most {MAX_WORD} characters"
        )
    for word in found:
        _text("trained_words", word, least=1, most=MAX_WORD)
    return found


def _text(field_name: str, text: str, *, least: int, most: int) -> str:
    stripped = text.strip()
    if "\0" in stripped:
        raise Invalid.field(field_name, "must not hold a null character")
    if not least <= len(stripped) <= most:
        raise Invalid.field(field_name, f"must be {least} to {most} characters")
    return stripped


def _permission_fields(permissions: Permissions) -> dict[str, object]:
    if permissions.license not in License.values:
        raise Invalid.field("license", f"must be one of {', '.join(License.values)}")
    uses = list(dict.fromkeys(permissions.allow_commercial_use))
    if any(use not in CommercialUse.values for use in uses):
        raise Invalid.field(
            "allow_commercial_use", f"each is one of {', '.join(CommercialUse.values)}"
        )
    return {
        "license": permissions.license,
        "allow_no_credit": permissions.allow_no_credit,
        "allow_commercial_use": uses,
        "allow_derivatives": permissions.allow_derivatives,
        "allow_different_license": permissions.allow_different_license,
    }


def _require_owner(model: AiModel, actor: User) -> None:
    if model.owner_id != actor.pk:
        raise NotOwner("Only its maker can change this model.")


def set_tags(model: AiModel, words: list[str]) -> None:
    """Exactly these tags, checked before. The caller holds the model's lock."""
    Tag.objects.bulk_create([Tag(name=word) for word in sorted(words)], ignore_conflicts=True)
    wanted = set(Tag.objects.filter(name__in=words).values_list("id", flat=True))
    ModelTag.objects.filter(model=model).exclude(tag_id__in=wanted).delete()
    ModelTag.objects.bulk_create(
        [ModelTag(model=model, tag_id=tag_id) for tag_id in sorted(wanted)], ignore_conflicts=True
    )
