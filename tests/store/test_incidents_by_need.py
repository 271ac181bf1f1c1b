"""A start loads only the incidents that decisions need; others are read when somebody asks for them."""

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
async def test_loaded_world_decides_as_the_one_before_the_restart(seed: int) -> None:
    """Whatever happened in the years before."""
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


async def test_start_does_not_load_old_incidents(years: Years) -> None:
    """Only their number is known."""
    number = await years.an_incident(await years.started())
    years.clock.advance(LONG)
    engine = await years.started()

    assert ({}, number) == (dict(engine.world.incidents), engine.world.last_incident)


async def test_start_loads_at_most_two_hundred_ended_incidents(years: Years) -> None:
    """A storm of incidents does not fill the memory."""
    engine = await years.started()
    for _ in range(MOST_RECENT + 3):
        await years.an_incident(engine)
    assert set(range(4, MOST_RECENT + 4)) == set((await years.started()).world.incidents)


async def test_running_bot_unloads_old_incidents(years: Years) -> None:
    """Memory does not grow with uptime."""
    engine = await years.started()
    await years.an_incident(engine)
    years.clock.advance(LONG)
    for _ in range(FORGET_EVERY):
        await engine.handle(s.Declare(actor=ANA, title="Payments are slow", separate=True))
    assert 1 not in engine.world.incidents


async def test_note_to_an_old_incident_continues_its_facts(years: Years) -> None:
    """It is loaded before the decision."""
    number = await years.an_incident(await years.started())
    years.clock.advance(LONG)
    engine = await years.started()
    answer = await engine.handle(s.AddNote(actor=ANA, incident=number, text="The review is done."))

    facts = await years.ledger.read(lambda store: store.facts(f"incident/{number}"))
    assert answer.ok
    assert ("incident.note_added", len(facts)) == (facts[-1].kind, facts[-1].seq)


async def test_old_incident_can_be_reopened(years: Years) -> None:
    """From then on it stays loaded, also after a restart."""
    number = await years.an_incident(await years.started())
    years.clock.advance(LONG)
    await (await years.started()).handle(s.SetPhase(actor=ANA, incident=number, phase=Phase.INVESTIGATING))

    assert [number] == [i.number for i in (await years.started()).world.open_incidents()]


async def test_simultaneous_signals_reach_old_incidents(years: Years) -> None:
    """They are decided one after the other and committed together."""
    engine = await years.started()
    numbers = [await years.an_incident(engine) for _ in range(3)]
    years.clock.advance(LONG)
    engine = await years.started()
    notes = [s.AddNote(actor=ANA, incident=number, text="Noted.") for number in numbers]

    assert [True, True, True] == [answer.ok for answer in await asyncio.gather(*map(engine.handle, notes))]


async def test_unknown_incident_number_is_refused(years: Years) -> None:
    """Nobody searches for it in vain."""
    engine = await years.started()
    await years.an_incident(engine)
    answer = await engine.handle(s.AddNote(actor=ANA, incident=7, text="Noted."))
    assert ("no_incident", False) == (answer.KIND, answer.ok)


async def test_reading_an_old_incident_does_not_load_it(years: Years) -> None:
    """Only the caller gets it."""
    number = await years.an_incident(await years.started())
    years.clock.advance(LONG)
    engine = await years.started()
    asked = await engine.world_with([number, number + 1, 0])

    assert [number] == list(asked.incidents)
    assert {} == dict(engine.world.incidents)


async def test_failing_component_keeps_its_canceled_incident_over_a_restart(years: Years) -> None:
    """A restart a year later opens no new incident for what people called none."""
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


async def test_old_incident_is_found_by_its_channel(years: Years) -> None:
    """A command typed in its channel means that incident."""
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
