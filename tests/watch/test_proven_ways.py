"""Which controls ever answered is written when that set grows, and not at every beat."""

from bot.core.detection.blindness import ProvenAnswers
from bot.store.sqlite.ledgers import InlineLedger
from bot.watch.proven import ProvenWays


async def test_known_controls_are_not_written_again() -> None:
    """A beat comes twice a second, for years: only news may cost disk writes."""
    ledger, found = InlineLedger.open(), ProvenAnswers(True, frozenset({"control.one"}))
    ways = ProvenWays(ledger)
    await ways.keep(found)
    once = ledger.conn.total_changes
    await ways.keep(found)
    again = ProvenWays(ledger)
    recalled = await again.recall()
    await again.keep(recalled)

    assert found == recalled
    assert once == ledger.conn.total_changes


async def test_new_controls_are_written() -> None:
    """A second control answers for the first time."""
    ledger = InlineLedger.open()
    ways = ProvenWays(ledger)
    await ways.keep(ProvenAnswers(True, frozenset({"control.one"})))
    grown = ProvenAnswers(True, frozenset({"control.one", "control.two"}), inside=True, outside=True)
    await ways.keep(grown)

    assert grown == await ProvenWays(ledger).recall()
