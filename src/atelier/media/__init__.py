"""Pictures: intake, the canonical form, derivatives, and what was seen in them."""
