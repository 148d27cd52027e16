"""The process that streams live events: one ``LISTEN`` for all, one snapshot stream a visitor.

A notification only says which channel changed. The present state is read again for each stream, so
a lost, doubled or late notification shows nothing wrong, and after a lost database connection every
stream simply looks again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from django.core.serializers.json import DjangoJSONEncoder
from django.db import close_old_connections, connection
from psycopg import sql
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from atelier.core import events
from atelier.core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection

    from starlette.requests import Request

log = logging.getLogger(__name__)
T = TypeVar("T")

HEARTBEAT_SECONDS = 15.0
RECONNECT_SECONDS = 1.0
MAX_STREAMS = 2000
# Reading a snapshot holds a database connection for a moment; more would only queue there.
READERS = 4
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Hub:
    """Who waits for which channel, and the one connection that hears of changes."""

    def __init__(self, *, heartbeat: float = HEARTBEAT_SECONDS) -> None:
        self.heartbeat = heartbeat
        self.listening = asyncio.Event()
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="events")
        self._closing = False

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return sum(len(waiters) for waiters in self._waiting.values())

    async def ask(self, call: Callable[[], T]) -> T:
        """Run a question to the database beside the event loop."""

        def guarded() -> T:
            close_old_connections()
            try:
                return call()
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._readers, guarded)

    async def listen(self) -> None:
        """Hear notifications for ever, over as many connections as it takes."""
        parameters = await self.ask(_connection_parameters)
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    **parameters, autocommit=True
                ) as heard:
                    await heard.execute(
                        sql.SQL("LISTEN {}").format(sql.Identifier(events.PG_CHANNEL))
                    )
                    self.listening.set()
                    self._wake_all()  # whatever changed while nobody listened
                    async for notification in heard.notifies():
                        for waiter in self._waiting.get(notification.payload, ()):
                            waiter.set()
            except psycopg.OperationalError:
                self.listening.clear()
                log.warning("the live-events process lost its database connection; trying again")
            await asyncio.sleep(RECONNECT_SECONDS)

    async def follow(self, channel: str) -> AsyncIterator[str]:
        """A stream of the channel's states as server-sent events, until it is final or gone."""
        changed = asyncio.Event()
        self._waiting[channel].add(changed)
        last = ""
        number = 0
        try:
            while not self._closing:
                changed.clear()
                state = await self.ask(lambda: events.read(channel))
                if state is None:
                    yield "event: gone\ndata: {}\n\n"
                    return
                text = json.dumps(state, cls=DjangoJSONEncoder, separators=(",", ":"))
                if text != last:
                    number += 1
                    yield f"id: {number}\ndata: {text}\n\n"
                    last = text
                if state.get("final"):
                    return
                try:
                    await asyncio.wait_for(changed.wait(), self.heartbeat)
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            self._waiting[channel].discard(changed)
            if not self._waiting[channel]:
                del self._waiting[channel]

    def close(self) -> None:
        """End all streams; their visitors come back by themselves."""
        self._closing = True
        self._wake_all()
        self._readers.shutdown(wait=False, cancel_futures=True)

    def _wake_all(self) -> None:
        for waiters in self._waiting.values():
            for waiter in waiters:
                waiter.set()


def _connection_parameters() -> dict[str, Any]:
    given = connection.get_connection_params()
    ours = {"cursor_factory", "context", "prepare_threshold", "server_side_binding"}
    return {name: value for name, value in given.items() if name not in ours}


def application(
    *, allowed_origins: Collection[str], heartbeat: float = HEARTBEAT_SECONDS
) -> Starlette:
    """The ASGI application; only pages of ``allowed_origins`` may read a stream."""
    hub = Hub(heartbeat=heartbeat)

    async def stream(request: Request) -> Response:
        origin = request.headers.get("origin", "")
        headers = dict(STREAM_HEADERS, Vary="Origin")
        if origin:
            if origin not in allowed_origins:
                return JSONResponse({"code": "forbidden"}, status_code=403, headers=headers)
            headers["Access-Control-Allow-Origin"] = origin
        if hub.streams >= MAX_STREAMS:
            headers["Retry-After"] = "5"
            return JSONResponse({"code": "busy"}, status_code=503, headers=headers)
        ticket = request.path_params["ticket"]
        try:
            channel = await hub.ask(lambda: events.redeem(ticket))
        except NotFound as refusal:
            body = {"code": refusal.code, "detail": refusal.detail}
            return JSONResponse(body, status_code=404, headers=headers)
        return StreamingResponse(
            hub.follow(channel), media_type="text/event-stream", headers=headers
        )

    async def live(request: Request) -> Response:
        del request
        return Response("ok\n", media_type="text/plain")

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.hub = hub
        listener = asyncio.create_task(hub.listen())
        yield
        listener.cancel()
        hub.close()
        with contextlib.suppress(asyncio.CancelledError):
            await listener

    return Starlette(
        routes=[Route("/events/{ticket}", stream), Route("/healthz", live)], lifespan=lifespan
    )
