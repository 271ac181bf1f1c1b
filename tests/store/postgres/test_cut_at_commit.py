"""A connection breaks exactly at a commit: nobody knows whether it was written, yet nothing is written twice."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from enum import StrEnum
from urllib.parse import urlsplit

import pytest

from bot.core import signals as s
from bot.core.model import Severity
from bot.core.record.incident_facts import NoteAdded
from bot.engine.engine import CommittingEngine
from bot.ports import StoreError, StoreTrouble
from bot.store.postgres.ledgers import PostgresLedger, open_postgres_ledger
from bot.system.clock import ManualClock
from tests.desk import ANA, START, policy
from tests.trust.wire import PIECE, Wire

COMMIT = b"COMMIT\0"  # how a query of ours ends, and what the server calls it when it is done


class Cut(StrEnum):
    """Where the connection breaks."""

    ASKED = "before the server hears of it"
    DONE = "before we hear that it is done"


class WireThatBreaks(Wire):
    """Breaks once, at the next commit after `at` was set."""

    at: Cut | None = None

    async def forward(self, reader: StreamReader, writer: StreamWriter) -> None:
        while piece := await reader.read(PIECE):
            asked = b"Q" == piece[:1]
            if self.at is (Cut.ASKED if asked else Cut.DONE) and COMMIT in piece:
                self.at = None
                break
            writer.write(piece)
            await writer.drain()
        raise ConnectionResetError


@pytest.fixture
async def wire(postgres: str) -> AsyncIterator[WireThatBreaks]:
    async with WireThatBreaks("127.0.0.1", urlsplit(postgres).port or 0) as between:
        yield between


@pytest.fixture
async def ledger(postgres: str, wire: WireThatBreaks) -> AsyncIterator[PostgresLedger]:
    there = urlsplit(postgres)
    opened = await open_postgres_ledger(postgres.replace(f":{there.port}", f":{wire.port}"), "one")
    yield opened
    await opened.close()


@pytest.fixture(params=Cut)
def where(request: pytest.FixtureRequest) -> Cut:
    cut: Cut = request.param
    return cut


@pytest.fixture
async def engine(ledger: PostgresLedger) -> CommittingEngine:
    """An engine with one open incident."""
    engine = CommittingEngine(ledger, ManualClock(START), policy())
    await engine.load()
    await engine.handle(s.Declare(actor=ANA, title="Chat is slow", severity=Severity.SEV2))
    return engine


async def notes(ledger: PostgresLedger) -> list[str]:
    facts = await ledger.read(lambda store: store.facts("incident/1"))
    return [fact.body.text for fact in facts if isinstance(fact.body, NoteAdded)]


def note(text: str) -> s.AddNote:
    return s.AddNote(actor=ANA, id=text, incident=1, text=text)


async def test_signal_repeated_after_a_cut_is_written_once(
    engine: CommittingEngine, ledger: PostgresLedger, wire: WireThatBreaks, where: Cut
) -> None:
    """Slack, a service, or a person who presses again: the signal has the same id."""
    wire.at = where
    with pytest.raises(StoreError) as unsure:
        await engine.handle(note("a failover, says support"))
    again = await engine.handle(note("a failover, says support"))

    assert (None, StoreTrouble.AWAY) == (wire.at, unsure.value.kind)
    assert (True, where is Cut.ASKED) == (again.ok, again.changed)
    assert ["a failover, says support"] == await notes(ledger)


async def test_decision_after_a_cut_follows_what_was_written(
    engine: CommittingEngine, ledger: PostgresLedger, wire: WireThatBreaks, where: Cut
) -> None:
    """What the ledger holds counts, not what we were told."""
    wire.at = where
    with pytest.raises(StoreError):
        await engine.handle(note("one"))
    await engine.handle(note("two"))
    facts = await ledger.read(lambda store: store.facts("incident/1"))
    fresh = CommittingEngine(ledger, ManualClock(START), policy())

    assert (["two"] if where is Cut.ASKED else ["one", "two"]) == await notes(ledger)
    assert list(range(1, len(facts) + 1)) == [fact.seq for fact in facts]
    assert await fresh.load() == engine.world


async def test_each_signal_of_a_shared_commit_is_written_once(
    engine: CommittingEngine, ledger: PostgresLedger, wire: WireThatBreaks, where: Cut
) -> None:
    """None of them is answered as if it were written, and each asks again."""
    wire.at = where
    wanted = [f"note {n}" for n in range(20)]
    first = await asyncio.gather(*(engine.handle(note(text)) for text in wanted), return_exceptions=True)
    second = await asyncio.gather(*(engine.handle(note(text)) for text in wanted))

    assert {StoreError} == {type(answer) for answer in first}
    assert all(answer.ok for answer in second)
    assert wanted == sorted(await notes(ledger), key=wanted.index)
