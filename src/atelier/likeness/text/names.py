"""Finding public names, also misspelt, joined, split or reversed.

All of it is set look-ups over windows of at most four words; near misses are found by the deletions
that a misspelling shares with the name, so that time grows with the text alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from itertools import accumulate
from typing import TYPE_CHECKING

from atelier.likeness.text.normalise import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from atelier.likeness.text.normalise import Folded, Token

MOST_WORDS = 4
# Shorter names have too many neighbours that are ordinary words.
FUZZY_LENGTH = 9
INSIDE_LENGTH = 10
LONGEST_WINDOW = 28
# One slip in nine letters leaves the first or the last four whole.
EDGE = 4
_CUE = re.compile(
    r"(?:photo|photograph|picture|portrait|face|likeness|lora|model|look) of|celebrity|actor|"
    r"actress|singer|golfer|rapper|athlete|famous"
)


@dataclass(frozen=True, slots=True)
class Name:
    """A public name; an unsure one is also made of ordinary words."""

    shown: str
    compact: str
    unsure: bool


@dataclass(frozen=True, slots=True)
class _Index:
    exact: dict[str, Name]
    deletions: dict[str, tuple[Name, ...]]
    heads: frozenset[str]
    tails: frozenset[str]
    fuzzy_heads: frozenset[str]
    fuzzy_tails: frozenset[str]
    starts: dict[str, tuple[Name, ...]]


def _compact(text: str) -> str:
    return "".join(character for character in fold(text).text if "a" <= character <= "z")


def _deletions(word: str) -> Iterator[str]:
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]


@cache
def _index() -> _Index:
    lines = (
        resources.files("atelier.likeness")
        .joinpath("data/public_names.txt")
        .read_text(encoding="utf-8")
        .splitlines()
    )
    names = []
    for line in lines:
        text = line.strip()
        if text and not text.startswith("#"):
            shown = text.lstrip("~")
            names.append(Name(shown, _compact(shown), unsure=text.startswith("~")))
    deletions: dict[str, list[Name]] = {}
    starts: dict[str, list[Name]] = {}
    for name in names:
        if name.unsure:
            continue
        if len(name.compact) >= FUZZY_LENGTH:
            for variant in {name.compact, *_deletions(name.compact)}:
                deletions.setdefault(variant, []).append(name)
        if len(name.compact) >= INSIDE_LENGTH:
            starts.setdefault(name.compact[:INSIDE_LENGTH], []).append(name)
    fuzzy = [name for name in names if not name.unsure and len(name.compact) >= FUZZY_LENGTH]
    both_ways = [text for name in names for text in (name.compact, name.compact[::-1])]
    return _Index(
        exact={name.compact: name for name in names},
        deletions={variant: tuple(found) for variant, found in deletions.items()},
        heads=frozenset(text[:EDGE] for text in both_ways),
        tails=frozenset(text[-EDGE:] for text in both_ways),
        fuzzy_heads=frozenset(name.compact[:EDGE] for name in fuzzy),
        fuzzy_tails=frozenset(name.compact[-EDGE:] for name in fuzzy),
        starts={start: tuple(found) for start, found in starts.items()},
    )


def find(words: Sequence[Token], folded: Folded, original: str) -> Iterator[tuple[Name, int, int]]:
    """Each name with its range in the folded text."""
    index = _index()
    for first, last, window in _windows(words, index):
        name = _match(window)
        if name is not None and (
            not name.unsure or _surely(folded, original, words[first].start, words[last].end)
        ):
            yield name, words[first].start, words[last].end
    for token in words:
        if len(token.word) > INSIDE_LENGTH:
            name = _inside(token.word, index)
            if name is not None:
                yield name, token.start, token.end


def _windows(words: Sequence[Token], index: _Index) -> Iterator[tuple[int, int, str]]:
    """Up to four words run together, where their first or last letters are those of some name.

    A slip leaves one end whole, so nothing is missed, and most windows are never looked at.
    """
    joined = "".join(token.word for token in words)
    edges = list(accumulate((len(token.word) for token in words), initial=0))
    closes = [joined[max(0, end - EDGE) : end] in index.tails for end in edges[1:]]
    count = len(words)
    for first in range(count):
        start = edges[first]
        opens = joined[start : start + EDGE] in index.heads
        for last in range(first, min(first + MOST_WORDS, count)):
            if (opens or closes[last]) and edges[last + 1] - start <= LONGEST_WINDOW:
                yield first, last, joined[start : edges[last + 1]]


@lru_cache(maxsize=65_536)
def _match(window: str) -> Name | None:
    index = _index()
    found = index.exact.get(window)
    if found is not None or len(window) < FUZZY_LENGTH - 1:
        return found
    backwards = index.exact.get(window[::-1])
    if backwards is not None and not backwards.unsure:
        return backwards
    if window[:EDGE] not in index.fuzzy_heads and window[-EDGE:] not in index.fuzzy_tails:
        return None
    for variant in (window, *_deletions(window)):
        for name in index.deletions.get(variant, ()):
            if _one_slip(window, name.compact):
                return name
    return None


def _inside(window: str, index: _Index) -> Name | None:
    for place in range(len(window) - INSIDE_LENGTH + 1):
        for name in index.starts.get(window[place : place + INSIDE_LENGTH], ()):
            if window.startswith(name.compact, place):
                return name
    return None


def _one_slip(one: str, other: str) -> bool:
    """Whether one letter was added, dropped, changed, or swapped with its neighbour."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    shorter = min(len(one), len(other))
    while start < shorter and one[start] == other[start]:
        start += 1
    one, other = one[start:], other[start:]
    if len(one) == len(other):
        return one[1:] == other[1:] or (one[:2] == other[:2][::-1] and one[2:] == other[2:])
    return one[1:] == other if len(one) > len(other) else one == other[1:]


def _surely(folded: Folded, original: str, start: int, end: int) -> bool:
    """An ordinary-looking name counts when written like a name, or beside a cue."""
    first, last = folded.span(start, end)
    written = original[first:last].split()
    if len(written) > 1 and all(word[:1].isupper() for word in written):
        return True
    return bool(_CUE.search(folded.text, max(0, start - 30), end + 30))
