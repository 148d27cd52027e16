"""How likeness names things of other domains."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

# Kinds whose references are the wire contract's integers; the others are opaque strings.
INTEGER_KINDS = frozenset({"model", "version", "file", "image", "post", "user"})
KINDS = INTEGER_KINDS | {
    "media",
    "bounty",
    "entry",
    "training",
    "dataset",
    "generation",
    "comment",
    "review",
    "wish",
    "collection",
}


@dataclass(frozen=True, slots=True, init=False)
class Ref:
    """One thing: its kind, and its id as text."""

    kind: str
    id: str

    def __init__(self, kind: str, id: str | int) -> None:  # noqa: A002 - the field's plain name
        text = str(id)
        if kind not in KINDS or not text or (kind in INTEGER_KINDS and not text.isdigit()):
            message = f"no such kind of thing, or not its kind of id: {kind!r} {text!r}"
            raise ValueError(message)
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "id", text)

    @override
    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"
