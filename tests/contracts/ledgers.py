"""One ledger of each kind, for tests of what all of them guarantee; `request.param` selects it."""

from pathlib import Path

import pytest

from bot.store.postgres.ledgers import PostgresLedger, open_postgres_ledger
from bot.store.sqlite.ledgers import InlineLedger, SqliteLedger, open_ledger


async def a_ledger(request: pytest.FixtureRequest, folder: Path) -> InlineLedger | SqliteLedger | PostgresLedger:
    if request.param == "inline":
        return InlineLedger.open()
    if request.param == "threaded":
        return await open_ledger(folder)
    return await open_postgres_ledger(request.getfixturevalue("postgres"), "test")
