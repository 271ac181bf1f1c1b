"""Latencies for the health command: shown if they are known, and never waited for."""

import asyncio
from collections.abc import Collection
from datetime import datetime
from typing import cast

import pytest

from bot.engine.latencies import latencies_lately
from bot.ports import LatencyPicture, Samples, StoreError
from bot.sandbox.world import EPOCH, VirtualLoop


class Stuck:
    """Samples in a database that does not answer, or says that it is away."""

    def __init__(self, error: StoreError | None) -> None:
        self.error = error

    async def latencies(self, components: Collection[str], since: datetime) -> dict[str, LatencyPicture]:
        if self.error:
            raise self.error
        return await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize("error", [StoreError("it is away", permanent=False), None], ids=["away", "silent"])
def test_health_is_answered_without_latencies_if_they_are_late(error: StoreError | None) -> None:
    """Whether the database raises an error or hangs, the answer comes within a second."""

    async def asked() -> tuple[dict[str, LatencyPicture], float]:
        found = await latencies_lately(cast(Samples, Stuck(error)), ["anthropic.api"], EPOCH)
        return found, asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        found, took_s = runner.run(asked())

    assert ({}, True) == (found, took_s <= 1.0)
