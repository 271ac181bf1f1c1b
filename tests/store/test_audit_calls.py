"""When the daily audit calls people: at each new finding, and not again for one that they know."""

from bot.audit import DailyAudit
from bot.store.sqlite import InlineLedger
from tests.ledger_facts import an_incident


async def test_a_second_finding_is_told_though_the_first_was() -> None:
    """Whoever knows of one edited stream does not know of the next."""
    ledger, calls = InlineLedger.open(), list[str]()
    for commit in an_incident():
        ledger.store.commit(commit)
    ledger.conn.execute("DROP TRIGGER facts_stay")
    audit = DailyAudit(ledger, lambda title, text: calls.append(text))
    untouched = audit.trouble
    for stream in ("incident/1", "incident/2"):
        ledger.conn.execute("UPDATE facts SET actor = replace(actor, 'ana', 'bob') || ' ' WHERE stream = ?", (stream,))
        await audit.look()
        await audit.look()

    assert ("", 2) == (untouched, len(calls))
    assert "incident/2" not in calls[0]
    assert "incident/2" in calls[1]
    assert "incident/2" in audit.trouble
