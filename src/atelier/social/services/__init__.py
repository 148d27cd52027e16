"""What people do with each other. Call these through the package: ``social.services.follow``."""

from __future__ import annotations

from atelier.social.rewards import claim_daily, reward_post
from atelier.social.services.comments import comment, delete_comment, hide_comment, unhide_comment
from atelier.social.services.follows import follow, unfollow
from atelier.social.services.people import join, tip, update_profile
from atelier.social.services.reactions import react, unreact

__all__ = [
    "claim_daily",
    "comment",
    "delete_comment",
    "follow",
    "hide_comment",
    "join",
    "react",
    "reward_post",
    "tip",
    "unfollow",
    "unhide_comment",
    "unreact",
    "update_profile",
]
