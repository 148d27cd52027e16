# ruff: noqa: RUF001 - look-alike letters are the subject
from __future__ import annotations

import random
import time

import pytest

from atelier.likeness.text import audit, lexicon, names
from atelier.likeness.text.reader import (
    ABUSE,
    HANDLE,
    MINOR,
    MINOR_SEXUAL,
    PROFILE_LINK,
    PUBLIC_NAME,
    RELATION,
    RELATION_MENTION,
    SAME_PERSON,
    SEXUAL,
    SOCIAL_HANDLE,
    TOO_LONG,
)


def rules(text: str) -> set[str]:
    return {hit.rule for hit in audit(text).hits}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("https://www.instagram.com/some.girl/", PROFILE_LINK),
        ("see tiktok.com/@janedoe", PROFILE_LINK),
        ("x.com/janedoe", PROFILE_LINK),
        ("instagram dot com slash janedoe", PROFILE_LINK),
        ("instagram[dot]com/janedoe", PROFILE_LINK),
        ("ｉｎｓｔａｇｒａｍ.com/janedoe", PROFILE_LINK),
        ("onlyfans.com/her", PROFILE_LINK),
        ("https://t.me/janedoe", PROFILE_LINK),
        ("linktr.ee/janedoe", PROFILE_LINK),
        ("youtube.com/@janedoe", PROFILE_LINK),
        ("insta: cutegirl99", SOCIAL_HANDLE),
        ("IG handle is jane.doe", SOCIAL_HANDLE),
        ("@jane_doe on instagram", SOCIAL_HANDLE),
        ("you find her on tiktok", SOCIAL_HANDLE),
        ("like @jane_doe please", HANDLE),
        ("LoRA of my wife, photos attached", RELATION),
        ("photos of my ex girlfriend", RELATION),
        ("please train on my sister", RELATION),
        ("should look like my neighbour", RELATION),
        ("my coworker's face", RELATION),
        ("a model of a friend's sister", RELATION),
        ("foto de mi esposa", RELATION),
        ("Bild von meiner Freundin", RELATION),
        ("photo de ma copine", RELATION),
        ("my boss", RELATION_MENTION),
        ("the girl is my classmate", RELATION_MENTION),
        ("mi novia", RELATION_MENTION),
        ("meine Kollegin", RELATION_MENTION),
        ("ma collègue", RELATION_MENTION),
        ("the same person as in the photos", SAME_PERSON),
        ("a real woman", SAME_PERSON),
        ("she is an influencer", SAME_PERSON),
        ("irl", SAME_PERSON),
        ("make a deepfake", ABUSE),
        ("nudify this", ABUSE),
        ("face swap onto her", ABUSE),
        ("a nude woman", SEXUAL),
        ("n.u.d.e", SEXUAL),
        ("n u d e", SEXUAL),
        ("nud3", SEXUAL),
        ("ｎａｋｅｄ", SEXUAL),
        ("nаked", SEXUAL),
        ("na\u200bked", SEXUAL),
        ("(na:1.2)(ked:1.1)", SEXUAL),
        ("desnuda", SEXUAL),
        ("a child", MINOR),
        ("12 year old", MINOR),
        ("a high school student", MINOR),
        ("sch00lgirl", MINOR),
        ("lolicon", MINOR_SEXUAL),
    ],
)
def test_what_points_at_somebody_is_found(text: str, rule: str) -> None:
    assert rule in rules(text)


@pytest.mark.parametrize(
    "text",
    [
        "portrait of a knight",
        "my wife loves this style",
        "my husband and I play this game",
        "a present for my daughter",
        "fox",
        "Rose",
        "Mercury the planet",
        "a rose in the garden",
        "emma standing near a stone bridge",
        "tiger woods at dawn",
        "will smith the blacksmith forge a sword",
        "a jack black cat",
        "harvest moon over the chris rock cliffs",
        "no real person, please",
        "this is not a celebrity",
        "not of a real person",
        "young woman reading in a cafe",
        "a photo of my cat",
        "my boss fight scene",
        "boss room, the final boss",
        "a realistic portrait of an old man",
        "write to fox@example.org",
        "strength @0.8",
        "queen of hearts",
        "prince of persia",
        "same pose as the reference",
        "in the style of Van Gogh",
        "teacher fox with a book",
        "1girl, solo, masterpiece, best quality",
        "sussex, essex and middlesex",
        "assassin, class, passage, cockpit, cocktail",
        "sex: female, species: fox",
        "magna cum laude",
        "https://www.youtube.com/watch?v=abc123",
        "https://github.com/someone/repo",
        "https://example.org/instagram-like-layout",
        "my first LoRA, be kind",
        "a fox in four poses: front, side, back and three quarters",
        "Ein kleiner Fuchs mit rotem Schal",
        "Un petit renard avec une écharpe",
        "Un zorro pequeño con bufanda",
        "小さなキツネ",
        "маленькая лиса",
        "",
        "   ",
    ],
)
def test_ordinary_texts_are_ordinary(text: str) -> None:
    assert rules(text) == set()


NAMES = [
    "Taylor Swift",
    "Scarlett Johansson",
    "Leonardo DiCaprio",
    "Cristiano Ronaldo",
    "Alexandria Ocasio-Cortez",
    "Volodymyr Zelensky",
    "Shaquille O'Neal",
    "Greta Thunberg",
]
_CYRILLIC = str.maketrans("aeopcxyi", "аеорсхуі")
_LEET = str.maketrans("aeiost", "431057")


def _weights(name: str) -> str:
    middle = len(name) // 2
    return f"({name[:3]}:1.1)({name[3:middle]}:1.05){name[middle:]}"


@pytest.mark.parametrize(
    "disguise",
    [
        str,
        str.upper,
        lambda name: name.translate(_CYRILLIC),
        lambda name: name.lower().translate(_LEET),
        lambda name: name.replace(" ", ""),
        lambda name: " ".join(name.replace(" ", "")),
        lambda name: ".".join(name.replace(" ", "")),
        "\u200b".join,
        lambda name: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name),
        lambda name: name[:4] + name[5:],
        lambda name: name[:4] + name[4] + name[4:],
        lambda name: name[:3] + name[4] + name[3] + name[5:],
        lambda name: name[::-1],  # backwards
        _weights,
        lambda name: f"a portrait of {name}, oil painting, masterpiece",
        lambda name: f"{name.replace(' ', '_')}_v2",
        lambda name: "".join(c + "\u0301" if c.isalpha() else c for c in name),
    ],
)
def test_public_names_are_found_in_every_disguise(disguise: object) -> None:
    assert callable(disguise)
    missed = [name for name in NAMES if PUBLIC_NAME not in rules(disguise(name))]
    assert missed == []


def test_an_ordinary_looking_name_counts_when_it_is_meant() -> None:
    assert PUBLIC_NAME in rules("Tiger Woods on the green")
    assert PUBLIC_NAME in rules("photo of tom hardy")
    assert PUBLIC_NAME not in rules("tom hardy boots")


def test_the_writers_own_words_are_shown() -> None:
    text = "Please: a LoRA of (ta:1.1)(ylor sw:1.0)ift, thank you"
    hit = audit(text).of(PUBLIC_NAME)[0]
    assert text[hit.start : hit.end] == hit.matched
    assert hit.matched.startswith("ta:1.1)")
    assert hit.matched.endswith("ift")


def test_a_text_beyond_the_limit_is_not_called_clean() -> None:
    assert rules("fox " * 20_000) == {TOO_LONG}


def test_the_list_is_large_and_folded() -> None:
    index = names._index()
    assert len(index.exact) >= 300
    assert all(compact.isascii() and compact.isalpha() for compact in index.exact)
    words = lexicon.SEXUAL | lexicon.MINOR | lexicon.MINOR_SEXUAL
    assert all(word == word.lower() and word.isascii() for word in words)


def _long_texts() -> list[str]:
    chance = random.Random(7)
    line = "emma fox stone taylor photo of my wife sw1ft (nude:1.1) a b c @x the real"
    mixed = " ".join(chance.choice(line.split()) for _ in range(4000))
    letters = "".join(chance.choice("abcdefghijklmnop  ") for _ in range(10_000))
    return [
        mixed,
        letters,
        "a" * 10_000,
        " " * 10_000,
        "a " * 5_000,
        "(" * 10_000,
        "my " * 3_334,
        "my ex " * 1_667,
        "photo of a " * 910,
        "@a" * 5_000,
        "а" * 10_000,
        "ig: " * 2_500,
        "instagram . " * 840,
        "taylorswif" * 1_000,
        "real life " * 1_000,
        "no no no real " * 720,
        "t.a.y.l.o.r." * 840,
        "((((a:1.1" * 1_112,
    ]


def test_hostile_texts_take_time_in_proportion_to_their_length() -> None:
    """No text of 10,000 characters costs much more than ordinary words of the same length."""

    def cost(text: str) -> float:
        best = 9.0
        for _ in range(3):
            start = time.process_time()
            audit(text[:10_000])
            best = min(best, time.process_time() - start)
        return best

    ordinary = cost("a small fox with a red scarf sits under an old tree in autumn, " * 160)
    worst = max(_long_texts(), key=cost)
    assert cost(worst) < 6 * ordinary + 0.02, worst[:40]
