from __future__ import annotations

import datetime as dt

import pytest

from atelier.bounties import briefs
from atelier.core import clock
from atelier.core.errors import Invalid

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("sparks", "said"),
    [
        (499, "is too small. A bounty pays at least 500 Sparks"),
        (0, "is too small. A bounty pays at least 500 Sparks"),
        (-1500, "is too small. A bounty pays at least 500 Sparks"),
        (100_000_001, "must be at most 100,000,000 Sparks"),
        (1500.0, "must be a whole number of Sparks"),
        ("1500", "must be a whole number of Sparks"),
        (True, "must be a whole number of Sparks"),
    ],
)
def test_an_amount_is_a_whole_number_of_enough_sparks(sparks: int, said: str) -> None:
    with pytest.raises(Invalid) as refusal:
        briefs.amount(sparks)

    assert [(error.field, error.rule) for error in refusal.value.errors] == [("amount", said)]


@pytest.mark.parametrize("sparks", [500, 501, 100_000_000])
def test_the_limits_of_an_amount_belong_to_it(sparks: int) -> None:
    assert briefs.amount(sparks) == sparks


def test_a_contribution_may_be_small_but_not_tiny() -> None:
    assert briefs.contribution(50) == 50
    with pytest.raises(Invalid, match="A contribution is at least 50 Sparks"):
        briefs.contribution(49)


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (NOW, "must lie in the future"),
        (NOW - dt.timedelta(seconds=1), "must lie in the future"),
        (NOW + dt.timedelta(days=90, seconds=1), "must be at most 90 days away"),
        ((NOW + dt.timedelta(days=1)).replace(tzinfo=None), "must say its offset from UTC"),
    ],
)
def test_a_deadline_lies_in_the_next_90_days_and_says_its_offset(
    moment: dt.datetime, said: str
) -> None:
    with clock.frozen(NOW), pytest.raises(Invalid, match=said):
        briefs.deadline(moment)


def test_a_deadline_is_kept_in_utc() -> None:
    with clock.frozen(NOW):
        found = briefs.deadline(dt.datetime.fromisoformat("2026-12-01T01:30:00+02:00"))

    assert found == dt.datetime(2026, 11, 30, 23, 30, tzinfo=dt.UTC)
    assert found.tzinfo is dt.UTC


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"title": "ab"}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"title": "bell \x07 ringing"}, "title"),
        ({"description": "  \n "}, "description"),
        ({"description": "x" * 10_001}, "description"),
        ({"description": "nul \0"}, "description"),
        ({"tags": [f"tag {number}" for number in range(11)]}, "tags"),
        ({"tags": ["x" * 41]}, "tags"),
        ({"tags": ["<b>"]}, "tags"),
    ],
)
def test_each_rule_of_the_words_names_its_field(words: dict[str, object], field: str) -> None:
    given = {"title": "A fox", "description": "A fox.", "tags": [], **words}

    with pytest.raises(Invalid) as refusal:
        briefs.brief(**given)  # type: ignore[arg-type]

    assert [error.field for error in refusal.value.errors] == [field]


def test_words_are_tidied() -> None:
    found = briefs.brief(title="  A\tsmall  fox ", description=" Red. ", tags=["Fox ", "fox", ""])

    assert (found.title, found.description, found.tags) == ("A small fox", "Red.", ["fox"])


@pytest.mark.parametrize(
    ("check", "field"), [(briefs.kind, "kind"), (briefs.rule, "rule"), (briefs.judge, "judge")]
)
def test_unknown_choices_are_refused_with_the_known_ones(check: object, field: str) -> None:
    with pytest.raises(Invalid, match=f"{field}: must be one of"):
        check("reactions")  # type: ignore[operator]
