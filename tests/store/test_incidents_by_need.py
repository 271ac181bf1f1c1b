"""Of the incidents in a ledger, a start reads those that decisions need, and the others are read when somebody asks."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.decide.due import next_due
from bot.core.decide.step import step
from bot.core.effects import OpenChannel
from bot.core.model import Level, Phase
from bot.core.record.recent import MOST_RECENT, RECENT_FOR
from bot.engine.engine import FORGET_EVERY, CommittingEngine
from bot.engine.world_reading import read_world
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock
from tests.desk import ANA, RULE, START, Table, policy
from tests.ledger_facts import commits
from tests.years import named_in, signals

LONG = RECENT_FOR + timedelta(days=2)


class Years:
    """An engine over a ledger that outlives it."""

    def __init__(self) -> None:
        self.ledger = InlineLedger.open()
        self.clock = ManualClock(START)

    async def started(self) -> CommittingEngine:
        engine = CommittingEngine(self.ledger, self.clock, policy())
        await engine.load()
        return engine

    async def an_incident(self, engine: CommittingEngine) -> int:
        """One that is declared and over at once."""
        number = (await engine.handle(s.Declare(actor=ANA, title="Payments are slow"))).incident
        assert number is not None
        await engine.handle(s.SetPhase(actor=ANA, incident=number, phase=Phase.RESOLVED))
        return number


@pytest.fixture
async def years() -> AsyncIterator[Years]:
    made = Years()
    yield made
    await made.ledger.close()


@pytest.mark.parametrize("seed", range(24))
async def test_a_world_that_was_read_decides_as_the_one_that_was_lived(seed: int) -> None:
    """After a restart nothing is decided otherwise, whatever happened in the years before."""
    table, dice = Table(), random.Random(seed)
    for signal in signals(table, dice, 120):
        table.send(signal)
    ledger = InlineLedger.open()
    for commit in commits(table):
        await ledger.write(lambda store, commit=commit: store.commit(commit))  # type: ignore[misc] # bound at once
    read = await ledger.read(read_world)
    await ledger.close()

    assert (table.world.running, table.world.last_incident) == (read.running, read.last_incident)
    assert next_due(table.world, table.policy) == next_due(read, table.policy)
    lived = table.world
    for signal in signals(table, dice, 40):
        read = named_in(read, signal, lived)
        here, there = step(read, signal, table.now, table.policy), step(lived, signal, table.now, table.policy)
        assert (there.facts, there.effects, there.answer) == (here.facts, here.effects, here.answer)
        read, lived = here.world, there.world
        table.world = lived


async def test_a_start_leaves_long_past_incidents_in_the_ledger(years: Years) -> None:
    """Their number is remembered, they are not."""
    number = await years.an_incident(await years.started())
    years.clock.advance(LONG)
    engine = await years.started()

    assert ({}, number) == (dict(engine.world.incidents), engine.world.last_incident)


async def test_a_start_reads_the_newest_two_hundred_at_most(years: Years) -> None:
    """A storm of incidents does not fill the memory."""
    engine = await years.started()
    for _ in range(MOST_RECENT + 3):
        await years.an_incident(engine)
    assert set(range(4, MOST_RECENT + 4)) == set((await years.started()).world.incidents)


async def test_a_running_bot_forgets_what_is_long_over(years: Years) -> None:
    """Memory does not grow with the days that it runs."""
    engine = await years.started()
    await years.an_incident(engine)
    years.clock.advance(LONG)
    for _ in range(FORGET_EVERY):
        await engine.handle(s.Declare(actor=ANA, title="Payments are slow", separate=True))
    assert 1 not in engine.world.incidents


async def test_a_note_reaches_an_incident_that_is_long_over(years: Years) -> None:
    """It is read before it is decided on, and its facts go on where they ended."""
    number = await years.an_incident(await years.started())
    years.clock.advance(LONG)
    engine = await years.started()
    answer = await engine.handle(s.AddNote(actor=ANA, incident=number, text="The review is done."))

    facts = await years.ledger.read(lambda store: store.facts(f"incident/{number}"))
    assert answer.ok
    assert ("incident.note_added", len(facts)) == (facts[-1].kind, facts[-1].seq)


async def test_an_incident_that_is_long_over_is_reopened(years: Years) -> None:
    """It is in memory from then on, and after a restart too."""
    number = await years.an_incident(await years.started())
    years.clock.advance(LONG)
    await (await years.started()).handle(s.SetPhase(actor=ANA, incident=number, phase=Phase.INVESTIGATING))

    assert [number] == [i.number for i in (await years.started()).world.open_incidents()]


async def test_signals_that_come_together_reach_old_incidents(years: Years) -> None:
    """Several at once are decided in a row and committed together."""
    engine = await years.started()
    numbers = [await years.an_incident(engine) for _ in range(3)]
    years.clock.advance(LONG)
    engine = await years.started()
    notes = [s.AddNote(actor=ANA, incident=number, text="Noted.") for number in numbers]

    assert [True, True, True] == [answer.ok for answer in await asyncio.gather(*map(engine.handle, notes))]


async def test_a_number_that_was_never_given_is_refused(years: Years) -> None:
    """Nobody is sent to look for it in vain."""
    engine = await years.started()
    await years.an_incident(engine)
    answer = await engine.handle(s.AddNote(actor=ANA, incident=7, text="Noted."))
    assert ("no_incident", False) == (answer.KIND, answer.ok)


async def test_a_face_sees_an_old_incident_without_the_world_changing(years: Years) -> None:
    """Who asks for it gets it; nobody else does."""
    number = await years.an_incident(await years.started())
    years.clock.advance(LONG)
    engine = await years.started()
    asked = await engine.world_with([number, number + 1, 0])

    assert [number] == list(asked.incidents)
    assert {} == dict(engine.world.incidents)


async def test_a_component_that_still_fails_keeps_its_canceled_incident(years: Years) -> None:
    """A restart a year later opens no new one for what people said is none."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.CANCELED, reason="external"))
    table.send(s.ReleaseFlag(actor=ANA, flag="support-chat.llm", force=True))
    for commit in commits(table):
        await years.ledger.write(lambda store, commit=commit: store.commit(commit))  # type: ignore[misc] # bound at once
    years.clock.advance(12 * LONG)
    engine = await years.started()
    await engine.handle(s.TimePassed(actor=ANA))

    assert ([1], ()) == (list(engine.world.incidents), engine.world.open_incidents())


async def test_an_incident_is_found_by_its_channel(years: Years) -> None:
    """Who types in the channel of an old one means that one."""
    engine = await years.started()
    number = await years.an_incident(engine)
    opened = s.EffectDone(
        actor=RULE, key="INC-1/channel", kind=OpenChannel, incident=number, channel="C0OLD", name='odd"name'
    )  # fmt: skip
    await engine.handle(opened)

    async def find(field: str, text: str) -> int | None:
        return await years.ledger.read(lambda store: store.incident_with(field, text))

    assert number == await find("room.channel", "C0OLD")
    assert number == await find("room.name", 'odd"name')
    assert await find("room.channel", "C0OTHER") is None
