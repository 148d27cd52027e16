"""Reading what people write: who is meant, and whether it is sexual."""

from atelier.likeness.text.reader import Findings, Hit, audit

__all__ = ["Findings", "Hit", "audit"]
