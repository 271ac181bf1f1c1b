"""Notices that reached nobody are sent again in the background; in virtual time."""

import asyncio
from datetime import timedelta

import pytest

from bot.store.samples.sqlite import InlineSamples
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock
from bot.web.metrics import Metrics
from bot.wiring.upkeep import Housekeeping
from tests.desk import START
from tests.engine.test_bad_days import in_virtual_time


@pytest.mark.parametrize(("acts", "times"), [(True, 3), (False, 0)])
def test_undelivered_notices_are_sent_again_every_minute_by_one_replica(acts: bool, times: int) -> None:
    """Only the replica that acts for all does it."""
    calls: list[float] = []

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        housekeeping = Housekeeping(
            InlineLedger.open(), InlineSamples.open(), ManualClock(START), Metrics("0"), keep=timedelta(days=1),
            budget_bytes=10**9, connected=lambda: None, spent=str, acts=lambda: acts,
            tell_again=lambda: calls.append(loop.time()),
        )  # fmt: skip
        housekeeping.start()
        await asyncio.sleep(175)
        await housekeeping.stop()

    in_virtual_time(scene)

    assert times == len(calls)
