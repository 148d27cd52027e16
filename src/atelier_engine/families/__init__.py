"""The model families that this engine can draw with and train, by base-model name."""

from atelier_engine.families import atelier
from atelier_engine.families.base import Family, Layout, Sampler, Size, UnknownFamilyError

__all__ = ["Family", "Layout", "Sampler", "Size", "UnknownFamilyError", "find", "names"]

_FAMILIES: dict[str, Family] = {atelier.FAMILY.name: atelier.FAMILY}


def find(name: str) -> Family:
    """The family of a base model, or UnknownFamilyError."""
    try:
        return _FAMILIES[name]
    except KeyError:
        raise UnknownFamilyError(name) from None


def names() -> tuple[str, ...]:
    """Base-model names that can be generated with and trained on here."""
    return tuple(_FAMILIES)
