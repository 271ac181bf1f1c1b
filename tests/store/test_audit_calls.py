"""What is said of a ledger that was edited: at the start, and by the daily audit at each new finding, once."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from bot.core.model import Phase
from bot.core.record.incident_facts import NoteAdded
from bot.engine.engine import CommittingEngine
from bot.ledger_care.audit import EVERY_S, FIRST_AFTER_S, MOST_NAMED, DailyAudit, load_checked
from bot.ports import Store, StoreError, StoreTrouble
from bot.sandbox.world import EPOCH
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock
from tests.desk import policy
from tests.engine.test_bad_days import in_virtual_time
from tests.ledger_facts import OfTomorrow, an_incident, commit, declared, fact

T = TypeVar("T")


def edited(streams: int) -> InlineLedger:
    """A ledger in which somebody changed who did it, in so many open incidents: 1, 2 and so on."""
    ledger = InlineLedger.open()
    for number in range(1, streams + 1):
        ledger.store.commit(commit(fact(f"incident/{number}", 1)))
    ledger.conn.execute("DROP TRIGGER facts_stay")
    ledger.conn.execute("UPDATE facts SET actor = replace(actor, 'ana', 'bob')")
    return ledger


def an_edited_incident(stream: str = "") -> InlineLedger:
    """A ledger of a long story, in which somebody changed who did what in one stream."""
    ledger = InlineLedger.open()
    for one in an_incident():
        ledger.store.commit(one)
    ledger.conn.execute("DROP TRIGGER facts_stay")
    ledger.conn.execute("UPDATE facts SET actor = replace(actor, 'ana', 'bob') || ' ' WHERE stream = ?", (stream,))
    return ledger


async def refused(ledger: InlineLedger) -> str:
    with pytest.raises(StoreError) as found:
        await load_checked(CommittingEngine(ledger, ManualClock(EPOCH), policy()), ledger)
    return str(found.value)


@pytest.mark.parametrize(("streams", "more"), [(2, " (1 more stream is broken). "), (3, " (2 more streams are broken). ")])
async def test_a_start_says_how_much_is_broken(streams: int, more: str) -> None:
    """The first by name, and how many besides."""
    assert more in await refused(edited(streams))


async def test_a_start_speaks_of_one_broken_stream_alone() -> None:
    """No "0 more"."""
    assert " more " not in await refused(edited(1))


async def test_a_start_names_only_what_cannot_be_mended() -> None:
    """A state that does not follow from its facts is made anew; nobody need set its stream aside."""
    ledger = an_edited_incident("incident/2")
    ledger.conn.execute("UPDATE states SET body = '{}' WHERE stream = 'component/anthropic.api'")
    said = await refused(ledger)

    assert "--set-aside incident/2`" in said
    assert "component/anthropic.api" not in said


async def test_a_start_names_ten_streams_at_most() -> None:
    """A line to type, not a page."""
    assert MOST_NAMED == (await refused(edited(MOST_NAMED + 2))).count("--set-aside ")


async def test_a_start_reads_on_past_the_state_of_an_incident_that_is_over() -> None:
    """It is rebuilt from its facts, though only what is open is checked at first."""
    ledger = an_edited_incident()
    ledger.conn.execute("UPDATE states SET body = json_set(body, '$.severity', 'SEV9') WHERE stream = 'incident/1'")
    world = await load_checked(CommittingEngine(ledger, ManualClock(EPOCH), policy()), ledger)

    assert Phase.RESOLVED is world.incidents[1].phase


async def test_five_findings_are_told_and_stand_on_the_board() -> None:
    """More of them say nothing more to somebody on a phone."""
    calls: list[str] = []
    audit = DailyAudit(edited(7), lambda title, text: calls.append(text))
    await audit.look()

    assert [5, 5] == [calls[0].count("do not hold"), audit.trouble.count("do not hold")]


@pytest.mark.parametrize("body", [OfTomorrow("test.of_tomorrow"), OfTomorrow(NoteAdded.KIND, NoteAdded.VERSION + 1)])
async def test_what_a_newer_understudy_wrote_is_not_called_edited(body: Any) -> None:
    """After a downgrade the remedy is an upgrade; to set the stream aside would throw it away."""
    ledger = InlineLedger.open()
    ledger.store.commit(declared(1))
    ledger.store.commit(commit(fact("incident/1", 2, body)))
    calls: list[str] = []

    with pytest.raises(StoreError, match=f"a newer Understudy writes this ledger .*{body.KIND} version") as refused:
        await load_checked(CommittingEngine(ledger, ManualClock(EPOCH), policy()), ledger)
    with pytest.raises(StoreError, match="a newer Understudy"):
        await DailyAudit(ledger, lambda title, text: calls.append(title)).look()

    assert (StoreTrouble.NEWER, []) == (refused.value.kind, calls)


class Failing(InlineLedger):
    """A ledger of which the first reading fails."""

    fails = True

    async def read(self, work: Callable[[Store], T]) -> T:
        if self.fails:
            self.fails = False
            raise OSError("input/output error")
        return await super().read(work)


def test_an_audit_that_failed_is_made_again_the_next_day() -> None:
    """A disk that stumbles once ends no watch."""

    async def play() -> list[str]:
        ledger = Failing(edited(1).conn)
        calls: list[str] = []
        audit = DailyAudit(ledger, lambda title, text: calls.append(title))
        audit.start()
        await asyncio.sleep(FIRST_AFTER_S + EVERY_S + 60)
        await audit.close()
        return calls

    assert 1 == len(in_virtual_time(play))


async def test_a_second_finding_is_told_though_the_first_was() -> None:
    """Whoever knows of one edited stream does not know of the next."""
    ledger, calls = an_edited_incident(), list[str]()
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
