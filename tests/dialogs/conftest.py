"""A conversation: people of #ops, the bot, and vendors whose answers the test decides."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.dialogs.talk import Talk
from tests.house import House, a_house


@pytest.fixture
async def talk(house: House) -> Talk:
    """A healthy deployment, with Ana and Bob in #ops."""
    return Talk(house)


@pytest.fixture
async def outage(house: House) -> Talk:
    """The Claude API has been failing for two minutes, and every message about it has been posted."""
    await house.fails("anthropic.api")
    await house.quiet()
    return Talk(house)


@pytest.fixture
async def empty_house(tmp_path: Path) -> AsyncIterator[House]:
    """A deployment that has not started yet, so tests can still change its configuration."""
    async with a_house(tmp_path, started=False) as found:
        yield found
