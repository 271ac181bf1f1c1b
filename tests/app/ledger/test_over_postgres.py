"""A whole bot over a ledger in PostgreSQL: an outage from end to end, a restart in the middle, and a server that goes away."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.core.model import Phase
from bot.sandbox.postgres import PostgresServer
from tests.dialogs.talk import Talk
from tests.house import FLAG, House, a_house


@pytest.fixture
def server(postgres_server: PostgresServer) -> PostgresServer:
    """One that the test may stop."""
    del postgres_server  # skips where there is none
    made = PostgresServer()
    made.create()
    made.start()
    return made


@pytest.fixture
async def house(tmp_path: Path, server: PostgresServer) -> AsyncIterator[House]:
    try:
        async with a_house(tmp_path, store=server.url()) as found:
            yield found
    finally:
        server.close()


async def reads(house: House) -> str:
    """What a service gets."""
    url = f"{house.app.url}/ofrep/v1/evaluate/flags/{FLAG}"
    async with aiohttp.ClientSession() as session, session.post(url, json={"context": {"targetingKey": "x"}}) as response:
        return str((await response.json())["variant"])


async def asks(house: House, path: str) -> Any:
    """What the API answers the terminal."""
    headers = {"Authorization": f"Bearer {house.app.local_token}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(f"{house.app.url}{path}") as response:
        return await response.json()


async def ready(house: House) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"{house.app.url}/readyz") as response:
        return response.status, await response.text()


async def test_an_outage_is_run_and_a_restart_goes_on_where_it_was(house: House) -> None:
    """The fallback is served, the incident opened, and both are there after a restart; no ledger lies in the folder."""
    await house.fails("anthropic.api")
    assert "gpt" == await reads(house)
    await house.stop()
    await house.start()

    assert "gpt" == await reads(house)
    assert [1] == [incident.number for incident in house.app.engine.world.open_incidents()]
    assert house.app.engine.world.incidents[1].phase is not Phase.RESOLVED
    assert not list(house.folder.rglob("ledger.db"))


async def test_flags_are_served_while_the_database_is_away(house: House, server: PostgresServer) -> None:
    """It is said where people look, and over when the server is back; nobody restarts anything."""
    await asyncio.to_thread(server.stop)
    async with asyncio.timeout(20):
        while (said := await ready(house))[0] == 200:
            await asyncio.sleep(0.05)
    served = await reads(house)
    await asyncio.to_thread(server.start)
    async with asyncio.timeout(30):
        while (await ready(house))[0] != 200:
            await asyncio.sleep(0.05)

    assert "claude" == served
    assert "s3cret" not in said[1]
    await house.fails("anthropic.api")
    assert "gpt" == await reads(house)


async def test_how_things_stand_is_told_while_the_database_is_away(house: House, server: PostgresServer) -> None:
    """In Slack and by the API, from memory; only how fast checks were is missing, and what needs the ledger says so."""
    await house.fails("anthropic.api")
    await asyncio.to_thread(server.stop)
    seen = await Talk(house).asks(house.ana, "/health claude")
    status = await asks(house, "/api/v1/status")
    timeline = await asks(house, "/api/v1/incidents/1/timeline")

    assert "Not known right now." in seen
    assert "down" == {one["id"]: one["level"] for one in status["components"]}["anthropic.api"]
    assert {None} == {one["latency"] for one in status["components"]}
    assert "The database cannot be reached, so that is not known right now." == timeline["text"]
