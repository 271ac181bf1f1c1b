"""What years of past incidents cost: a verdict, a note, the clock, a start, memory, and a list of all of them."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median

import aiohttp

from bench.bot import running
from bench.hostile_sockets import Victim, victim
from bench.past import ANA, NOW, RULE, looks, policy, write
from bench.report import line, timed
from bot.core import signals as s
from bot.core.decide.due import next_due
from bot.core.decide.step import step
from bot.core.model import Level, Phase
from bot.engine.engine import CommittingEngine
from bot.store.connection import atomic
from bot.store.sqlite.engine import connect
from bot.store.sqlite.ledgers import open_ledger
from bot.system.clock import ManualClock

PAST = (10, 1_000, 10_000)
FLAGS = 50
ROUNDS, NOTES, TICKS = 5, 200, 200
BARE_ROWS, BARE_MS = 300, 0.16  # what a bare commit took where a note was claimed to take no longer than that
VERDICT_MS, NOTE_MS, CLOCK_MS, READY_S, MEMORY_MB, HELD_MS = 12.0, 0.8, 0.1, 1.3, 110.0, 20.0
STARTS, SETTLE_S = 3, 5.0


@dataclass
class Cost:
    """Milliseconds, by what was asked for."""

    verdict: float
    note: float
    tick: float
    due: float


def main() -> bool:
    """Print what each costs beside more and more past incidents, and whether the claims hold."""
    held = True
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:  # beside the checkout: /tmp may be memory
        for incidents in PAST:
            place = Path(folder) / str(incidents)
            place.mkdir()
            facts = asyncio.run(write(place, incidents))
            print(f"history: {incidents:,} past incidents, {facts:,} facts")
            cost = asyncio.run(_decisions(place, Path(folder) / "copy"))
            held &= line(f"a verdict that moves {FLAGS} flags, median", cost.verdict, "ms", VERDICT_MS)
            line("a note, median", cost.note, "ms")
            bare = _bare(Path(folder) / f"bare-{incidents}.db")
            line("a bare commit of one row, median", bare, "ms")
            held &= line("a note above a bare commit", cost.note - bare, "ms", NOTE_MS - BARE_MS)
            held &= line("TimePassed with nothing due, median", cost.tick, "ms", CLOCK_MS)
            held &= line("next_due, median", cost.due, "ms", CLOCK_MS)
        held &= asyncio.run(_start(place, Path(folder)))
        held &= asyncio.run(_lists(place, Path(folder)))
    return held


async def _decisions(past: Path, copy: Path) -> Cost:
    """Through the engine and onto the disk, but for the clock's share, which mostly writes nothing."""
    shutil.copytree(past, copy)
    ledger, clock = await open_ledger(copy), ManualClock(NOW)
    engine = CommittingEngine(ledger, clock, policy(FLAGS))
    await engine.load()
    verdicts, notes = [], []
    for _ in range(ROUNDS):
        verdicts.append(await _ms(lambda: engine.handle(looks(0, Level.DOWN, clock.now()))))
        number = engine.world.last_incident
        for _ in range(NOTES // ROUNDS):
            notes.append(await _ms(lambda n=number: engine.handle(s.AddNote(actor=ANA, incident=n, text="Noted."))))  # type: ignore[misc]
        clock.advance(timedelta(minutes=5))
        await engine.handle(looks(0, Level.OPERATIONAL, clock.now()))
        for flag in engine.policy.flags:
            await engine.handle(s.ReleaseFlag(actor=ANA, flag=flag))
        await engine.handle(s.SetPhase(actor=ANA, incident=number, phase=Phase.RESOLVED))
        clock.advance(timedelta(minutes=40))
    quiet = policy(1)
    ticks = [_now(lambda: step(engine.world, s.TimePassed(actor=RULE), NOW, quiet)) for _ in range(TICKS)]
    dues = [_now(lambda: next_due(engine.world, quiet)) for _ in range(TICKS)]
    await ledger.close()
    shutil.rmtree(copy)
    return Cost(median(verdicts), median(notes), median(ticks), median(dues))


def _bare(path: Path) -> float:
    """How many ms this disk takes for one row, durable when it returns: what no ledger can do without."""
    conn, took = connect(path), list[float]()
    conn.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, text TEXT)")
    for _ in range(BARE_ROWS):
        with timed(took), atomic(conn):
            conn.execute("INSERT INTO bare (text) VALUES (?)", ("x" * 300,))
    conn.close()
    return median(took) * 1000


async def _ms(ask: Callable[[], Awaitable[object]]) -> float:
    took: list[float] = []
    with timed(took):
        await ask()
    return took[0] * 1000


def _now(ask: Callable[[], object]) -> float:
    took: list[float] = []
    with timed(took):
        ask()
    return took[0] * 1000


async def _start(past: Path, folder: Path) -> bool:
    """A real bot on that ledger, a few times behind the first: the slowest start and the largest memory count."""
    ready, resident = [], []
    home = folder / "start"
    shutil.copytree(past, home / "data")
    for _ in range(1 + STARTS):
        async with running(home, 5) as bot:
            await asyncio.sleep(SETTLE_S)
            ready.append(bot.ready_after_s)
            resident.append(bot.resident_mb())
    shutil.rmtree(home)
    line("start to ready without marks of an audit", ready.pop(0), "s")
    held = line("start to ready, slowest of three", max(ready), "s", READY_S)
    return line("resident memory, largest of three", max(resident), "MB", MEMORY_MB) and held


async def _lists(past: Path, folder: Path) -> bool:
    """What asks for all of them, or for an old one: the longest that a real bot's loop was held meanwhile."""
    home = folder / "lists"
    shutil.copytree(past, home / "data")
    pages: list[int] = []

    async with victim(home) as bot:
        ana = bot.workspace.person("ana")
        await bot.suffers("API: all incidents, page by page", 0, lambda: _walk(bot, pages))
        await bot.suffers("API: the oldest incident", 0, lambda: _get(bot, "/api/v1/incidents/INC-1"))
        await bot.suffers("API: the oldest incident's timeline", 0, lambda: _get(bot, "/api/v1/incidents/1/timeline"))
        await bot.suffers("API: the oldest incident as a file", 0, lambda: _get(bot, "/api/v1/incidents/1/export"))
        await bot.suffers("API: status", 0, lambda: _get(bot, "/api/v1/status"))
        for typed in ("/incident list all", "/incident show INC-1", "/incident timeline INC-1"):
            await bot.suffers(typed, 0, lambda typed=typed: ana.types(typed))  # type: ignore[misc] # bound at once
        rows = list(bot.rows)
    shutil.rmtree(home)
    held = line("API: the largest answer of a list", max(pages) / 1e6, "MB")
    for name, _, worst in rows:
        held &= line(f"{name}: loop held", worst, "ms", HELD_MS)
    return held


async def _walk(bot: Victim, pages: list[int]) -> None:
    cursor: str | None = ""
    while cursor is not None:
        body = await _get(bot, "/api/v1/incidents?state=all" + (f"&cursor={cursor}" if cursor else ""))
        pages.append(len(body))
        cursor = json.loads(body).get("next")


async def _get(bot: Victim, path: str) -> bytes:
    headers = {"Authorization": f"Bearer {bot.token}"}
    async with aiohttp.ClientSession(bot.url, headers=headers) as session, session.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
