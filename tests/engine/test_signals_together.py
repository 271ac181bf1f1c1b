"""Signals that wait for each other are decided one by one and committed together, each answered as if it were alone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from bot.core import signals as s
from bot.core.answers.base import Answer
from bot.core.model import Actor, Severity
from bot.core.record.fact import Fact
from bot.engine.engine import IN_A_ROW, MOST_TOGETHER, CommittingEngine
from bot.ports import Commit, Store, StoreError, StoreTrouble
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock
from bot.system.denials import Denials
from tests.desk import ANA, BOB, policy, told

API, MONITOR = "anthropic.api", Actor("operator", "grafana", "grafana")
START = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
MANY = 40

T = TypeVar("T")


class WatchedLedger:
    """A real ledger that records commits, waits at its `gate`, and refuses what `refuses` says."""

    def __init__(self, ledger: InlineLedger) -> None:
        self.real = ledger
        self.shared, self.on_commit = ledger.shared, ledger.on_commit
        self.commits: list[Commit] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.refuses: Callable[[Commit], Exception | None] = lambda commit: None

    async def read(self, work: Callable[[Store], T]) -> T:
        return await self.real.read(work)

    async def write(self, work: Callable[[Store], T]) -> T:
        await self.gate.wait()
        return await self.real.write(lambda store: work(_Watched(store, self)))  # type: ignore[arg-type] # the same shape


class _Watched:
    def __init__(self, store: Store, ledger: WatchedLedger) -> None:
        self._store, self._ledger = store, ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, commit: Commit) -> list[Fact]:
        if (refusal := self._ledger.refuses(commit)) is not None:
            raise refusal
        done = self._store.commit(commit)
        self._ledger.commits.append(commit)
        return done


@pytest.fixture
async def ledger() -> AsyncIterator[WatchedLedger]:
    real = InlineLedger.open()
    yield WatchedLedger(real)
    await real.close()


@pytest.fixture
async def engine(ledger: WatchedLedger) -> CommittingEngine:
    made = CommittingEngine(ledger, ManualClock(START), policy())
    await made.load()
    return made


def alert(key: str, id: str = "") -> s.Alerted:
    return s.Alerted(MONITOR, id, source="grafana", key=key, component=API, state="firing", title="5xx")


async def all_at_once(engine: CommittingEngine, *signals: s.Signal) -> list[Answer | BaseException]:
    return await asyncio.gather(*(engine.handle(signal) for signal in signals), return_exceptions=True)


def remembered(engine: CommittingEngine) -> set[str]:
    return {id.removeprefix("grafana/") for id in engine.world.component(API).alerts}


async def test_waiting_signals_share_a_commit(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """Forty alerts at once cost one flush of the disk; the ledger has what was decided, every fact in its place."""
    told: list[int] = []
    engine.listen(lambda facts, world: told.append(len(facts)))
    answers = await all_at_once(engine, *(alert(f"k{number}", f"id-{number}") for number in range(MANY)))

    assert [True] * MANY == [isinstance(answer, Answer) and answer.ok for answer in answers]
    assert [MANY] == [len(commit.facts) for commit in ledger.commits] == told
    facts = await ledger.read(lambda store: store.facts(f"component/{API}"))
    assert list(range(1, MANY + 1)) == [fact.seq for fact in facts]
    assert None is await ledger.read(lambda store: store.examine(f"component/{API}"))
    again = CommittingEngine(ledger, ManualClock(START), policy())
    assert engine.world.components == (await again.load()).components


async def test_large_batches_are_split(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """A person behind a flood of alerts waits for one batch of them, not for all."""
    many = [s.Alerted(MONITOR, "", source=f"m{n}", key="k", component=API, state="firing") for n in range(MOST_TOGETHER + 9)]
    await all_at_once(engine, *many)
    assert [MOST_TOGETHER, 9] == [len(commit.facts) for commit in ledger.commits]


async def test_loop_serves_others_while_many_signals_are_decided(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """A reader of a flag waits for a few decisions, not for the whole batch."""
    turns: list[None] = []

    async def others() -> None:
        while not ledger.commits:
            turns.append(None)
            await asyncio.sleep(0)

    many = (alert(f"k{number}") for number in range(MANY))
    await asyncio.gather(others(), all_at_once(engine, *many))

    assert 2 * MANY // IN_A_ROW <= len(turns)  # each is a signal and a fact


async def test_nobody_is_answered_before_the_commit(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """Not even if nothing had to be written: what they were told might never happen."""
    ledger.gate.clear()
    asked = [asyncio.create_task(engine.handle(alert(key))) for key in ("a", "b", "a")]
    for _ in range(50):
        await asyncio.sleep(0)
    assert [False] * 3 == [task.done() for task in asked]
    assert set() == remembered(engine)
    ledger.gate.set()
    assert ["heard", "heard", "already known"] == [told(await task) for task in asked]


async def test_signal_that_cannot_be_decided_fails_alone(engine: CommittingEngine) -> None:
    """Its error is raised to its caller; the others of the batch are decided."""
    odd = s.VerdictReached(actor=Actor.rule("detector"), verdict=None)  # type: ignore[arg-type] # as a fault of ours would
    answers = await all_at_once(engine, alert("a"), odd, alert("b"))
    assert [False, True, False] == [isinstance(answer, Exception) for answer in answers]
    assert {"a", "b"} == remembered(engine)


async def test_signal_that_cannot_be_written_fails_alone(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """After a failed shared commit each is committed alone."""
    ledger.refuses = lambda commit: ValueError("poison") if "bad" in commit.signals else None
    answers = await all_at_once(engine, alert("a", "good"), alert("b", "bad"), alert("c"))
    assert [False, True, False] == [isinstance(answer, Exception) for answer in answers]
    assert {"a", "c"} == remembered(engine)


async def test_repeated_ids_count_once_in_a_batch(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """An id that was handled before, or appears twice, changes nothing and affects no other signal."""
    await engine.handle(alert("a", "before"))
    answers = await all_at_once(engine, alert("b", "before"), alert("c", "twice"), alert("d", "twice"), alert("e", "new"))
    assert [(True, False), (True, True), (True, False), (True, True)] == [
        (answer.ok, answer.changed) for answer in answers if isinstance(answer, Answer)
    ]
    assert {"a", "c", "e"} == remembered(engine)
    assert 3 == len(await ledger.read(lambda store: store.facts(f"component/{API}")))


async def test_id_that_appears_twice_in_one_commit_counts_once(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """A button pressed twice before the commit: the ledger does not know of the first press yet."""
    answers = await all_at_once(engine, alert("a", "twice"), alert("b", "twice"), alert("c", "once"))

    assert [True, False, True] == [isinstance(answer, Answer) and answer.changed for answer in answers]
    assert {"a", "c"} == remembered(engine)
    assert [["twice", "once"]] == [list(commit.signals) for commit in ledger.commits]


async def test_conflict_with_another_engine_loses_nothing(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """The other was quicker: all signals are decided again."""
    other = CommittingEngine(ledger, ManualClock(START), policy())
    await other.load()
    await other.handle(alert("first"))
    answers = await all_at_once(engine, alert("a"), alert("b"))
    assert [True, True] == [isinstance(answer, Answer) and answer.ok for answer in answers]
    assert {"first", "a", "b"} == remembered(engine)


async def test_disk_error_is_raised_to_every_caller_once(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """Nothing is retried silently, since after some errors nobody knows whether it was written."""
    tries: list[Any] = []
    full = StoreError("the disk is full", kind=StoreTrouble.FULL)
    ledger.refuses = lambda commit: tries.append(commit) or full
    answers = await all_at_once(engine, alert("a"), alert("b"), alert("c"))
    assert [full] * 3 == answers
    assert 1 == len(tries)
    ledger.refuses = lambda commit: None
    assert [True] == [isinstance(answer, Answer) and answer.ok for answer in await all_at_once(engine, alert("a"))]


async def test_signal_of_a_cancelled_caller_is_handled(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """An HTTP client hangs up while its alert waits in a batch."""
    ledger.gate.clear()
    asked = [asyncio.create_task(engine.handle(alert(key))) for key in ("a", "b", "c")]
    for _ in range(20):
        await asyncio.sleep(0)
    asked[0].cancel()
    asked[1].cancel()
    ledger.gate.set()
    assert (await asked[2]).ok
    await engine.caught_up()
    assert {"a", "b", "c"} == remembered(engine)


async def test_refusal_is_recorded_although_its_caller_has_gone(ledger: WatchedLedger) -> None:
    """Somebody tried, and that is what an admin looks for."""
    denials = Denials(ManualClock(START))
    engine = CommittingEngine(ledger, ManualClock(START), policy(), denials=denials)
    await engine.load()
    asked = asyncio.create_task(
        engine.handle(s.ReleaseFlag(actor=Actor("vendor", "anthropic", "Anthropic"), flag="support-chat.llm"))
    )
    await asyncio.sleep(0)
    asked.cancel()
    for _ in range(20):
        await asyncio.sleep(0)

    assert ["ReleaseFlag"] == [attempt.what for attempt in await denials.newest()]


async def test_refusal_records_person_and_incident(ledger: WatchedLedger) -> None:
    """An admin reads names, and opens that incident."""
    denials = Denials(ManualClock(START))
    led = replace(policy(), incidents=replace(policy().incidents, commanders=(ANA.id,)))
    engine = CommittingEngine(ledger, ManualClock(START), led, denials=denials)
    await engine.load()
    number = (await engine.handle(s.Declare(actor=ANA, title="Payments are slow"))).incident
    assert number is not None
    await engine.handle(s.SetSeverity(actor=BOB, incident=number, severity=Severity.SEV1))

    assert [(BOB.id, "bob", "SetSeverity", number)] == [
        (one.who, one.name, one.what, one.incident) for one in await denials.newest()
    ]
