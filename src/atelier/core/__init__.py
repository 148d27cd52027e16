"""Ids, clock, errors, queue, outbox, storage: what every domain stands on. No domain word lives here."""
