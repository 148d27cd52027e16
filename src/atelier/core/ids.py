"""Opaque identifiers: a short prefix that says what it is, then 26 time-ordered characters.

Time order keeps b-tree inserts at the right edge. The layout of the 128 bits follows UUID version 7
(RFC 9562): 48 bits of Unix milliseconds, then random bits.
"""

from __future__ import annotations

import secrets
import time
from functools import partial
from typing import Any

from django.db import models
from typing_extensions import override

# Crockford's alphabet: no I, L, O, U, so an id survives being read aloud.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
RANDOM_BITS = 80
LENGTH = 26


def new_id(prefix: str) -> str:
    """A fresh identifier such as ``bty_01k9x…``; unique without asking the database."""
    number = (time.time_ns() // 1_000_000) << RANDOM_BITS | secrets.randbits(RANDOM_BITS)
    characters = []
    for _ in range(LENGTH):
        number, digit = divmod(number, 32)
        characters.append(ALPHABET[digit])
    return f"{prefix}_{''.join(reversed(characters))}"


class OpaqueIdField(models.CharField):  # type: ignore[type-arg]
    """Primary key holding :func:`new_id` with a fixed prefix."""

    def __init__(self, *, prefix: str = "", **kwargs: Any) -> None:
        self.prefix = prefix
        kwargs.setdefault("max_length", 40)
        kwargs.setdefault("primary_key", True)
        kwargs.setdefault("editable", False)
        kwargs.setdefault("default", partial(new_id, prefix))
        super().__init__(**kwargs)

    @override
    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs["prefix"] = self.prefix
        # The default follows from the prefix; a partial would change on every makemigrations.
        kwargs.pop("default", None)
        return name, path, args, kwargs
