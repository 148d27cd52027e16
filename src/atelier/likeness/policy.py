"""The rules' names and words. A change of meaning changes the version."""

from __future__ import annotations

from dataclasses import dataclass

POLICY_VERSION = "2026-11"
RULE_PAGE = "/likeness"

CONSENT = "likeness_consent_required"
SEXUAL_LIKENESS = "sexual_likeness"
MINOR = "minor_content"
PHOTOREAL_SEXUAL = "photoreal_sexual"
QUARANTINED = "quarantined"
BLOCKED = "blocked"
STOPPED = "stopped"
SUSPENDED = "suspended"
UNAVAILABLE = "checks_unavailable"

CONSENT_RULE = (
    "A real person's likeness is used here only with that person's own consent, and this site "
    "cannot take consents yet."
)
CONSENT_WAY_OUT = "Use drawings or invented characters instead. The rule in plain words: /likeness"


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that fired: its id, what was found, and in which field."""

    rule: str
    found: str
    field: str = ""

    def as_json(self) -> dict[str, str]:
        """The form in which a decision keeps it."""
        return {"rule": self.rule, "found": self.found, "field": self.field}
