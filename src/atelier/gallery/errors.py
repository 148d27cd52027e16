"""Refusals of the gallery."""

from __future__ import annotations

from atelier.core.errors import Forbidden


class NeedsReview(Forbidden):
    """Something a person has to look at before it can be public."""

    code = "needs_review"
    title = "A person has to look at this first"
