"""One-colour BlurHashes."""

from __future__ import annotations

import pytest

from atelier.gallery.placeholder import blurhash


@pytest.mark.parametrize(
    ("colour", "text"),
    [("#000000", "000000"), ("#ffffff", "00TSUA"), ("#336699", "005?}k"), ("", "000000")],
)
def test_a_colour_is_its_own_hash(colour: str, text: str) -> None:
    assert blurhash(colour) == text
