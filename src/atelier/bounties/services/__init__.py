"""What people, staff and time do to a bounty: ``bounties.award(...)`` and its siblings."""

from __future__ import annotations

from atelier.bounties.services.entering import (
    enter,
    open_screened_entry,
    refuse_screened_entry,
    release_cleared,
    remove_entry,
    withdraw,
)
from atelier.bounties.services.funding import contribute, give
from atelier.bounties.services.judging import (
    Award,
    award,
    open_dispute,
    resolve_dispute,
    shortlist,
)
from atelier.bounties.services.opening import cancel, create, edit, extend
from atelier.bounties.services.staffing import (
    freeze,
    open_screened,
    refund_frozen,
    refuse_screened,
    unfreeze,
    void_consent,
)
from atelier.bounties.services.timing import sweep, tick

__all__ = [
    "Award",
    "award",
    "cancel",
    "contribute",
    "create",
    "edit",
    "enter",
    "extend",
    "freeze",
    "give",
    "open_dispute",
    "open_screened",
    "open_screened_entry",
    "refund_frozen",
    "refuse_screened",
    "refuse_screened_entry",
    "release_cleared",
    "remove_entry",
    "resolve_dispute",
    "shortlist",
    "sweep",
    "tick",
    "unfreeze",
    "void_consent",
    "withdraw",
]
