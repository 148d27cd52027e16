"""Reading a text for rules: links to people, relations, public names, sexual words, minors.

Every expression is bounded, so the time grows with the length of the text and with nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from atelier.likeness.text import lexicon, names
from atelier.likeness.text.normalise import (
    Folded,
    fold,
    has_two_readings,
    tokens,
    without_syntax,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from atelier.likeness.text.normalise import Token

MAX_TEXT = 50_000
MAX_HITS = 50
MAX_SHOWN = 80

PROFILE_LINK = "text.profile_link"
SOCIAL_HANDLE = "text.social_handle"
HANDLE = "text.handle"
RELATION = "text.relation"
RELATION_MENTION = "text.relation_mention"
SAME_PERSON = "text.same_person"
ABUSE = "text.abuse"
PUBLIC_NAME = "text.public_name"
SEXUAL = "text.sexual"
MINOR = "text.minor"
MINOR_SEXUAL = "text.minor_sexual"
TOO_LONG = "text.too_long"


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule and the writer's own words that it matched."""

    rule: str
    matched: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What a text holds; an empty one is an ordinary text."""

    hits: tuple[Hit, ...] = ()

    def of(self, *rules: str) -> tuple[Hit, ...]:
        """The hits of these rules."""
        return tuple(hit for hit in self.hits if hit.rule in rules)

    def has(self, *rules: str) -> bool:
        """Whether any of these rules matched."""
        return any(hit.rule in rules for hit in self.hits)


_DOT = r"\s{0,2}(?:\.|\(dot\)|\[dot\]|\bdot\b)\s{0,2}"
_SLASH = r"\s{0,2}(?:/|\bslash\b)\s{0,2}"
_PROFILE_LINKS = re.compile(
    rf"(?<![\w])(?:(?:{lexicon.SOCIAL_SITES}){_DOT}(?:com|net|org|me|ru|cn){_SLASH}@?[\w.\-]{{1,40}}"
    rf"|(?:x|fb|instagr){_DOT}(?:com|me|am){_SLASH}@?[\w.\-]{{2,40}}"
    rf"|t{_DOT}me{_SLASH}[\w]{{3,40}}"
    rf"|youtube{_DOT}com{_SLASH}(?:@|c/|channel/|user/)[\w.\-]{{2,40}}"
    rf"|twitch{_DOT}tv{_SLASH}[\w]{{2,40}}"
    rf"|reddit{_DOT}com{_SLASH}(?:u|user)/[\w\-]{{2,40}}"
    rf"|bsky{_DOT}app{_SLASH}profile/[\w.\-]{{2,40}}"
    rf"|linktr{_DOT}ee{_SLASH}[\w.\-]{{2,40}})"
)
_SOCIAL_HANDLES = re.compile(
    rf"\b(?:{lexicon.SOCIAL_WORDS})\s(?:handle|name|account|profile|page|user|username|id)\s(?:is\s)?"
    r"[\w.]{3,30}"
    rf"|\b(?:{lexicon.SOCIAL_WORDS})\b(?:\s(?:handle|name|account|profile|page|user|username|id|is)){{0,2}}"
    r"\s{0,3}(?:[:=@]|->|\bat\b)\s{0,3}@?[\w.]{3,30}"
    rf"|(?<![\w.@/])@[a-z_][a-z0-9_.]{{2,29}}\s{{1,3}}(?:on|from|at)\s(?:{lexicon.SOCIAL_WORDS})\b"
    rf"|\b(?:her|his|their|my|find (?:her|him)|follow (?:her|him|me))\s(?:on\s)?"
    rf"(?:{lexicon.SOCIAL_WORDS})\b"
)
_HANDLES = re.compile(r"(?<![\w.@/])@[a-z_][a-z0-9_.]{2,29}")
_MINE_EN = r"(?:my|our|my (?:best )?friend's|a friend's|my buddy's)"
_ADJECTIVES = r"(?:[a-z\-]{1,15}\s){0,2}"


def _relation(possessive: str, nouns: str) -> str:
    return rf"\b{possessive}\s{_ADJECTIVES}(?:ex[\s-])?(?:{nouns})\b"


_ANY_RELATION = "|".join(
    (
        _relation(_MINE_EN, lexicon.RELATIONS_EN),
        _relation(r"(?:mein|meine|meiner|meinem|meinen)", lexicon.RELATIONS_DE),
        _relation(r"mi", lexicon.RELATIONS_ES),
        _relation(r"(?:ma|mon|mes)", lexicon.RELATIONS_FR),
    )
)
_CLOSE_RELATION = "|".join(
    (
        _relation(_MINE_EN, lexicon.RELATIONS_CLOSE_EN),
        _relation(r"(?:mein|meine|meiner|meinem|meinen)", lexicon.RELATIONS_DE),
        _relation(r"mi", lexicon.RELATIONS_ES),
        _relation(r"(?:ma|mon|mes)", lexicon.RELATIONS_FR),
    )
)
_RELATIONS = re.compile(
    rf"\b(?:{lexicon.DEPICTIONS})\s(?:[a-z\-]{{1,15}}\s){{0,3}}?(?:of|from|featuring|with|von|de|d)\s"
    rf"(?:[a-z\-]{{1,15}}\s){{0,2}}?(?:{_ANY_RELATION})"
    rf"|\b(?:{lexicon.ACTS})\s(?:[a-z\-]{{1,15}}\s){{0,2}}?(?:{_ANY_RELATION})(?!'s?\s(?!face|photo|"
    r"picture|pic|body|head|look))"
    rf"|(?:{_ANY_RELATION})(?:'s)?\s(?:[a-z\-]{{1,15}}\s)?(?:photos?|pictures?|pics?|nudes?|face|body|"
    r"likeness|selfies?|instagram|insta|tiktok|onlyfans|profile)\b"
)
# What somebody's relation says or does about the commission is no depiction of them.
_MENTIONS = re.compile(
    rf"(?<!\bfor\s)(?<!\bwith\s)(?<!\bto\s)(?<!\bfrom\s)(?<!\band\s)(?:{_CLOSE_RELATION})"
    r"(?!'s?\b)(?!\s(?:also\s|really\s|always\s|and\si\s)?(?:loves?|likes?|loved|liked|says?|said|thinks?|"
    r"thought|asked|asks|wants?|wanted|needs?|suggested|helps?|helped|hates?|made|makes|made|drew|draws|"
    r"wrote|writes|runs|owns|has|had|bought|plays|played|works|uses|used|told|showed|enjoys?|collects|"
    r"who\s|and\si\b|fight|battle|monster|room|character|enemy|sprite|level|design))"
)
_SAME_PERSON = re.compile("|".join(rf"(?<![\w])(?:{part})" for part in lexicon.SAME_PERSON))
_DENIED = re.compile(rf"\b{lexicon.DENIALS}\s(?:[a-z\-]{{1,15}}\s){{0,3}}$")
_ABUSES = re.compile("|".join(rf"(?<![\w])(?:{part})" for part in lexicon.ABUSES))
_SEXUAL_PHRASES = re.compile("|".join(lexicon.SEXUAL_PHRASES))
_MINOR_PHRASES = re.compile("|".join(lexicon.MINOR_PHRASES))
_SPACES = re.compile(r"\s+")


def audit(text: str) -> Findings:
    """Everything in a text that a rule may ask about, with the writer's own words."""
    if not text or text.isspace():
        return Findings()
    if len(text) > MAX_TEXT:
        return Findings((Hit(TOO_LONG, text[:MAX_SHOWN], 0, len(text)),))
    folded = fold(text)
    closed = without_syntax(folded)
    seen: set[tuple[str, int]] = set()
    hits: list[Hit] = []
    for rule, start, end, source in chain(
        _patterns(folded),
        _vocabulary(folded, text),
        () if closed is folded else _vocabulary(closed, text),
    ):
        first, last = source.span(start, end)
        if (rule, first) in seen or len(hits) >= MAX_HITS:
            continue
        seen.add((rule, first))
        hits.append(Hit(rule, text[first:last][:MAX_SHOWN], first, last))
    return Findings(tuple(hits))


def _single_spaced(folded: Folded) -> Folded:
    """Runs of white space as one space, so that expressions need not repeat themselves."""
    letters: list[str] = []
    places: list[int] = []
    last = 0
    for match in _SPACES.finditer(folded.text):
        letters.append(folded.text[last : match.start()] + " ")
        places.extend(folded.places[last : match.start() + 1])
        last = match.end()
    letters.append(folded.text[last:])
    places.extend(folded.places[last:])
    return Folded("".join(letters), tuple(places))


def _patterns(folded: Folded) -> Iterator[tuple[str, int, int, Folded]]:
    flat = _single_spaced(folded)
    for rule, pattern in (
        (PROFILE_LINK, _PROFILE_LINKS),
        (SOCIAL_HANDLE, _SOCIAL_HANDLES),
        (HANDLE, _HANDLES),
        (RELATION, _RELATIONS),
        (RELATION_MENTION, _MENTIONS),
        (ABUSE, _ABUSES),
        (SEXUAL, _SEXUAL_PHRASES),
        (MINOR, _MINOR_PHRASES),
    ):
        for match in pattern.finditer(flat.text):
            yield rule, match.start(), match.end(), flat
    for match in _SAME_PERSON.finditer(flat.text):
        before = flat.text[max(0, match.start() - 40) : match.start()]
        if not _DENIED.search(before):
            yield SAME_PERSON, match.start(), match.end(), flat


def _vocabulary(folded: Folded, original: str) -> Iterator[tuple[str, int, int, Folded]]:
    plain = tokens(folded)
    yield from _words(plain, folded, original)
    if has_two_readings(folded):
        for near in _changed(plain, tokens(folded, every=True)):
            yield from _words(near, folded, original)


def _changed(plain: list[Token], other: list[Token]) -> Iterator[list[Token]]:
    """The words that read differently, each run of them with its neighbours."""
    if len(plain) != len(other):
        yield other
        return
    near: set[int] = set()
    for place, (one, two) in enumerate(zip(plain, other, strict=True)):
        if one.word != two.word:
            near.update(range(place - names.MOST_WORDS + 1, place + names.MOST_WORDS))
    run: list[Token] = []
    for place, token in enumerate(other):
        if place in near:
            run.append(token)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _words(
    words: list[Token], folded: Folded, original: str
) -> Iterator[tuple[str, int, int, Folded]]:
    for token in words:
        if token.word in lexicon.SEXUAL:
            yield SEXUAL, token.start, token.end, folded
        if token.word in lexicon.MINOR:
            yield MINOR, token.start, token.end, folded
        if token.word in lexicon.MINOR_SEXUAL:
            yield MINOR_SEXUAL, token.start, token.end, folded
    for _, start, end in names.find(words, folded, original):
        yield PUBLIC_NAME, start, end, folded
