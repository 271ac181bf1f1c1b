"""What people are told about an edited ledger: at the start, and once for each new finding of the daily audit."""

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
    """A ledger in which the actor of so many open incidents was changed by hand: 1, 2 and so on."""
    ledger = InlineLedger.open()
    for number in range(1, streams + 1):
        ledger.store.commit(commit(fact(f"incident/{number}", 1)))
    ledger.conn.execute("DROP TRIGGER facts_stay")
    ledger.conn.execute("UPDATE facts SET actor = replace(actor, 'ana', 'bob')")
    return ledger


def an_edited_incident(stream: str = "") -> InlineLedger:
    """A ledger with a long history, in one stream of which an actor was changed by hand."""
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
async def test_start_names_the_first_broken_stream_and_counts_the_others(streams: int, more: str) -> None:
    """So the operator knows how much there is to do."""
    assert more in await refused(edited(streams))


async def test_start_does_not_count_others_if_one_stream_is_broken() -> None:
    """No "0 more"."""
    assert " more " not in await refused(edited(1))


async def test_start_names_only_streams_that_it_cannot_repair() -> None:
    """A state that does not follow from its facts is rebuilt, so nobody need set its stream aside."""
    ledger = an_edited_incident("incident/2")
    ledger.conn.execute("UPDATE states SET body = '{}' WHERE stream = 'component/anthropic.api'")
    said = await refused(ledger)

    assert "--set-aside incident/2`" in said
    assert "component/anthropic.api" not in said


async def test_start_names_at_most_ten_streams() -> None:
    """A line to type, not a page."""
    assert MOST_NAMED == (await refused(edited(MOST_NAMED + 2))).count("--set-aside ")


async def test_start_repairs_the_state_of_an_ended_incident() -> None:
    """It is rebuilt from its facts, although only open incidents are checked at first."""
    ledger = an_edited_incident()
    ledger.conn.execute("UPDATE states SET body = json_set(body, '$.severity', 'SEV9') WHERE stream = 'incident/1'")
    world = await load_checked(CommittingEngine(ledger, ManualClock(EPOCH), policy()), ledger)

    assert Phase.RESOLVED is world.incidents[1].phase


async def test_first_five_findings_are_reported_and_shown_on_the_board() -> None:
    """More of them would say nothing more to somebody on a phone."""
    calls: list[str] = []
    audit = DailyAudit(edited(7), lambda title, text: calls.append(text))
    await audit.look()

    assert [5, 5] == [calls[0].count("do not hold"), audit.trouble.count("do not hold")]


@pytest.mark.parametrize("body", [OfTomorrow("test.of_tomorrow"), OfTomorrow(NoteAdded.KIND, NoteAdded.VERSION + 1)])
async def test_facts_of_a_newer_version_are_not_called_edited(body: Any) -> None:
    """After a downgrade the remedy is an upgrade; setting the stream aside would lose it."""
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
    """A ledger whose first read fails."""

    fails = True

    async def read(self, work: Callable[[Store], T]) -> T:
        if self.fails:
            self.fails = False
            raise OSError("input/output error")
        return await super().read(work)


def test_failed_audit_is_repeated_the_next_day() -> None:
    """One disk error does not end the audits."""

    async def play() -> list[str]:
        ledger = Failing(edited(1).conn)
        calls: list[str] = []
        audit = DailyAudit(ledger, lambda title, text: calls.append(title))
        audit.start()
        await asyncio.sleep(FIRST_AFTER_S + EVERY_S + 60)
        await audit.close()
        return calls

    assert 1 == len(in_virtual_time(play))


async def test_second_finding_is_reported_after_the_first() -> None:
    """Knowing of one edited stream is not knowing of the next."""
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
