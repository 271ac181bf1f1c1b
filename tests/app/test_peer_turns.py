"""A peer's large batch is accepted a few samples at a time."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.core.model import Outcome, Sample
from bot.ledger_care.opening import open_storage
from bot.store.home import Home
from bot.system.clock import ManualClock
from bot.wiring.hooks import AT_ONCE, PeerIntake

AT = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)


async def test_large_batch_does_not_block_the_loop(tmp_path: Path) -> None:
    """Flags are read between its thousand samples; all are accepted, in order."""
    storage = await open_storage(Home(tmp_path), None, None)
    taken: list[Sample] = []
    turns: list[int] = []

    async def take(samples: Sequence[Sample]) -> None:
        taken.extend(samples)

    async def others() -> None:
        while True:
            turns.append(len(taken))
            await asyncio.sleep(0)

    waits = asyncio.create_task(others())
    samples = [Sample(f"a.b.{n}", "a.b", AT, Outcome.OK) for n in range(1_000)]
    await PeerIntake(storage.ledger, ManualClock(AT), take).take_samples(samples)
    waits.cancel()
    await asyncio.gather(waits, return_exceptions=True)
    await storage.close()

    assert samples == taken
    assert set(range(AT_ONCE, 1_000, AT_ONCE)) <= set(turns)
