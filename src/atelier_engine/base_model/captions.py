"""What is said about each training picture, and which variants of it are learnt."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from atelier_engine.base_model import codec, data
from atelier_engine.base_model.vocabulary import BACKGROUNDS, COLOUR_IS_THE_WORD, COLOURS, Word

if TYPE_CHECKING:
    from atelier_engine.base_model.libraries import Codec

# Each word's picture is learnt in this many places and sizes, each also mirrored where that
# does not change its meaning.
_PLACES: tuple[tuple[tuple[int, int], float], ...] = (
    ((0, 0), 1.0),
    ((0, 0), 1.0),
    ((2, -1), 0.97),
    ((-2, 1), 0.95),
    ((1, 2), 0.9),
)
_HELD_OUT_SHARE = 0.05
_TAGGED_FROM = 0.93
_FIRST_NAME_SHARE = 0.6
_NOT_MIRRORED = (
    "question mark",
    "check mark",
    "musical note",
    "book",
    "joystick",
    "clock",
    "watch",
)

_FORMS = (
    "{}",
    "{}",
    "{}",
    "a {}",
    "a {}",
    "a 3d emoji of a {}",
    "{}, 3d",
    "3d emoji of {}",
    "a picture of a {}",
)


@dataclass
class Bank:
    """Latents of every variant, with the word and the kind of caption each belongs to."""

    plain: torch.Tensor
    plain_word: torch.Tensor
    coloured: torch.Tensor
    coloured_word: torch.Tensor
    coloured_colour: list[str]
    backed: torch.Tensor
    backed_word: torch.Tensor
    backed_colour: list[str]
    words: list[Word]
    tags: list[tuple[str, ...]]


def held_out(*, word: Word, colour: str) -> bool:
    """Whether this colour and word are never trained together, so that binding can be tested."""
    digest = hashlib.sha256(f"{word.name}|{colour}".encode()).digest()
    return digest[0] / 256 < _HELD_OUT_SHARE


def recolourable(word: Word) -> bool:
    """Whether another colour leaves the word true (a blue fox, but not a blue "red apple")."""
    if word.label in ("red apple", "green apple"):
        return False
    text = word.label + " " + word.name
    return "face" not in word.name and not any(part in text for part in COLOUR_IS_THE_WORD)


def bank(*, dataset: data.Dataset, words: list[Word], model: Codec, style: str) -> Bank:
    """Encode every variant of every word once; training only draws from the result."""
    row_of = {dataset.rows[i]["label"]: i for i in dataset.indices(style=style)}
    missing = [word.label for word in words if word.label not in row_of]
    if missing:
        raise ValueError(f"no {style} picture for: {', '.join(missing)}")
    plain, plain_word = [], []
    coloured, coloured_word, coloured_colour = [], [], []
    backed, backed_word, backed_colour = [], [], []
    for number, word in enumerate(words):
        pixels = dataset.pixels[row_of[word.label]]
        # Twice the same where mirroring would be wrong, so that every word has an equal share.
        fixed = any(part in word.name for part in _NOT_MIRRORED)
        for mirror in (False, False) if fixed else (False, True):
            for shift, scale in _PLACES:
                plain.append(data.compose(pixels, shift=shift, scale=scale, flip=mirror))
                plain_word.append(number)
        for colour, (hue, saturation, brightness) in COLOURS.items():
            if not recolourable(word) or held_out(word=word, colour=colour):
                continue
            turned = data.recolour(pixels, hue=hue, saturation=saturation, brightness=brightness)
            if turned is not None:
                coloured.append(data.compose(turned))
                coloured_word.append(number)
                coloured_colour.append(colour)
        for colour, rgb in BACKGROUNDS.items():
            backed.append(data.compose(pixels, background=rgb, scale=0.88))
            backed_word.append(number)
            backed_colour.append(colour)
    return Bank(
        plain=codec.encode(model=model, pictures=plain),
        plain_word=torch.tensor(plain_word),
        coloured=codec.encode(model=model, pictures=coloured or plain[:1]),
        coloured_word=torch.tensor(coloured_word, dtype=torch.long),
        coloured_colour=coloured_colour,
        backed=codec.encode(model=model, pictures=backed),
        backed_word=torch.tensor(backed_word),
        backed_colour=backed_colour,
        words=words,
        tags=[tuple(dataset.rows[row_of[word.label]]["tags"]) for word in words],
    )


def texts(words: list[Word], tags: list[tuple[str, ...]]) -> list[str]:
    """The corpus that the tokenizer's merges are learnt from."""
    lines = [
        " ".join((word.label, *word.names, *tag)) for word, tag in zip(words, tags, strict=True)
    ]
    lines += [
        *COLOURS,
        *BACKGROUNDS,
        "white brown grey",
        "on a background",
        "a 3d emoji of a picture of",
    ] * 30
    return lines


@dataclass(frozen=True)
class Mix:
    """The share of each kind of example; the rest are plain pictures."""

    coloured: float = 0.12
    backed: float = 0.06
    uncaptioned: float = 0.10


def draw(
    bank: Bank, *, size: int, mix: Mix, random: torch.Generator
) -> tuple[torch.Tensor, list[str]]:
    """A batch of latents and captions."""
    rolls = torch.rand(size, 4, generator=random).tolist()
    latents, captions = [], []
    for kind, pick, form, drop in rolls:
        if kind < mix.coloured and bank.coloured_colour:
            row = int(pick * len(bank.coloured_colour))
            latent, word = bank.coloured[row], int(bank.coloured_word[row])
            text = f"{bank.coloured_colour[row]} {_name(bank.words[word], form)}"
        elif kind < mix.coloured + mix.backed:
            row = int(pick * len(bank.backed_colour))
            latent, word = bank.backed[row], int(bank.backed_word[row])
            text = f"{_name(bank.words[word], form)} on a {bank.backed_colour[row]} background"
        else:
            row = int(pick * len(bank.plain_word))
            latent, word = bank.plain[row], int(bank.plain_word[row])
            text = _name(bank.words[word], form)
            tags = bank.tags[word]
            if tags and form > _TAGGED_FROM:
                text = f"{text}, {tags[int(form * 1000) % len(tags)]}"
        template = _FORMS[int(form * 7919) % len(_FORMS)]
        latents.append(latent)
        captions.append("" if drop < mix.uncaptioned else template.format(text))
    return torch.stack(latents), captions


def _name(word: Word, roll: float) -> str:
    """The word's own name two times out of three, one of its other names otherwise."""
    if len(word.names) == 1 or roll < _FIRST_NAME_SHARE:
        return word.name
    return word.names[1 + int(roll * 997) % (len(word.names) - 1)]
