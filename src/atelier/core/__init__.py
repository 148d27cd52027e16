"""Ids, clock, errors, queue, outbox, storage: what every domain stands on, without its words."""
