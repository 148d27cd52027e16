"""Where the things that the books and the news speak of have their pages."""

from __future__ import annotations

from urllib.parse import quote

PATHS = {
    "bounty": "/bounties/{}",
    "post": "/posts/{}",
    "image": "/images/{}",
    "model": "/models/{}",
    "user": "/u/{}",
    "training": "/train/{}",
    "generation": "/generate/{}",
    "transfer": "/wallet/transfers/{}",
}
WORDS = {
    "bounty": "Bounty",
    "post": "Post",
    "image": "Picture",
    "model": "Model",
    "user": "Profile",
    "training": "Training",
    "generation": "Generation",
    "transfer": "Transfer",
}


def path_of(kind: str, thing_id: str) -> str:
    """The page of a thing, or nothing for kinds without one."""
    pattern = PATHS.get(kind)
    return pattern.format(quote(thing_id, safe="")) if pattern else ""


def word_for(kind: str) -> str:
    """What pages call a kind of thing."""
    return WORDS.get(kind, "")
