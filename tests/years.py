"""Years of random signals over a tabletop: outages, people, vendors' words dated back, and long quiet stretches in between."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

from bot.core import signals as s
from bot.core.model import Actor, Fault, FeedReport, FeedState, Level, Notice, Phase, Verdict
from bot.core.record.streams import put
from bot.core.record.world import World
from tests.desk import ANA, BOB, Table

QUIET = (timedelta(minutes=1), timedelta(minutes=20), timedelta(hours=3), timedelta(days=2), timedelta(days=45))
COMPONENTS = ("anthropic.api", "anthropic.web", "openai.api")
FLAG = "support-chat.llm"


class Stage(Protocol):
    """Where signals are sent: what is known, and when."""

    @property
    def world(self) -> World: ...

    @property
    def now(self) -> datetime: ...


def signals(table: Table, dice: random.Random, count: int) -> Iterator[s.Signal]:
    """So many signals, each to be sent before the next is asked for; time passes in between."""
    for _ in range(count):
        table.now += dice.choices(QUIET, weights=(8, 4, 3, 1, 1))[0]
        yield a_signal(table, dice)


def named_in(world: World, signal: s.Signal, ledger: World) -> World:
    """The world with the incidents that a signal names and those near them, as the engine reads them before it decides;
    `ledger` has all."""
    named = signal.named if isinstance(signal, s.OfIncident) else (signal.incident,) if isinstance(signal, s.OfEffect) else ()
    wanted = [number for number in named if number in ledger.incidents]
    for number in wanted:  # it grows meanwhile
        wanted += sorted(ledger.incidents[number].near - set(wanted))
        if number not in world.incidents:
            stream = f"incident/{number}"
            read = put(world, ledger.incidents[number])
            seqs = read.seqs.but(stream, ledger.seqs[stream])
            world = World(read.states, seqs, read.running, read.ended_last, read.last_incident)
    return world


def a_signal(table: Stage, dice: random.Random) -> s.Signal:
    """What somebody might say at this moment."""
    any_of_them = range(1, max(1, table.world.last_incident) + 1)
    running = sorted(table.world.running)
    number = dice.choice(running if running and dice.random() < 0.5 else any_of_them)
    who = dice.choice((ANA, BOB))
    match dice.randrange(20):
        case 0 | 1 | 2 | 3:
            return _verdict(table, dice)
        case 4 | 5:
            return s.TimePassed(actor=Actor.rule("clock"))
        case 6:
            return _page(table, dice)
        case 7 | 12 | 13:
            phase = dice.choice((Phase.RESOLVED, Phase.RESOLVED, Phase.CANCELED, Phase.INVESTIGATING, Phase.CLOSED))
            reason = "external" if phase is Phase.CANCELED else "by hand"
            return s.SetPhase(actor=who, incident=number, phase=phase, reason=reason, force=True)
        case 8:
            return s.AddNote(actor=who, incident=number, text="Noted.")
        case 9:
            return s.EngageFlag(actor=who, flag=FLAG, variant="cached", reason="to be sure")
        case 14:
            due_at = table.now + dice.choice((timedelta(minutes=30), timedelta(days=3), timedelta(days=60)))
            return s.AddTask(actor=who, incident=number, text="To do", owner=who, due_at=due_at, follow_up=dice.random() < 0.5)
        case 15:
            return s.FinishTask(actor=who, incident=number, task=1)
        case 16:
            return s.Merge(actor=who, incident=number, into=dice.choice(any_of_them))
        case 17:
            merged = [one for one, incident in table.world.incidents.items() if incident.merged]
            return s.Unmerge(actor=who, incident=dice.choice(merged or [number]))
        case 18:
            return s.SetPhase(actor=who, incident=number, phase=dice.choice((Phase.IDENTIFIED, Phase.MONITORING)))
        case 19:
            return s.SayMitigated(actor=who, incident=number, over=dice.random() < 0.5)
        case 10:
            return s.ReleaseFlag(actor=who, flag=FLAG, force=True)
    return s.Declare(actor=who, title=f"Trouble {table.now:%j}", separate=dice.random() < 0.5)


def _verdict(table: Stage, dice: random.Random) -> s.VerdictReached:
    level = dice.choice((Level.DOWN, Level.DEGRADED, Level.OPERATIONAL, Level.OPERATIONAL))
    id = dice.choice(COMPONENTS)
    fault = Fault.THEIRS if level.bad else Fault.NONE
    return s.VerdictReached(actor=Actor.rule("k-of-n window"), verdict=Verdict(id, level, "5 of 5 runs", fault, (), table.now))


def _page(table: Stage, dice: random.Random) -> s.FeedRead:
    """A notice whose first word is minutes or months old."""
    said_at = table.now - dice.choice((timedelta(minutes=5), timedelta(hours=5), timedelta(days=20), timedelta(days=200)))
    status = dice.choice(("investigating", "investigating", "resolved"))
    id = f"n{dice.randrange(4)}"
    notice = Notice(
        "anthropic", id, f"u{table.now:%Y%m%d%H%M}", "Elevated errors", "We look.", status, "major", said_at,
        components=("anthropic.api",),
    )  # fmt: skip
    still = tuple(n for n in table.world.provider("anthropic").notices if n.id != id)
    report = FeedReport("anthropic", table.now, FeedState.FRESH, notices=(*still, notice))
    return s.FeedRead(actor=Actor.vendor("anthropic"), report=report)
