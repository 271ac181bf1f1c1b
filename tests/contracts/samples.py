"""One sample store of each kind, for tests of what all of them guarantee."""

from datetime import datetime
from pathlib import Path

import pytest

from bot.ports import LatencyPicture, Samples
from bot.store.postgres.samples.keeper import PostgresSamples, open_postgres_samples
from bot.store.samples.sqlite import InlineSamples, SqliteSamples, open_samples


async def samples_of(request: pytest.FixtureRequest, folder: Path) -> SqliteSamples | InlineSamples | PostgresSamples:
    """An empty sample store of the kind that the test's parameter names."""
    match request.param:
        case "threaded":
            return await open_samples(folder)
        case "inline":
            return InlineSamples.open()
        case _:
            return await open_postgres_samples(request.getfixturevalue("postgres"), "test")


async def latency_of(samples: Samples, component: str, since: datetime) -> LatencyPicture:
    """The latency picture of one component."""
    return (await samples.latencies([component], since))[component]
