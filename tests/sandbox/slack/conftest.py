"""A furnished workspace for each test."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_stage import EVERY_SCOPE, SETTINGS, Stage, furnish

from bot.sandbox.slack import LocalWorkspace


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def stage(session: aiohttp.ClientSession) -> AsyncIterator[Stage]:
    async with LocalWorkspace(scopes=EVERY_SCOPE, settings=SETTINGS) as ws:
        yield furnish(ws, session)
