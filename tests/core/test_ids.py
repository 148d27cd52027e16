from __future__ import annotations

import time

from atelier.core.ids import ALPHABET, LENGTH, OpaqueIdField, new_id


def test_an_id_says_what_it_is_and_is_made_of_unmistakable_characters() -> None:
    made = new_id("bty")
    prefix, _, rest = made.partition("_")
    assert prefix == "bty"
    assert len(rest) == LENGTH
    assert set(rest) <= set(ALPHABET)
    assert not set("ilou") & set(ALPHABET)


def test_ids_of_later_milliseconds_sort_later() -> None:
    first = new_id("x")
    begun = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 == begun:
        pass
    assert first < new_id("x")


def test_ids_do_not_repeat() -> None:
    assert len({new_id("x") for _ in range(5000)}) == 5000


def test_a_migration_keeps_the_prefix_and_no_default() -> None:
    _, path, _, kwargs = OpaqueIdField(prefix="tok").deconstruct()
    assert path == "atelier.core.ids.OpaqueIdField"
    assert kwargs["prefix"] == "tok"
    assert "default" not in kwargs
