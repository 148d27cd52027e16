"""One colour as a BlurHash, the placeholder that other programs understand."""

from __future__ import annotations

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
_HEX_COLOUR = 7


def blurhash(colour: str) -> str:
    """The BlurHash with one component of ``#rrggbb``: no size, no detail, the mean colour."""
    if len(colour) != _HEX_COLOUR:
        return "00" + _base83(0)
    return "00" + _base83(int(colour[1:], 16))


def _base83(number: int) -> str:
    characters = []
    for _ in range(4):
        number, digit = divmod(number, len(_DIGITS))
        characters.append(_DIGITS[digit])
    return "".join(reversed(characters))
