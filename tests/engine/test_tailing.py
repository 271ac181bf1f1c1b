"""How an engine handles what others commit to its ledger: it follows, and decides on nothing older."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bot.core import signals as s
from bot.core.answers.base import Answer, DoneAlready
from bot.core.effects import PostLine
from bot.core.model import Fault, Level, Phase, Verdict
from bot.core.record.fact import Fact
from bot.core.record.incident_facts import NoteAdded
from bot.core.record.recent import RECENT_FOR
from bot.core.record.room.room_facts import GivenUp
from bot.core.record.world import World
from bot.engine.engine import CommittingEngine
from bot.engine.follower import Follower
from bot.engine.outbox import Outbox
from bot.engine.tail import MOST_BEHIND
from bot.ports import RowState, Store, StoreError, StoreTrouble
from bot.sandbox.world import LoopClock
from bot.store.postgres.ledgers import PostgresLedger, open_postgres_ledger
from bot.store.sqlite.engine import connect
from bot.store.sqlite.ledgers import InlineLedger, SqliteLedger
from bot.system.clock import ManualClock, SystemClock
from tests.desk import ANA, RULE, START, policy
from tests.engine.test_bad_days import in_virtual_time
from tests.ledger_facts import OfTomorrow, commit, effect, fact

T = TypeVar("T")

LONG = RECENT_FOR + timedelta(days=2)


class Engines:
    """Any number of engines over one ledger that none of them owns."""

    def __init__(self) -> None:
        self.conn = connect(":memory:")
        self.clock = ManualClock(START)
        self.store = self.ledger().store

    def ledger(self) -> InlineLedger:
        return InlineLedger(self.conn, shared=True)

    async def started(self, ledger: InlineLedger | None = None) -> CommittingEngine:
        engine = CommittingEngine(ledger or self.ledger(), self.clock, policy())
        await engine.load()
        return engine


@pytest.fixture
async def engines() -> AsyncIterator[Engines]:
    made = Engines()
    yield made
    made.conn.close()


class Heard:
    """What a listener of an engine received: facts by kind, and how often the world was reloaded."""

    def __init__(self, engine: CommittingEngine, *, own: bool = False) -> None:
        self.kinds: list[str] = []
        self.anew = 0
        engine.listen(self._hears, own=own)

    def _hears(self, facts: Sequence[Fact], world: World) -> None:
        self.kinds += [fact.kind for fact in facts]
        self.anew += not facts


async def declared(engine: CommittingEngine, title: str = "Payments are slow") -> int:
    number = (await engine.handle(s.Declare(actor=ANA, title=title, separate=True))).incident
    assert number is not None
    return number


def note(number: int, id: str = "") -> s.AddNote:
    return s.AddNote(actor=ANA, id=id, incident=number, text="Noted.")


async def test_commits_of_another_engine_are_shown(engines: Engines) -> None:
    """The worlds are equal, and listeners get the facts as if they were their own engine's."""
    here, there = await engines.started(), await engines.started()
    heard, own = Heard(here), Heard(here, own=True)
    number = await declared(there)
    await here.catch_up()

    assert there.world == here.world
    assert (["incident.declared"], 0) == (heard.kinds[:1], heard.anew)
    assert ([], 0) == (own.kinds, own.anew)
    assert 1 == number


async def test_nothing_is_shown_twice(engines: Engines) -> None:
    """After a needless call, or one for our own commit."""
    engine = await engines.started()
    heard = Heard(engine)
    await declared(engine)
    before = list(heard.kinds)
    await engine.catch_up()
    assert (before, 0) == (heard.kinds, heard.anew)


async def test_refusal_is_true_when_it_is_given(engines: Engines) -> None:
    """An incident declared at one replica is known at the other a moment later."""
    here, there = await engines.started(), await engines.started()
    answer = await here.handle(note(await declared(there)))
    assert answer.ok


async def test_two_simultaneous_declarations_get_different_numbers(engines: Engines) -> None:
    """The second is decided again after the first, and takes the next number."""
    here, there = await engines.started(), await engines.started()
    assert [1, 2] == sorted([await declared(here), await declared(there)])


async def test_conflict_reloads_no_world(engines: Engines) -> None:
    """It costs only what the others wrote, however long the history is."""
    here, there = await engines.started(), await engines.started()
    heard = Heard(here)
    await declared(there, "Logins fail")
    await declared(here)
    assert (2, 0) == (heard.kinds.count("incident.declared"), heard.anew)


async def test_every_replica_knows_what_a_key_was_used_for(engines: Engines) -> None:
    """The digest of the first request is in the ledger, and a second one does not replace it."""
    here, there = await engines.started(), await engines.started()
    number = await declared(there)
    await here.catch_up()
    await there.handle(replace(note(number, "api/k"), digest="first"))
    answer = await here.handle(replace(note(number, "api/k"), digest="second"))

    assert DoneAlready(incident=number) == answer
    assert "first" == engines.store.digest_of("api/k")


async def test_repeated_signal_at_another_replica_sees_its_result(engines: Engines) -> None:
    """A double click that reached both: the second answer says that it is done, and the world shows it."""
    here, there = await engines.started(), await engines.started()
    number = await declared(there)
    await here.catch_up()
    await there.handle(note(number, "click"))
    answer = await here.handle(note(number, "click"))

    assert DoneAlready(incident=number) == answer
    assert there.world == here.world


async def test_waiting_signals_share_a_commit_after_a_conflict(engines: Engines) -> None:
    """A conflict is no reason to commit each alone."""
    here, there = await engines.started(), await engines.started()
    number = await declared(there)
    await here.catch_up()
    await there.handle(note(number))
    told: list[int] = []
    here.listen(lambda facts, world: told.append(len(facts)), own=True)
    answers = await asyncio.gather(*(here.handle(note(number, f"n{n}")) for n in range(20)))

    assert [True] * 20 == [answer.ok for answer in answers]
    assert [20] == told


async def test_freeze_at_another_replica_stops_rules_here(engines: Engines) -> None:
    """It was committed a moment ago, to a stream that this decision does not write to."""
    here, there = await engines.started(), await engines.started()
    await here.handle(verdict("openai.api", Level.OPERATIONAL))
    await there.handle(s.FreezeFlags(actor=ANA))
    await here.handle(verdict("anthropic.api", Level.DOWN))

    flag = here.world.flag("support-chat.llm")
    assert (ANA, None) == (here.world.freeze.by, flag.engagement)
    assert flag.proposal is not None


def verdict(component: str, level: Level) -> s.VerdictReached:
    fault = Fault.THEIRS if level.bad else Fault.NONE
    return s.VerdictReached(actor=RULE, verdict=Verdict(component, level, "as seen", fault, (), START))


# --- what is long over


async def test_incident_reopened_by_another_engine_is_loaded_with_its_parts(engines: Engines) -> None:
    """It was old, so nobody had it in memory."""
    engine = await engines.started()
    first, second = await declared(engine), await declared(engine)
    await engine.handle(s.Merge(actor=ANA, incident=second, into=first))
    await engine.handle(s.SetPhase(actor=ANA, incident=first, phase=Phase.RESOLVED, force=True))
    engines.clock.advance(LONG)
    here, there = await engines.started(), await engines.started()
    assert {} == dict(here.world.incidents)
    await there.handle(s.SetPhase(actor=ANA, incident=first, phase=Phase.INVESTIGATING))
    await here.catch_up()

    assert {first, second} == set(here.world.incidents)
    assert there.world == here.world


@pytest.mark.parametrize(
    "signal",
    [
        lambda number: s.AddTask(actor=ANA, incident=number, text="Write it up", owner=ANA, due_at=None, follow_up=True),
        lambda number: note(number),
    ],
    ids=["task", "note"],
)
async def test_facts_about_old_incidents_by_another_engine_are_followed(
    engines: Engines, signal: Callable[[int], s.Signal]
) -> None:
    """It is read as it is after that, once, and the next word on it is decided on in the same world."""
    engine = await engines.started()
    old = await declared(engine)
    await engine.handle(s.SetPhase(actor=ANA, incident=old, phase=Phase.RESOLVED, force=True))
    engines.clock.advance(LONG)
    here, there = await engines.started(), await engines.started()
    heard = Heard(here)
    answer = await there.handle(signal(old))
    await here.catch_up()
    again = await here.handle(note(old))

    assert (True, True, 0) == (answer.ok, again.ok, heard.anew)
    await there.caught_up()
    assert await there.world_with([old]) == await here.world_with([old])


async def test_incident_declared_by_another_replica_is_found_at_once(engines: Engines) -> None:
    """A link to it may be opened at any replica."""
    here, there = await engines.started(), await engines.started()
    number = await declared(there)
    assert number in (await here.world_with([number])).incidents


async def test_old_incident_is_read_for_its_caller_only(engines: Engines) -> None:
    """The world in memory stays small; an unknown number is found nowhere."""
    engine = await engines.started()
    old = await declared(engine)
    await engine.handle(s.SetPhase(actor=ANA, incident=old, phase=Phase.RESOLVED, force=True))
    engines.clock.advance(LONG)
    here = await engines.started()
    found = await here.world_with([old, 99])

    assert ([old], []) == (list(found.incidents), list(here.world.incidents))
    assert Phase.RESOLVED is found.incidents[old].phase


async def test_result_of_an_old_incidents_effect_is_recorded(engines: Engines) -> None:
    """The row waited for weeks, and nobody has its incident in memory any more."""
    engine = await engines.started()
    old = await declared(engine)
    await engine.handle(s.SetPhase(actor=ANA, incident=old, phase=Phase.RESOLVED, force=True))
    engines.clock.advance(LONG)
    here = await engines.started()
    assert {} == dict(here.world.incidents)
    ended = s.EffectRefused(actor=RULE, key="late", kind=PostLine, incident=old, stream=f"incident/{old}", seq=1, reason="gone")

    assert (await here.handle(ended)).ok
    assert GivenUp.KIND == engines.store.facts(f"incident/{old}")[-1].kind


# --- when following leads nowhere


async def test_engine_that_is_far_behind_reads_the_states(engines: Engines) -> None:
    """A replica that slept for a week does not fold a week of facts."""
    here, there = await engines.started(), await engines.started()
    number = await declared(there)
    last = engines.store.facts(f"incident/{number}")[-1].seq
    many = [fact(f"incident/{number}", seq, incident=number) for seq in range(last + 1, last + MOST_BEHIND + 2)]
    engines.store.commit(commit(*many))
    heard = Heard(here)
    await here.catch_up()

    assert ([], 1) == (heard.kinds, heard.anew)
    assert last + MOST_BEHIND + 1 == here.world.seqs[f"incident/{number}"]


async def test_restored_ledger_is_reloaded(engines: Engines) -> None:
    """Somebody restored a backup under the running replicas: what came after it never happened."""
    here = await engines.started()
    await declared(here)
    heard = Heard(here)
    engines.conn.execute("DROP TRIGGER facts_last")
    for table in ("facts", "states", "outbox"):
        engines.conn.execute(f"DELETE FROM {table}")  # noqa: S608 # constants
    await here.catch_up()

    assert (1, {}) == (heard.anew, dict(here.world.incidents))
    assert 1 == await declared(here)


async def test_ledger_restored_to_the_same_position_is_reloaded_at_the_next_decision(engines: Engines) -> None:
    """The restored copy has the same position, and shows only when a decision does not fit."""
    here = await engines.started()
    number = await declared(here)
    engines.conn.execute("DROP TRIGGER facts_stay")
    engines.conn.execute("UPDATE facts SET stream = 'flag/of-another-copy' WHERE stream = ?", (f"incident/{number}",))
    engines.conn.execute("DELETE FROM states")
    answer = await here.handle(note(number))
    assert (False, {}) == (answer.ok, dict(here.world.incidents))


@pytest.mark.parametrize("body", [OfTomorrow("test.of_tomorrow"), OfTomorrow(NoteAdded.KIND, NoteAdded.VERSION + 1)])
@pytest.mark.parametrize("gap", [0, MOST_BEHIND])
async def test_nothing_is_decided_on_facts_of_a_newer_version(engines: Engines, body: Any, gap: int) -> None:
    """In a rolling upgrade the older replica stops, says so, and goes on showing what it understood."""
    here = await engines.started()
    number = await declared(here)
    last, before = engines.store.facts(f"incident/{number}")[-1].seq, here.world
    newer = fact(f"incident/{number}", last + 1, body, number)
    engines.store.commit(commit(newer, *(fact(f"incident/{number}", last + 2 + n, incident=number) for n in range(gap))))

    signals = [note(number), s.TimePassed(actor=ANA), s.Declare(actor=ANA, title="Another")]
    told = await asyncio.gather(here.catch_up(), *(here.handle(one) for one in signals), return_exceptions=True)
    told.append(*await asyncio.gather(here.handle(note(number)), return_exceptions=True))
    assert [StoreTrouble.NEWER] * 5 == [error.kind for error in told if isinstance(error, StoreError)]
    assert body.KIND in str(told[0])
    assert before == here.world

    with pytest.raises(StoreError, match="a newer Understudy writes this ledger"):
        await engines.started()


class Stumbling(InlineLedger):
    """Its next write is durable and reported as failed."""

    stumbles = False

    async def write(self, work: Callable[[Store], T]) -> T:
        done = await super().write(work)
        if self.stumbles:
            self.stumbles = False
            raise StoreError("the connection was cut", kind=StoreTrouble.IO)
        return done


async def test_commit_with_a_lost_answer_is_followed(engines: Engines) -> None:
    """It happened once, and is shown at the next look."""
    ledger = Stumbling(engines.conn, shared=True)
    engine = await engines.started(ledger)
    number = await declared(engine)
    heard = Heard(engine)
    ledger.stumbles = True
    with pytest.raises(StoreError):
        await engine.handle(note(number, "once"))
    again = await engine.handle(note(number, "once"))

    assert isinstance(again, DoneAlready)
    assert (1, 0) == (heard.kinds.count("incident.note_added"), heard.anew)


# --- as fast as they can


async def three_ledgers(request: pytest.FixtureRequest, folder: Path) -> list[SqliteLedger | PostgresLedger]:
    """Three ledgers over one store, each with threads and connections of its own."""
    if request.param == "postgres":
        address = request.getfixturevalue("postgres")
        return [await open_postgres_ledger(address, f"replica-{n}") for n in range(3)]
    ledgers = [SqliteLedger(folder / "ledger.db", None, 1) for _ in range(3)]
    for ledger in ledgers:
        ledger.shared = True
        await ledger.open()
    return list(ledgers)


@pytest.fixture(params=["sqlite", "postgres"])
async def ways(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[list[SqliteLedger | PostgresLedger]]:
    ledgers = await three_ledgers(request, tmp_path)
    yield ledgers
    for ledger in ledgers:
        await ledger.close()


async def test_each_engine_gets_its_turn_when_all_commit_at_full_speed(
    ways: list[SqliteLedger | PostgresLedger],
) -> None:
    """However busy the others are, a decision is made after one conflict at most; nothing is lost, nothing done twice."""
    engines = [CommittingEngine(ledger, ManualClock(START), policy()) for ledger in ways]
    for engine in engines:
        await engine.load()
    number = await declared(engines[0])
    counts, over = [0] * len(engines), asyncio.Event()

    async def commits(mine: int) -> None:
        while not over.is_set():
            answer: Answer = await engines[mine].handle(note(number))
            assert answer.ok
            counts[mine] += 1
            if min(counts) >= 30:
                over.set()

    async with asyncio.timeout(60):
        await asyncio.gather(*(commits(mine) for mine in range(len(engines))))
    facts = await ways[0].read(lambda store: store.all_facts())
    assert sum(counts) == len([one for one in facts if one.kind == "incident.note_added"])
    assert len(facts) == await ways[0].read(lambda store: store.position())
    for engine in engines:
        await engine.caught_up()
        assert engines[0].world == engine.world


async def test_followers_show_what_one_engine_committed(ways: list[SqliteLedger | PostgresLedger]) -> None:
    """When the ledger announces it, or by looking where it does not."""
    engines = [CommittingEngine(ledger, ManualClock(START), policy()) for ledger in ways]
    for engine in engines:
        await engine.load()
    followers = [Follower(ledger, engine, SystemClock()) for ledger, engine in zip(ways, engines, strict=True)]
    for follower in followers:
        follower.start()
    shown = asyncio.Event()
    engines[2].listen(lambda facts, world: shown.set())
    number = await declared(engines[0])
    async with asyncio.timeout(20):
        await shown.wait()

    assert number in engines[2].world.incidents
    assert [None] * 3 == [follower.error for follower in followers]
    for follower in followers:
        await follower.close()


def test_older_version_claims_no_effects() -> None:
    """It could not record their results, and would keep their rows from others."""

    async def play() -> list[RowState]:
        clock, engines = LoopClock(asyncio.get_running_loop()), Engines()
        engine, ledger = await engines.started(), engines.ledger()
        outbox = Outbox(ledger, engine, {}, clock)
        await outbox.start()
        engines.store.commit(commit(fact("incident/9", 1, OfTomorrow("test.of_tomorrow")), effects=[effect("post")]))
        outbox.wake()
        await asyncio.sleep(10)
        await outbox.stop()
        return [row.state for row in engines.store.outbox()]

    assert [RowState.PENDING] == in_virtual_time(play)
