"""A conversation: people of #ops, the bot, and vendors whose answers the test decides."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.dialogs.talk import Talk
from tests.house import House, a_house


@pytest.fixture
async def talk(house: House) -> Talk:
    """Everything is well; ana and bob are in #ops."""
    return Talk(house)


@pytest.fixture
async def outage(house: House) -> Talk:
    """The Claude API has failed for two minutes, and everything that follows from that is said."""
    await house.fails("anthropic.api")
    await house.quiet()
    return Talk(house)


@pytest.fixture
async def empty_house(tmp_path: Path) -> AsyncIterator[House]:
    """A deployment that is not started yet, so that its configuration can be changed."""
    async with a_house(tmp_path, started=False) as found:
        yield found
