"""Undoing what hides words: other alphabets' look-alikes, marks, invisible characters, digits for
letters, letters set apart, and the weights of prompt syntax.

Each folded character remembers where it stood, so that a match is shown in the writer's own text.
"""

# ruff: noqa: RUF001 - the look-alikes are the subject
from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# Look-alikes that NFKC leaves alone, by the Latin letter they pass for.
_LOOKALIKES = {
    "a": "аαɑᴀⲁꭺ", "b": "ьβƅʙвɓ", "c": "сϲᴄⅽ", "d": "ԁɗᴅժ", "e": "еεєҽᴇё", "f": "ƒϝꞙ", "g": "ɡցɢ",
    "h": "һհнʜ", "i": "іιıɩїɪ", "j": "јϳᴊ", "k": "кκᴋҝ", "l": "ӏⅼʟłا", "m": "мᴍϻ", "n": "ոηпɴռ",
    "o": "оοօᴏøσ", "p": "рρᴘ", "q": "ԛզ", "r": "гʀᴦ", "s": "ѕꜱʂ", "t": "тτᴛŧ", "u": "υսᴜц",
    "v": "νѵᴠ",
    "w": "ԝωшᴡɯ", "x": "хχ×", "y": "уγүʏ", "z": "ᴢʐ",
}  # fmt: skip
_FOLD = {other: latin for latin, others in _LOOKALIKES.items() for other in others}
_FOLD |= {
    "æ": "ae",
    "œ": "oe",
    "ß": "ss",
    "đ": "d",
    "þ": "th",
    "‐": "-",
    "–": "-",
    "—": "-",
    "’": "'",
}
_LEET = str.maketrans("0134578@$!|+€", "oieastbasilte")
_LEET_MARKS = frozenset("0134578@$!|+€")
# Weights and grouping of prompts: "(word:1.2)", "[a|b]", "{x}", "<lora:name:0.8>", "word++".
_SYNTAX = re.compile(r":-?\d{0,2}\.?\d{0,3}(?=[)\]>])|[()\[\]{}<>\\|*_~^`\"]")
_WORD = re.compile(r"[^\s,.;:/?&=#%\-–—()\[\]{}<>\\*_~^`\"']+")
_EDGE_DIGITS = re.compile(r"[a-z@$!][0-9](?![a-z0-9])|(?<![a-z0-9])[0-9][a-z]")
_SPACED = re.compile(
    r"(?<![a-z0-9])(?:[a-z0-9@$!][\s.,_\-*/|~+]{1,3}){2,40}[a-z0-9@$!](?![a-z0-9])"
)


@dataclass(frozen=True, slots=True)
class Folded:
    """Text as a reader sees it, and for each character its place in the original."""

    text: str
    places: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original's range behind a range of the folded text."""
        if not self.places or start >= end:
            return (0, 0)
        return (self.places[start], self.places[min(end, len(self.places)) - 1] + 1)


@dataclass(frozen=True, slots=True)
class Token:
    """One word, with letters put back for digits, and its range in the folded text."""

    word: str
    start: int
    end: int


@lru_cache(maxsize=8192)
def _fold_character(character: str) -> str:
    folded = []
    for part in unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", character).casefold()):
        category = unicodedata.category(part)
        if category in {"Mn", "Me", "Cf", "Cc", "Cs", "Co"} and part not in "\n\t":
            continue
        folded.append(_FOLD.get(part, " " if category.startswith("Z") else part))
    return "".join(folded)


def fold(text: str) -> Folded:
    """Lower case Latin look-alikes without marks or invisible characters."""
    if text.isascii():
        return Folded(text.lower(), tuple(range(len(text))))
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        folded = character.lower() if character.isascii() else _fold_character(character)
        letters.append(folded)
        places.extend([place] * len(folded))
    return Folded("".join(letters), tuple(places))


def without_syntax(folded: Folded) -> Folded:
    """The same with prompt weights and brackets taken out, so that split words close up again."""
    if not _SYNTAX.search(folded.text):
        return folded
    kept: list[str] = []
    places: list[int] = []
    last = 0
    for match in _SYNTAX.finditer(folded.text):
        kept.append(folded.text[last : match.start()])
        places.extend(folded.places[last : match.start()])
        last = match.end()
    kept.append(folded.text[last:])
    places.extend(folded.places[last:])
    return Folded("".join(kept), tuple(places))


def _unleet(word: str, *, every: bool) -> str:
    """Letters for the digits and signs in a word that has letters too.

    Digits at its ends are more often a number than letters ("sdxl10", "1girl"), so they are read
    as letters only where ``every`` asks for the other reading.
    """
    if not any(mark in _LEET_MARKS for mark in word):
        return word
    bare = word.strip("!|+@")
    if bare.isalpha() or not any(character.isalpha() for character in bare):
        return bare
    core = bare if every else bare.strip("0123456789")
    return core.translate(_LEET)


def has_two_readings(folded: Folded) -> bool:
    """Whether some word has a digit at its end that may be a letter."""
    return bool(_EDGE_DIGITS.search(folded.text))


def tokens(folded: Folded, *, every: bool = False) -> list[Token]:
    """Words in order, and after them the words that runs of single letters spell."""
    found = []
    for match in _WORD.finditer(folded.text):
        word = _unleet(match.group(), every=every)
        if word:
            found.append(Token(word, match.start(), match.end()))
    for match in _SPACED.finditer(folded.text):
        spelled = "".join(c for c in match.group() if c.isalnum() or c in _LEET_MARKS)
        found.append(Token(spelled.translate(_LEET), match.start(), match.end()))
    return found
