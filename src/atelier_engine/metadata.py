"""Prompt, settings and resources inside picture files.

Written so that other tools read them, and read from whatever wrote them. Input is hostile: every
size is capped, and reading never raises.
"""

import io
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from PIL import Image, UnidentifiedImageError
from sd_parsers import ParserManager

from atelier_engine.metadata_text import Resource, Settings, as_text, from_text

__all__ = ["Resource", "Settings", "as_text", "exif", "from_text", "read", "write_png"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_OWN_KEYWORD = "atelier"
_MAX_FILE = 64 * 2**20
_MAX_TEXT = 2**20
_MAX_CHUNKS = 4_096
_USER_COMMENT = 0x9286
_EXIF_IFD = 0x8769
_FOREIGN_KEYS = frozenset(
    [
        "prompt",
        "workflow",
        "comment",
        "description",
        "invokeai_metadata",
        "sd-metadata",
        "dream",
        "fooocus_scheme",
        "software",
        "source",
    ]
)


class NotAPngError(ValueError):
    """Settings can be written into PNG files only."""


def write_png(
    data: bytes, settings: Settings, *, facts: dict[str, str | int] | None = None
) -> bytes:
    """The same pixels, with A1111's `parameters` and our own exact record in text chunks.

    Chunks of the same names that were there before are dropped.
    """
    if not data.startswith(_SIGNATURE):
        raise NotAPngError("Not a PNG file.")
    own = json.dumps({"version": 1, **settings.as_json(), "facts": facts or {}})
    new = _text_chunk("parameters", as_text(settings)) + _text_chunk(_OWN_KEYWORD, own)
    parts = [_SIGNATURE]
    for kind, body in _chunks(data):
        keyword = body.split(b"\0", 1)[0].decode("latin-1")
        if kind in (b"tEXt", b"iTXt", b"zTXt") and keyword in ("parameters", _OWN_KEYWORD):
            continue
        parts.append(_chunk(kind, body))
        if kind == b"IHDR":
            parts.append(new)
    return b"".join(parts)


def exif(settings: Settings) -> bytes:
    """EXIF with the settings as a user comment, for JPEG and WebP encoders."""
    block = Image.Exif()
    comment = b"UNICODE\0" + as_text(settings).encode("utf-16-be")
    block.get_ifd(_EXIF_IFD)[_USER_COMMENT] = comment
    return block.tobytes()


def read(data: bytes) -> Settings | None:
    """Settings of a picture file, or None where there are none that we understand."""
    if len(data) > _MAX_FILE:
        return None
    texts = _texts(data)
    for reader in (_own, _swarm, _a1111):
        settings = reader(texts)
        if settings is not None:
            return settings
    return _foreign(data, texts)


def _own(texts: dict[str, str]) -> Settings | None:
    found = _json(texts.get(_OWN_KEYWORD, ""))
    if not isinstance(found, dict) or found.get("version") != 1:
        return None
    return Settings.from_json(found)


def _swarm(texts: dict[str, str]) -> Settings | None:
    found = _json(texts.get("parameters", ""))
    values = found.get("sui_image_params") if isinstance(found, dict) else None
    if not isinstance(values, dict):
        return None
    names = values.get("loras")
    weights = values.get("loraweights")
    loras = names if isinstance(names, list) else str(names).split(",") if names else []
    strengths = weights if isinstance(weights, list) else str(weights or "").split(",")
    paired = [
        {"kind": "lora", "name": str(name), "strength": _at(strengths, index)}
        for index, name in enumerate(loras[:64])
    ]
    return Settings.from_json(
        {
            "prompt": values.get("prompt"),
            "negative_prompt": values.get("negativeprompt"),
            "steps": values.get("steps"),
            "sampler": values.get("sampler"),
            "cfg_scale": values.get("cfgscale"),
            "seed": values.get("seed"),
            "width": values.get("width"),
            "height": values.get("height"),
            "model": values.get("model"),
            "generator": "SwarmUI",
            "resources": paired,
        }
    )


def _a1111(texts: dict[str, str]) -> Settings | None:
    for key in ("parameters", "UserComment"):
        if texts.get(key):
            settings = from_text(texts[key])
            if settings is not None:
                return settings
    return None


def _foreign(data: bytes, texts: dict[str, str]) -> Settings | None:
    """ComfyUI, InvokeAI, NovelAI and Fooocus, as sd-parsers understands them."""
    if not _FOREIGN_KEYS & {key.lower() for key in texts} and "UserComment" not in texts:
        return None
    try:
        found = ParserManager().parse(io.BytesIO(data))
        if found is None:
            return None
        sampler = found.samplers[0] if found.samplers else None
        parameters: dict[str, Any] = dict(sampler.parameters) if sampler is not None else {}
        models = list(found.models)
        settings = Settings.from_json(
            {
                "prompt": found.full_prompt,
                "negative_prompt": found.full_negative_prompt,
                "steps": parameters.get("steps"),
                "sampler": sampler.name if sampler is not None else None,
                "cfg_scale": parameters.get("cfg_scale") or parameters.get("cfg"),
                "seed": parameters.get("seed"),
                "model": models[0].name if models else None,
                "model_hash": models[0].hash if models else None,
                "generator": found.generator.value,
            }
        )
    except Exception:  # noqa: BLE001 - a parser of foreign formats must not decide our fate
        return None
    if not settings.prompt and settings.steps is None:
        return None
    inline = from_text(f"{settings.prompt}\nSteps: 1, Sampler: x, Seed: 1")
    return replace(settings, resources=inline.resources) if inline is not None else settings


def _texts(data: bytes) -> dict[str, str]:
    if data.startswith(_SIGNATURE):
        try:
            return _png_texts(data)
        except (ValueError, struct.error, zlib.error):
            return {}
    try:
        with Image.open(io.BytesIO(data)) as opened:
            comment = opened.getexif().get_ifd(_EXIF_IFD).get(_USER_COMMENT)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError):
        return {}
    except (SyntaxError, KeyError, TypeError, struct.error):
        return {}
    text = _comment(comment)
    return {"UserComment": text} if text else {}


def _comment(value: object) -> str:
    if isinstance(value, str):
        return value[:_MAX_TEXT]
    if not isinstance(value, bytes):
        return ""
    head, body = value[:8], value[8 : 8 + _MAX_TEXT]
    if head == b"UNICODE\0":
        # The standard names no byte order; writers disagree. Latin text has its zeros in one place.
        big = body[0:64:2].count(0) >= body[1:64:2].count(0)
        return body.decode("utf-16-be" if big else "utf-16-le", errors="replace").strip("\0\ufeff")
    if head.startswith(b"ASCII") or head == b"\0" * 8:
        return body.decode("utf-8", errors="replace").strip("\0")
    return value[:_MAX_TEXT].decode("utf-8", errors="replace").strip("\0")


def _png_texts(data: bytes) -> dict[str, str]:
    texts: dict[str, str] = {}
    for kind, body in _chunks(data):
        if kind == b"tEXt" and len(body) <= _MAX_TEXT:
            keyword, _, text = body.partition(b"\0")
            # The standard says Latin-1, many writers put UTF-8.
            try:
                value = text.decode("utf-8")
            except UnicodeDecodeError:
                value = text.decode("latin-1")
            texts.setdefault(keyword.decode("latin-1"), value)
        elif kind == b"zTXt":
            keyword, _, rest = body.partition(b"\0")
            value = _inflate(rest[1:]).decode("latin-1")
            texts.setdefault(keyword.decode("latin-1"), value)
        elif kind == b"iTXt":
            keyword, _, rest = body.partition(b"\0")
            packed, rest = rest[:1] == b"\1", rest[2:]
            _, _, rest = rest.partition(b"\0")
            _, _, text = rest.partition(b"\0")
            plain = _inflate(text) if packed else text[:_MAX_TEXT]
            texts.setdefault(keyword.decode("latin-1"), plain.decode("utf-8", errors="replace"))
    return texts


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Chunks of a PNG; what stands behind the end or is cut off is not looked at."""
    position = len(_SIGNATURE)
    for _ in range(_MAX_CHUNKS * 16):
        if position + 12 > len(data):
            return
        size = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        if position + 12 + size > len(data):
            return
        yield kind, data[position + 8 : position + 8 + size]
        if kind == b"IEND":
            return
        position += 12 + size


def _chunk(kind: bytes, body: bytes) -> bytes:
    check = zlib.crc32(kind + body)
    return len(body).to_bytes(4, "big") + kind + body + check.to_bytes(4, "big")


def _text_chunk(keyword: str, text: str) -> bytes:
    """Plain where Latin-1 suffices, so that the oldest readers see it; else international."""
    name = keyword.encode("latin-1")
    if text.isascii():
        return _chunk(b"tEXt", name + b"\0" + text.encode("ascii"))
    return _chunk(b"iTXt", name + b"\0\0\0\0\0" + text.encode("utf-8"))


def _inflate(data: bytes) -> bytes:
    return zlib.decompressobj().decompress(data, _MAX_TEXT)


def _json(text: str) -> Any:
    if not text.lstrip().startswith("{") or len(text) > _MAX_TEXT:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else None
