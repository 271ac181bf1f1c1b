"""Finding when a component last failed, for answers to questions, in a ledger of any length."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core import signals as s
from bot.core.model import Level
from bot.store.sqlite.ledgers import InlineLedger
from commands.events.questions import READ_BACK, last_failure
from tests.desk import ANA, Table
from tests.ledger_facts import commits

API, WEB = "anthropic.api", "anthropic.web"


def muted_often(table: Table, id: str) -> None:
    """Facts without a failure, more than the first page reads."""
    for _ in range(READ_BACK):
        table.send(s.Mute(actor=ANA, component=id, lasts=timedelta(hours=1)))
        table.send(s.Unmute(actor=ANA, component=id))


async def asked(table: Table, components: Sequence[str]) -> datetime | None:
    ledger = InlineLedger.open()
    for commit in commits(table):
        await ledger.write(lambda store, commit=commit: store.commit(commit))  # type: ignore[misc] # bound at once
    found = await last_failure(ledger, components, table.world.seqs)
    await ledger.close()
    return found


async def test_last_failure_is_found_however_long_ago() -> None:
    """Of several components, the latest failure counts."""
    table = Table().all_well()
    for id in (API, WEB, API):
        table.sees(id, Level.DOWN)
        table.now += timedelta(minutes=10)
        table.sees(id, Level.OPERATIONAL)
    over_at = table.now
    muted_often(table, API)

    assert over_at == await asked(table, (API,))
    assert over_at == await asked(table, (WEB, API))


async def test_component_that_never_failed_has_no_last_failure() -> None:
    table = Table().all_well()
    muted_often(table, API)

    assert await asked(table, (API, "openai.api")) is None
