"""Which names a person may take."""

from __future__ import annotations

import re

from atelier.accounts.models import NAME_PATTERN, NAME_RULE
from atelier.core.errors import Invalid

DEMO_PREFIX = "demo_"
# Names that would pass for the site itself, for its staff, or for a place on it.
RESERVED = frozenset(
    """
    about abuse account accounts admin administrator anonymous api appeal appeals atelier
    avatar billing bounties bounty case cases collections contact copyright create deleted
    docs everyone generate generation guest hub help home host images info issues jobs
    legal likeness login logout mail me media mod moderate moderation moderator
    moderators models none notice notices notifications null official operator owner
    password payout posts privacy profile register report reports root safety search
    security settings signin signout signup site sparks staff static status
    support system team terms tips tokens train training transparency undefined
    update upload uploads user users verify wallet webmaster wishes you
    """.split()  # noqa: SIM905 - reads as the list of words that it is
)


def check(name: str, *, is_demo: bool = False) -> str:
    """The name as it is stored; raises :class:`Invalid` with the rule that it breaks.

    Demo accounts carry their prefix, so nobody mistakes them for people, and no person may.
    """
    stored = name.strip().lower()
    if not re.fullmatch(NAME_PATTERN, stored):
        raise Invalid.field("username", NAME_RULE)
    if is_demo is not stored.startswith(DEMO_PREFIX):
        rule = (
            f"must start with {DEMO_PREFIX} for a demo account"
            if is_demo
            else f"must not start with {DEMO_PREFIX}: those names are kept for demo accounts"
        )
        raise Invalid.field("username", rule)
    return stored


def check_public(name: str) -> str:
    """As :func:`check`, for a name that somebody chose at sign-up; the operator may use any."""
    stored = check(name)
    if stored in RESERVED:
        raise Invalid.field("username", "is kept for the site: choose another one")
    return stored
