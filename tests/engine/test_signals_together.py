"""Signals that wait for each other are decided on in a row and committed together, and each is answered as if it were alone."""

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
    """A real ledger that notes what is committed, waits at its `gate`, and refuses what `refuses` says."""

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


async def test_signals_that_wait_share_a_commit(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """Forty alerts at once are one flush of the disk, every fact in its place; what was decided is what the ledger holds."""
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


async def test_more_than_fit_go_in_several_commits(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """A person who comes behind a flood of alerts waits for one batch of them, not for all."""
    many = [s.Alerted(MONITOR, "", source=f"m{n}", key="k", component=API, state="firing") for n in range(MOST_TOGETHER + 9)]
    await all_at_once(engine, *many)
    assert [MOST_TOGETHER, 9] == [len(commit.facts) for commit in ledger.commits]


async def test_others_have_their_turns_while_many_are_decided_on(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """A reader of a flag waits for a few decisions, not for all that came together."""
    turns: list[None] = []

    async def others() -> None:
        while not ledger.commits:
            turns.append(None)
            await asyncio.sleep(0)

    many = (alert(f"k{number}") for number in range(MANY))
    await asyncio.gather(others(), all_at_once(engine, *many))

    assert 2 * MANY // IN_A_ROW <= len(turns)  # each is a signal and a fact


async def test_nobody_is_answered_before_the_commit(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """Not even those for whom nothing had to be written: what they were told of might never come to be."""
    ledger.gate.clear()
    asked = [asyncio.create_task(engine.handle(alert(key))) for key in ("a", "b", "a")]
    for _ in range(50):
        await asyncio.sleep(0)
    assert [False] * 3 == [task.done() for task in asked]
    assert set() == remembered(engine)
    ledger.gate.set()
    assert ["heard", "heard", "already known"] == [told(await task) for task in asked]


async def test_signal_that_cannot_be_decided_on_fails_alone(engine: CommittingEngine) -> None:
    """What no rule can make sense of is raised where it came from; its neighbours are heard."""
    odd = s.VerdictReached(actor=Actor.rule("detector"), verdict=None)  # type: ignore[arg-type] # as a fault of ours would
    answers = await all_at_once(engine, alert("a"), odd, alert("b"))
    assert [False, True, False] == [isinstance(answer, Exception) for answer in answers]
    assert {"a", "b"} == remembered(engine)


async def test_signal_that_cannot_be_written_fails_alone(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """What breaks a shared commit is found by letting each go alone."""
    ledger.refuses = lambda commit: ValueError("poison") if "bad" in commit.signals else None
    answers = await all_at_once(engine, alert("a", "good"), alert("b", "bad"), alert("c"))
    assert [False, True, False] == [isinstance(answer, Exception) for answer in answers]
    assert {"a", "c"} == remembered(engine)


async def test_repeated_ids_count_once_among_many(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """An id that was handled before, or stands twice in the same batch, changes nothing and takes nobody along."""
    await engine.handle(alert("a", "before"))
    answers = await all_at_once(engine, alert("b", "before"), alert("c", "twice"), alert("d", "twice"), alert("e", "new"))
    assert [(True, False), (True, True), (True, False), (True, True)] == [
        (answer.ok, answer.changed) for answer in answers if isinstance(answer, Answer)
    ]
    assert {"a", "c", "e"} == remembered(engine)
    assert 3 == len(await ledger.read(lambda store: store.facts(f"component/{API}")))


async def test_an_id_that_stands_twice_in_one_commit_counts_once(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """A button is pressed twice before anything is committed: nothing in the ledger could tell of the first yet."""
    answers = await all_at_once(engine, alert("a", "twice"), alert("b", "twice"), alert("c", "once"))

    assert [True, False, True] == [isinstance(answer, Answer) and answer.changed for answer in answers]
    assert {"a", "c"} == remembered(engine)
    assert [["twice", "once"]] == [list(commit.signals) for commit in ledger.commits]


async def test_conflict_with_another_writer_takes_nobody_down(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """A second engine on the same ledger was quicker: all are decided on anew, and none is lost."""
    other = CommittingEngine(ledger, ManualClock(START), policy())
    await other.load()
    await other.handle(alert("first"))
    answers = await all_at_once(engine, alert("a"), alert("b"))
    assert [True, True] == [isinstance(answer, Answer) and answer.ok for answer in answers]
    assert {"first", "a", "b"} == remembered(engine)


async def test_broken_disk_is_told_to_everybody_once(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """Nothing is tried again behind their backs: whether the last try was written is not known for every fault."""
    tries: list[Any] = []
    full = StoreError("the disk is full", kind=StoreTrouble.FULL)
    ledger.refuses = lambda commit: tries.append(commit) or full
    answers = await all_at_once(engine, alert("a"), alert("b"), alert("c"))
    assert [full] * 3 == answers
    assert 1 == len(tries)
    ledger.refuses = lambda commit: None
    assert [True] == [isinstance(answer, Answer) and answer.ok for answer in await all_at_once(engine, alert("a"))]


async def test_caller_that_goes_away_loses_nothing(engine: CommittingEngine, ledger: WatchedLedger) -> None:
    """An HTTP client hangs up while its alert waits in a batch: what was asked for is done all the same."""
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


async def test_refusal_is_kept_although_whoever_asked_has_gone(ledger: WatchedLedger) -> None:
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


async def test_a_refusal_says_who_it_was_and_of_which_incident(ledger: WatchedLedger) -> None:
    """An admin reads names, and looks at that incident."""
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
