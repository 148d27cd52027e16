"""Live events: a channel per thing, woken by ``NOTIFY``, read with a single-use ticket.

The notification carries the channel's name alone; the listener reads the present state again, so a
lost or doubled notification does no harm.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection

from atelier.core import clock
from atelier.core.errors import NotFound
from atelier.core.models import EventTicket

if TYPE_CHECKING:
    from collections.abc import Callable

    Reader = Callable[[str], dict[str, Any] | None]

PG_CHANNEL = "atelier_events"
TICKET_LIFE = dt.timedelta(seconds=60)
_readers: dict[str, Reader] = {}


def register_reader(kind: str, reader: Reader) -> None:
    """Say how the state of channel ``kind:key`` is read; the reader gets the key.

    A state with ``final`` true ends the stream; ``None`` says the thing is gone.
    """
    _readers[kind] = reader


def notify(channel: str) -> None:
    """Wake the listeners of ``kind:key`` when the present transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [PG_CHANNEL, channel])


def issue_ticket(channel: str) -> str:
    """A ticket for one connection to one channel, good for a minute. The caller authorised it."""
    ticket: str = EventTicket.objects.create(channel=channel).id
    return ticket


def ticket_url(channel: str) -> str:
    """The address on the events port that :func:`issue_ticket` opens."""
    base, _, port = settings.BASE_URL.rpartition(":")
    root = base if port.isdigit() else settings.BASE_URL
    return f"{root}:{settings.EVENTS_PORT}/events/{issue_ticket(channel)}"


def redeem(ticket: str) -> str:
    """The channel that a ticket opens. Works once; raises :class:`NotFound` ever after."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM core_eventticket WHERE id = %s AND created_at > %s RETURNING channel",
            [ticket, clock.now() - TICKET_LIFE],
        )
        row = cursor.fetchone()
    if row is None:
        raise NotFound("This ticket was used or has expired. Ask for a new one.")
    return str(row[0])


def read(channel: str) -> dict[str, Any] | None:
    """The present state of a channel."""
    kind, _, key = channel.partition(":")
    reader = _readers.get(kind)
    return reader(key) if reader else None


def forget_expired() -> None:
    """Drop tickets that nobody used."""
    EventTicket.objects.filter(created_at__lt=clock.now() - TICKET_LIFE).delete()
