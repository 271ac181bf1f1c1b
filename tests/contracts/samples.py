"""The keepers of samples that the contracts are asked of, by name."""

from pathlib import Path

import pytest

from bot.store.postgres.samples.keeper import PostgresSamples, open_postgres_samples
from bot.store.samples.sqlite import InlineSamples, SqliteSamples, open_samples


async def samples_of(request: pytest.FixtureRequest, folder: Path) -> SqliteSamples | InlineSamples | PostgresSamples:
    """The one that the test's parameter names, with nothing in it."""
    match request.param:
        case "threaded":
            return await open_samples(folder)
        case "inline":
            return InlineSamples.open()
        case _:
            return await open_postgres_samples(request.getfixturevalue("postgres"), "test")
