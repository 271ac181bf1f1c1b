"""The stream that tells clients to ask again, over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from web_house import FLAGS, POLICY, READ, START, House, OpenHouse, headers

from bot.core.model import Actor
from bot.core.policy import Fallback
from bot.core.signals import EngageFlag, StartDrill
from bot.web.flags.ofrep_events import CHANGES_PER_EVENT, STREAMS, Streams

ANA = Actor.operator("ana")
CHAT = "support-chat.llm"
SOON_S = 5.0


class Listener:
    """One reader of the stream."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def next(self) -> dict[str, str]:
        """The fields of the next block that is no comment; empty at the end."""
        found: dict[str, str] = {}
        async with asyncio.timeout(SOON_S):
            while line := (await self._answer.content.readline()).decode():
                if line != "\n":
                    name, _, value = line.strip().partition(": ")
                    found[name] = value
                elif found:
                    return found
        return found


@asynccontextmanager
async def listening(http: aiohttp.ClientSession, house: House, **more: str) -> AsyncIterator[Listener]:
    async with http.get(f"{house.url}/ofrep/v1/events", headers=headers(READ, **more)) as answer:
        assert (200, "text/event-stream") == (answer.status, answer.headers["Content-Type"])
        listener = Listener(answer)
        assert {"retry": "3000"} == await listener.next()
        if not more:
            assert house.board.tag == (await listener.next())["id"], "whoever comes new is told at once"
        yield listener


async def engage(house: House) -> Any:
    return await house.engine.handle(EngageFlag(ANA, flag=CHAT, reason="claude is down"))


async def test_listeners_are_told_when_a_flag_is_switched(house: House, http: aiohttp.ClientSession) -> None:
    """Each one, with an id for what they then serve."""
    async with listening(http, house) as one, listening(http, house) as other:
        await engage(house)
        told = [await one.next(), await other.next()]
    assert 2 * [{"id": house.board.tag, "data": '{"type": "refetchEvaluation"}'}] == told


async def test_listeners_are_told_when_a_drill_begins(house: House, http: aiohttp.ClientSession) -> None:
    """It changes what some readers get, though no flag."""
    async with listening(http, house) as one:
        assert (await house.engine.handle(StartDrill(ANA, components=("anthropic.api",), flag=CHAT))).ok
        assert "refetchEvaluation" in (await one.next())["data"]


async def test_nobody_is_told_of_what_changes_no_flag(house: House, http: aiohttp.ClientSession) -> None:
    """Every commit puts a snapshot on the board; a thousand clients need not ask for each."""
    async with listening(http, house) as one:
        house.engine.restore()
        await asyncio.sleep(0.1)  # an event would have been sent by now
        await engage(house)
        first = await one.next()
    assert house.board.tag == first["id"]


async def test_who_missed_a_change_is_told_at_once(house: House, http: aiohttp.ClientSession) -> None:
    """A client that comes back names the last event that it saw."""
    async with listening(http, house, Last_Event_ID=(before := house.board.tag)) as one:
        await engage(house)
        seen = (await one.next())["id"]
    async with listening(http, house, Last_Event_ID=before) as one:
        assert seen == (await one.next())["id"]
    async with listening(http, house, Last_Event_ID=seen) as one:
        await house.close()
        assert {} == await one.next(), "nothing was missed, and the stream ended with the server"


async def test_who_was_away_is_told_of_a_drill(house: House, http: aiohttp.ClientSession) -> None:
    """Nothing was written down about a flag, so its revision is the old one."""
    seen = house.board.tag
    assert (await house.engine.handle(StartDrill(ANA, components=("anthropic.api",), flag=CHAT))).ok
    async with listening(http, house, Last_Event_ID=seen) as one:
        assert house.board.tag == (await one.next())["id"]


async def test_who_was_away_is_told_of_another_configuration(
    house: House, http: aiohttp.ClientSession, open_house: OpenHouse
) -> None:
    """A page that stayed open over a restart does not ask by itself, and would show the value of before for ever."""
    seen, flag = house.board.tag, FLAGS["on"]
    again = await open_house(read_tokens=(READ,))
    again.engine.policy = replace(POLICY, flags={**FLAGS, "on": replace(flag, default="no", fallbacks=(Fallback("yes"),))})
    again.engine.restore()
    async with listening(http, again, Last_Event_ID=seen) as one:
        assert again.board.tag == (await one.next())["id"]


async def test_who_comes_back_after_a_restart_has_missed_nothing(house: House, open_house: OpenHouse) -> None:
    """Where the same is served, it has the same id: on another replica as well, and while that is out of date."""
    again = await open_house()
    again.board.ages(lambda: START)

    assert house.board.tag == again.board.tag


async def test_server_stops_at_once_beside_listeners(house: House, http: aiohttp.ClientSession) -> None:
    """It would wait five seconds for requests that have an end."""
    async with listening(http, house), listening(http, house):
        began = asyncio.get_running_loop().time()
        await house.close()
        assert asyncio.get_running_loop().time() - began < 2


async def test_listener_that_goes_away_is_forgotten(house: House, http: aiohttp.ClientSession) -> None:
    """At the next change at the latest, without a word in the log."""
    assert house.server is not None
    streams = house.server.app[STREAMS]
    async with listening(http, house):
        assert 1 == streams.count
    async with asyncio.timeout(SOON_S):
        while streams.count:
            streams.tell()
            await asyncio.sleep(0.01)


async def announced(house: House, http: aiohttp.ClientSession, query: str = "") -> str:
    """Where the answer with all flags says that a client may listen."""
    async with http.post(f"{house.url}/ofrep/v1/evaluate/flags{query}", headers=headers(READ)) as answer:
        (stream,) = json.loads(await answer.text())["eventStreams"]
    return f"{house.url}{stream['endpoint']['requestUri']}"


@pytest.mark.parametrize("query", ["", "?rules=1"])
async def test_announced_stream_opens_without_a_header(house: House, http: aiohttp.ClientSession, query: str) -> None:
    """A browser can send none with it: its address is enough."""
    async with http.get(await announced(house, http, query)) as answer:
        assert (200, "text/event-stream") == (answer.status, answer.content_type)


async def test_ticket_of_a_stream_opens_nothing_else(house: House, http: aiohttp.ClientSession) -> None:
    """It stands in an address, which logs and histories keep."""
    ticket = (await announced(house, http)).partition("?")[2]
    for path in ("/ofrep/v1/evaluate/flags", "/ofrep/v1/evaluate/flags/on"):
        async with http.post(f"{house.url}{path}?{ticket}") as answer:
            assert 401 == answer.status
    async with http.get(f"{house.url}/api/v1/status?{ticket}", headers={"Authorization": f"Bearer {ticket[7:]}"}) as answer:
        assert 401 == answer.status


async def test_ticket_holds_after_a_restart(house: House, http: aiohttp.ClientSession, open_house: OpenHouse) -> None:
    """A page that was open all the while listens on."""
    query = (await announced(house, http)).partition("?")[2]
    again = await open_house(read_tokens=(READ,))
    async with http.get(f"{again.url}/ofrep/v1/events?{query}") as answer:
        assert 200 == answer.status


async def test_stream_needs_a_token(house: House, http: aiohttp.ClientSession) -> None:
    """As all reading does."""
    async with http.get(f"{house.url}/ofrep/v1/events") as answer:
        assert 401 == answer.status


async def test_a_crowd_is_told_whole() -> None:
    """Some at a time, and nobody is left out."""
    streams = Streams()
    with ExitStack() as stack:
        crowd = [stack.enter_context(streams.listening()) for _ in range(3 * CHANGES_PER_EVENT + 1)]
        streams.tell()
        for _ in range(5):
            await asyncio.sleep(0)
        assert all(one.is_set() for one in crowd)
