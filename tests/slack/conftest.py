"""A fresh workspace with a gateway, for each test."""

from collections.abc import AsyncIterator

import pytest
from slack_house import QUICK, login

from bot.sandbox.slack import LocalWorkspace
from bot.slack.gateway import SlackGateway


@pytest.fixture
async def workspace() -> AsyncIterator[LocalWorkspace]:
    async with LocalWorkspace() as made:
        yield made


@pytest.fixture
async def gateway(workspace: LocalWorkspace) -> AsyncIterator[SlackGateway]:
    made = SlackGateway(login(workspace), patience=QUICK)
    await made.start()
    yield made
    await made.close()
