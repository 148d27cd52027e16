"""Tags of the pages about people and their Sparks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.conf import settings

from atelier.web import links, local

if TYPE_CHECKING:
    from atelier.ledger.records import Kinds, Subject

register = template.Library()
OUTBOX = "atelier.core.mail.OutboxBackend"
KIND_WORDS = (("earned", "earned"), ("income", "income"), ("bought", "bought"))


@register.simple_tag(takes_context=True)
def demo_login(context: dict[str, Any]) -> dict[str, str]:
    """The demo account of a site that only this machine can reach."""
    return local.demo_login(context["request"])


@register.simple_tag(takes_context=True)
def reads_mail_here(context: dict[str, Any]) -> bool:
    """Whether the page with the unsent mail is open to this caller."""
    return settings.EMAIL_BACKEND == OUTBOX and local.is_local(context["request"])


@register.filter
def subject_path(subject: Subject | None) -> str:
    """The page of the thing that a movement was about."""
    return links.path_of(subject.kind, subject.id) if subject else ""


@register.filter
def subject_word(subject: Subject | None) -> str:
    """What the thing is called."""
    return links.word_for(subject.kind) if subject else ""


@register.filter
def kinds_in_words(kinds: Kinds) -> str:
    """Which kinds of Sparks an amount was made of, as ``10 earned, 2 income``."""
    parts = [
        f"{abs(getattr(kinds, name)):,} {word}" for name, word in KIND_WORDS if getattr(kinds, name)
    ]
    return ", ".join(parts)


MOVEMENTS = {
    "credit": "From the site",
    "pay": "Paid from one wallet to another",
    "fund": "Set aside in escrow",
    "release": "Paid out of escrow",
    "refund": "Given back out of escrow",
    "hold": "Set aside for a job",
    "settle": "A job was settled: its price paid, the rest given back",
}
PLACES = {
    "wallet": "Wallet",
    "stake": "Stake in escrow",
    "hold": "Set aside for a job",
    "platform": "Atelier",
}


@register.filter
def movement(kind: str) -> str:
    """What a movement did, in words."""
    return MOVEMENTS[kind]


@register.filter
def place_word(place: str) -> str:
    """Where Sparks lay, in words."""
    return PLACES[place]


@register.filter
def thousands(amount: int) -> str:
    """An amount with its thousands apart."""
    return f"{amount:,}"


OTHER_SIDES = {"fund": "Escrow", "release": "Escrow", "refund": "Escrow", "hold": "Set aside"}


@register.filter
def other_side(kind: str) -> str:
    """Where a movement without another person came from or went to."""
    return OTHER_SIDES.get(kind, "Atelier")
