"""Open houses and a client for the web tests."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest_asyncio
from web_house import CONTROL, LOCAL, OUTCOME, READ, House, OpenHouse

from bot.web.server.unix_socket import SocketFile


@pytest_asyncio.fixture
async def open_house() -> AsyncIterator[OpenHouse]:
    """Builds houses with any tokens and closes them after the test."""
    houses: list[House] = []

    async def build(*, restored: bool = True, beside: SocketFile | None = None, **tokens: Any) -> House:
        house = House(**tokens)
        houses.append(house)
        return await house.open(restored=restored, beside=beside)

    yield build
    for house in houses:
        await house.close()


@pytest_asyncio.fixture
async def house(open_house: OpenHouse) -> House:
    """A restored house with one token of each kind."""
    return await open_house(read_tokens=(READ,), control_tokens=(CONTROL,), outcome_tokens=(OUTCOME,), local_token=LOCAL)


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A plain HTTP client."""
    async with aiohttp.ClientSession() as session:
        yield session
