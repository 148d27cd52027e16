from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from starlette.testclient import TestClient

from atelier.core import events, events_stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def states() -> Iterator[dict[str, dict[str, Any]]]:
    """What the channels ``thing:…`` show."""
    known: dict[str, dict[str, Any]] = {}
    events.register_reader("thing", known.get)
    yield known
    del events._readers["thing"]


@asynccontextmanager
async def _hub(heartbeat: float = 60.0) -> AsyncIterator[events_stream.Hub]:
    hub = events_stream.Hub(heartbeat=heartbeat)
    listener = asyncio.create_task(hub.listen())
    await asyncio.wait_for(hub.listening.wait(), 10)
    try:
        yield hub
    finally:
        listener.cancel()
        with suppress(asyncio.CancelledError):
            await listener
        hub.close()


def _notify(channel: str) -> None:
    # From a connection of its own, as a worker would.
    parameters = events_stream._connection_parameters()
    with psycopg.connect(**parameters, autocommit=True) as other:
        other.execute("SELECT pg_notify(%s, %s)", [events.PG_CHANNEL, channel])


async def _next(stream: AsyncIterator[str]) -> str:
    return await asyncio.wait_for(anext(stream), 10)


def _data(message: str) -> Any:
    return json.loads(message.split("data: ", 1)[1])


def test_a_stream_shows_the_state_at_once_and_after_each_change(
    states: dict[str, dict[str, Any]],
) -> None:
    states["1"] = {"step": 1, "final": False}

    async def story() -> list[Any]:
        async with _hub() as hub:
            stream = hub.follow("thing:1")
            seen = [_data(await _next(stream))]
            assert hub.streams == 1
            states["1"] = {"step": 2, "final": True}
            await asyncio.to_thread(_notify, "thing:1")
            seen.append(_data(await _next(stream)))
            with pytest.raises(StopAsyncIteration):
                await _next(stream)
            assert hub.streams == 0
            return seen

    assert asyncio.run(story()) == [{"step": 1, "final": False}, {"step": 2, "final": True}]


def test_news_of_other_channels_wakes_nobody(states: dict[str, dict[str, Any]]) -> None:
    states["1"] = {"step": 1}

    async def story() -> None:
        async with _hub() as hub:
            stream = hub.follow("thing:1")
            await _next(stream)
            states["1"] = {"step": 2}
            waiting = asyncio.ensure_future(anext(stream))
            await asyncio.to_thread(_notify, "thing:2")
            await asyncio.to_thread(_notify, "thing:1")
            assert _data(await asyncio.wait_for(waiting, 10)) == {"step": 2}
            await stream.aclose()  # type: ignore[attr-defined]
            assert hub.streams == 0

    asyncio.run(story())


def test_a_quiet_stream_sends_heartbeats(states: dict[str, dict[str, Any]]) -> None:
    states["1"] = {"step": 1}

    async def story() -> str:
        async with _hub(heartbeat=0.01) as hub:
            stream = hub.follow("thing:1")
            await _next(stream)
            return await _next(stream)

    assert asyncio.run(story()) == ": still here\n\n"


def test_a_thing_that_is_gone_says_so_and_ends(states: dict[str, dict[str, Any]]) -> None:
    async def story() -> list[str]:
        async with _hub() as hub:
            return [message async for message in hub.follow("thing:404")]

    assert asyncio.run(story()) == ["event: gone\ndata: {}\n\n"]


def test_the_listener_survives_a_lost_connection(states: dict[str, dict[str, Any]]) -> None:
    states["1"] = {"step": 1}

    def cut() -> None:
        with psycopg.connect(**events_stream._connection_parameters(), autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query ILIKE 'LISTEN%%'"
            )

    async def story(monkey: pytest.MonkeyPatch) -> Any:
        monkey.setattr(events_stream, "RECONNECT_SECONDS", 0.01)
        async with _hub() as hub:
            stream = hub.follow("thing:1")
            await _next(stream)
            waiting = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0)
            states["1"] = {"step": 2}
            await asyncio.to_thread(cut)
            # Nobody notifies: whoever reconnects has to look again by itself.
            return _data(await asyncio.wait_for(waiting, 10))

    with pytest.MonkeyPatch.context() as monkey:
        assert asyncio.run(story(monkey)) == {"step": 2}


ORIGIN = "http://localhost:8000"


@pytest.fixture
def visitor() -> Iterator[TestClient]:
    with TestClient(events_stream.application(allowed_origins={ORIGIN})) as client:
        yield client


def test_a_ticket_opens_its_channel_once(
    visitor: TestClient, states: dict[str, dict[str, Any]]
) -> None:
    states["1"] = {"step": 9, "final": True}
    ticket = events.issue_ticket("thing:1")
    answer = visitor.get(f"/events/{ticket}", headers={"Origin": ORIGIN, "Last-Event-ID": "41"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.text == 'id: 1\ndata: {"step":9,"final":true}\n\n'

    again = visitor.get(f"/events/{ticket}")
    assert (again.status_code, again.json()["code"]) == (404, "not_found")


def test_pages_of_others_get_nothing_and_spend_no_ticket(
    visitor: TestClient, states: dict[str, dict[str, Any]]
) -> None:
    states["1"] = {"final": True}
    ticket = events.issue_ticket("thing:1")
    answer = visitor.get(f"/events/{ticket}", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert visitor.get(f"/events/{ticket}").status_code == 200


def test_the_process_lives(visitor: TestClient) -> None:
    assert visitor.get("/healthz").text == "ok\n"
