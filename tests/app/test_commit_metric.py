"""A running bot's metrics show how long commits take."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.deployment import Bot, Deployment, a_deployment


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    async with a_deployment(tmp_path) as found:
        found.configure()
        yield found


async def test_each_commit_is_counted_in_the_metrics(deployment: Deployment) -> None:
    """They show whether the disk is slow."""
    bot = await deployment.ready_bot()
    before = await _commits(bot)
    await deployment.verb("incident", "declare", "Claude is slow")

    assert await _commits(bot) > before


async def _commits(bot: Bot) -> float:
    page = (await bot.asks("GET", "/metrics")).text
    return float(page.partition("understudy_store_commit_seconds_count ")[2].partition("\n")[0])
