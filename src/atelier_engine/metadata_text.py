"""Generation settings and their A1111 text: prompt, negative prompt, a line of parameters."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

_MAX_TEXT = 256 * 2**10
_MAX_FIELDS = 200
_MAX_RESOURCES = 64
_MAX_NAME = 300
_ENOUGH_FIELDS = 3

_KEY = re.compile(r"\s*([A-Za-z][A-Za-z0-9 _/+\-]{0,60}):\s*")
_INLINE = re.compile(
    r"<(lora|lyco|hypernet):([^:<>]{1,300})(?::(-?[0-9.]{1,12}))?(?::[^<>]{0,60})?>"
)
_SIZE = re.compile(r"(\d{1,5})\s*[xX]\s*(\d{1,5})")
_NEGATIVE = "Negative prompt:"
_KINDS = {"lyco": "lora", "locon": "lora", "dora": "lora", "embed": "embedding", "ti": "embedding"}


@dataclass(frozen=True, slots=True)
class Resource:
    """A model that took part: whatever the file says about it."""

    kind: str
    name: str | None = None
    hash: str | None = None
    air: str | None = None
    version: int | None = None
    strength: float | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What made a picture, as far as its file tells."""

    prompt: str = ""
    negative_prompt: str = ""
    steps: int | None = None
    sampler: str | None = None
    cfg_scale: float | None = None
    seed: int | None = None
    width: int | None = None
    height: int | None = None
    clip_skip: int | None = None
    model: str | None = None
    model_hash: str | None = None
    resources: tuple[Resource, ...] = ()
    generator: str | None = None
    other: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain values for our own record."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "resources"}
        values["resources"] = [
            {f.name: getattr(resource, f.name) for f in fields(resource)}
            for resource in self.resources
        ]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Settings":
        """Settings from untrusted plain values; what has the wrong type is left out."""
        listed = values.get("resources")
        others = values.get("other")
        return cls(
            prompt=_text(values.get("prompt"), _MAX_TEXT) or "",
            negative_prompt=_text(values.get("negative_prompt"), _MAX_TEXT) or "",
            steps=_whole(values.get("steps")),
            sampler=_text(values.get("sampler")),
            cfg_scale=_number(values.get("cfg_scale")),
            seed=_whole(values.get("seed")),
            width=_whole(values.get("width")),
            height=_whole(values.get("height")),
            clip_skip=_whole(values.get("clip_skip")),
            model=_text(values.get("model")),
            model_hash=_text(values.get("model_hash")),
            resources=tuple(
                _resource(entry)
                for entry in (listed if isinstance(listed, list) else [])[:_MAX_RESOURCES]
                if isinstance(entry, dict)
            ),
            generator=_text(values.get("generator")),
            other={
                str(key)[:_MAX_NAME]: str(value)[:_MAX_NAME]
                for key, value in list((others if isinstance(others, dict) else {}).items())[
                    :_MAX_FIELDS
                ]
            },
        )


def as_text(settings: Settings) -> str:
    """The text that A1111 writes and most sites read."""
    lines = []
    inline = {name for _, name, _ in _INLINE.findall(settings.prompt)}
    tags = [
        f"<lora:{resource.name}:{resource.strength:g}>"
        for resource in settings.resources
        if resource.kind == "lora"
        and resource.name
        and resource.strength is not None
        and resource.name not in inline
    ]
    lines.append(" ".join([settings.prompt, *tags]).strip())
    if settings.negative_prompt:
        lines.append(f"{_NEGATIVE} {settings.negative_prompt}")
    lines.append(", ".join(f"{key}: {value}" for key, value in _parameters(settings)))
    return "\n".join(lines)


def from_text(text: str) -> Settings | None:
    """Settings from A1111 text, or None where it is not such text."""
    text = text[:_MAX_TEXT].replace("\r\n", "\n").strip("\0 \n")
    lines = text.split("\n")
    for number in range(len(lines) - 1, -1, -1):
        found = _fields(" ".join(lines[number:]))
        if len(found) >= _ENOUGH_FIELDS and "Steps" in found:
            break
        if len(lines) - number > 8:  # noqa: PLR2004 - parameters stand at the end
            return None
    else:
        return None
    prompt, negative = _prompts(lines[:number])
    size = _SIZE.fullmatch(found.get("Size", ""))
    return Settings(
        prompt=prompt,
        negative_prompt=negative,
        steps=_whole(found.get("Steps")),
        sampler=_sampler(found),
        cfg_scale=_number(found.get("CFG scale")),
        seed=_whole(found.get("Seed")),
        width=int(size[1]) if size else None,
        height=int(size[2]) if size else None,
        clip_skip=_whole(found.get("Clip skip")),
        model=_text(found.get("Model")),
        model_hash=_text(found.get("Model hash")),
        resources=_resources(prompt, found),
        generator=_text(found.get("Version")),
        other={
            key: value[:_MAX_NAME]
            for key, value in found.items()
            if key not in _KNOWN and len(value) <= _MAX_NAME
        },
    )


_KNOWN = frozenset(
    (
        "Steps",
        "Sampler",
        "Schedule type",
        "CFG scale",
        "Seed",
        "Size",
        "Clip skip",
        "Model",
        "Model hash",
        "Version",
        "Lora hashes",
        "TI hashes",
        "Hashes",
        "Civitai resources",
    )
)


def _parameters(settings: Settings) -> list[tuple[str, str]]:
    size = f"{settings.width}x{settings.height}" if settings.width and settings.height else None
    hashes = {
        (f"lora:{r.name}" if r.kind == "lora" else r.kind if r.kind == "model" else r.name): r.hash
        for r in settings.resources
        if r.hash and r.name
    }
    if settings.model_hash:
        hashes = {"model": settings.model_hash, **hashes}
    loras = [f"{r.name}: {r.hash}" for r in settings.resources if r.kind == "lora" and r.hash]
    listed = [
        {
            key: value
            for key, value in (
                ("type", r.kind),
                ("modelName", r.name),
                ("modelVersionId", r.version),
                ("air", r.air),
                ("weight", r.strength),
            )
            if value is not None
        }
        for r in settings.resources
        if r.version is not None or r.air is not None
    ]
    pairs: list[tuple[str, object]] = [
        ("Steps", settings.steps),
        ("Sampler", settings.sampler),
        ("CFG scale", f"{settings.cfg_scale:g}" if settings.cfg_scale is not None else None),
        ("Seed", settings.seed),
        ("Size", size),
        ("Model hash", settings.model_hash),
        ("Model", settings.model),
        ("Clip skip", settings.clip_skip if settings.clip_skip != 1 else None),
        ("Lora hashes", json.dumps(", ".join(loras)) if loras else None),
        ("Hashes", json.dumps(hashes) if hashes else None),
        ("Civitai resources", json.dumps(listed) if listed else None),
        *settings.other.items(),
        ("Version", settings.generator),
    ]
    return [
        (key, _quoted(str(value)) if key not in ("Hashes", "Civitai resources") else str(value))
        for key, value in pairs
        if value is not None
    ]


def _quoted(value: str) -> str:
    if value.startswith('"') or not any(mark in value for mark in ',:\n"'):
        return value
    return json.dumps(value, ensure_ascii=False)


def _fields(line: str) -> dict[str, str]:
    """Parameters of a line, each value plain, quoted, or JSON; one pass from left to right."""
    found: dict[str, str] = {}
    decoder = json.JSONDecoder()
    position = 0
    while position < len(line) and len(found) < _MAX_FIELDS:
        key = _KEY.match(line, position)
        if key is None:
            comma = line.find(",", position)
            if comma < 0:
                break
            position = comma + 1
            continue
        position = key.end()
        value = ""
        if line[position : position + 1] in ('"', "[", "{"):
            try:
                decoded, position = decoder.raw_decode(line, position)
                value = decoded if isinstance(decoded, str) else json.dumps(decoded)
            except (ValueError, RecursionError):
                value = ""
        comma = line.find(",", position)
        end = comma if comma >= 0 else len(line)
        found.setdefault(key[1].strip(), value or line[position:end].strip())
        position = end + 1
    return found


def _prompts(lines: list[str]) -> tuple[str, str]:
    for number, line in enumerate(lines):
        if line.startswith(_NEGATIVE):
            negative = "\n".join([line.removeprefix(_NEGATIVE), *lines[number + 1 :]])
            return "\n".join(lines[:number]).strip(), negative.strip()
    return "\n".join(lines).strip(), ""


def _sampler(found: dict[str, str]) -> str | None:
    sampler, schedule = found.get("Sampler"), found.get("Schedule type", "Automatic")
    if sampler and schedule not in ("Automatic", "") and schedule not in sampler:
        return f"{sampler} {schedule}"[:_MAX_NAME]
    return _text(sampler)


def _resources(prompt: str, found: dict[str, str]) -> tuple[Resource, ...]:
    """Everything the text names, each model once."""
    merged: dict[tuple[str, str], dict[str, Any]] = {}

    def note(kind: str, name: object, **facts: object) -> None:
        kind = _KINDS.get(kind.lower(), kind.lower())[:40]
        key = (kind, str(name or facts.get("air") or facts.get("version"))[:_MAX_NAME])
        if key not in merged and len(merged) >= _MAX_RESOURCES:
            return
        entry = merged.setdefault(key, {"kind": kind, "name": name})
        entry.update({k: v for k, v in facts.items() if v is not None})

    for kind, name, strength in _INLINE.findall(prompt):
        note(kind, name.strip(), strength=strength or "1")
    _note_hashes(found, note)
    listed = _loads(found.get("Civitai resources"))
    for entry in listed[:_MAX_RESOURCES] if isinstance(listed, list) else ():
        if isinstance(entry, dict):
            note(
                str(entry.get("type") or "model"),
                entry.get("modelName"),
                version=entry.get("modelVersionId"),
                air=entry.get("air"),
                strength=entry.get("weight"),
                hash=entry.get("hash"),
            )
    return tuple(_resource(entry) for entry in merged.values())


def _note_hashes(found: dict[str, str], note: Callable[..., None]) -> None:
    for field_name, kind in (("Lora hashes", "lora"), ("TI hashes", "embedding")):
        for pair in found.get(field_name, "").strip('"').split(","):
            name, colon, digest = pair.partition(":")
            if colon:
                note(kind, name.strip(), hash=digest.strip())
    hashes = _loads(found.get("Hashes"))
    for name, digest in list(hashes.items())[:_MAX_RESOURCES] if isinstance(hashes, dict) else ():
        kind, colon, rest = str(name).partition(":")
        if kind == "model":
            note("model", rest or found.get("Model"), hash=digest)
        elif colon:
            note(kind, rest, hash=digest)


def _resource(entry: Mapping[str, Any]) -> Resource:
    return Resource(
        kind=_text(entry.get("kind")) or "model",
        name=_text(entry.get("name")),
        hash=_text(entry.get("hash")),
        air=_text(entry.get("air")),
        version=_whole(entry.get("version")),
        strength=_number(entry.get("strength")),
    )


def _loads(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def _text(value: object, limit: int = _MAX_NAME) -> str | None:
    return value[:limit].replace("\0", "") or None if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    number = _number(value)
    if number is None or not -(2**63) <= number < 2**63:
        return None
    # Seeds exceed what a float holds exactly.
    try:
        return int(str(value).strip())
    except ValueError:
        return int(number)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(str(value)[:32])
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
