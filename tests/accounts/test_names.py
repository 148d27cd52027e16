from __future__ import annotations

import pytest

from atelier.accounts import names
from atelier.core.errors import Invalid


def test_a_name_is_stored_in_small_letters() -> None:
    assert names.check(" Fox_42 ") == "fox_42"


@pytest.mark.parametrize("name", ["admin", "Moderator", "atelier", "settings"])
def test_names_of_the_site_are_not_given_out(name: str) -> None:
    with pytest.raises(Invalid):
        names.check_public(name)
    assert names.check(name) == name.lower()


def test_demo_names_are_kept() -> None:
    with pytest.raises(Invalid):
        names.check("demo_fox")
    assert names.check("demo_fox", is_demo=True) == "demo_fox"
    with pytest.raises(Invalid):
        names.check("fox", is_demo=True)
