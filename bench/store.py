"""What a durable write costs in SQLite and PostgreSQL, alone and together, and how small a sample is: `-m bench store`."""

import asyncio
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.past import ANA, policy
from bench.report import line, percentile, timed
from bot.cli.run import tune_interpreter
from bot.core import signals as s
from bot.core.effects import Effect, PostLine
from bot.core.model import Actor, Outcome, Sample
from bot.core.record.fact import Fact
from bot.core.record.incident_facts import NoteAdded
from bot.engine.engine import CommittingEngine
from bot.ports import Commit, Ledger, NewFact, Store
from bot.sandbox.postgres import MISSING, a_server, programs
from bot.store.postgres.ledgers import PostgresLedger, open_postgres_ledger
from bot.store.postgres.samples.keeper import PostgresSamples, open_postgres_samples
from bot.store.samples.sqlite import InlineSamples, SqliteSamples, open_samples
from bot.store.sqlite.engine import sqlite_report
from bot.store.sqlite.ledgers import SqliteLedger, open_ledger
from bot.system.clock import SystemClock

AT = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
ALONE, CALLERS, EACH = 2_000, 64, 60


def main() -> bool:
    """Commit one after another, then from many callers at once; read; write samples by the batch."""
    tune_interpreter()  # as `understudy run` does
    report = sqlite_report()
    print(f"store: {report.module} {report.version}, journal {report.journal_mode}")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:  # beside the checkout: /tmp may be memory
        held = asyncio.run(_over_sqlite(Path(folder)))
    held = line("one good sample", asyncio.run(_bytes_per_sample()), "bytes", 25) and held
    if programs() is None:
        print(f"store: NOT MEASURED over PostgreSQL: {MISSING}")
        return held
    with a_server(durable=True) as server:
        print("store: PostgreSQL on this machine, which flushes what it commits")
        return asyncio.run(_over_postgres(server.url())) and held


async def _over_sqlite(folder: Path) -> bool:
    held = await _ledger(await open_ledger(folder), one_ms=1, shared=0.5)
    held = await _decided(await open_ledger(folder / "decided"), 1, None) and held
    return await _samples(await open_samples(folder)) and held


async def _over_postgres(address: str) -> bool:
    held = await _ledger(await open_postgres_ledger(address, "bench"), one_ms=2, shared=None)
    held = await _decided(await open_postgres_ledger(f"{address}?schema=decided", "bench"), 2, 10) and held
    return await _samples(await open_postgres_samples(address, "bench")) and held


async def _ledger(ledger: SqliteLedger | PostgresLedger, *, one_ms: float, shared: float | None) -> bool:
    alone = await _one_after_another(ledger)
    held = line("fact and effect durable, one caller, p50", percentile(alone, 0.5) * 1e3, "ms", one_ms)
    line("fact and effect durable, one caller, p99", percentile(alone, 0.99) * 1e3, "ms")
    together, wall = await _together(ledger)
    line(f"the same, {CALLERS} callers at once, p50", percentile(together, 0.5) * 1e3, "ms")
    line(f"the same, {CALLERS} callers at once, p99", percentile(together, 0.99) * 1e3, "ms")
    # Callers who come together share the flush; a ratio, so that it holds or fails on any machine. Over PostgreSQL each goes
    # its ways to the server and back all the same, unless an engine decided on them together.
    share = (sum(alone) / len(alone)) / (wall / len(together))
    held = line(f"cost of one among {CALLERS} callers, of one alone", 1 / share, "times", shared) and held
    reading = await _reads(ledger)
    line(f"reading a stream of {EACH} facts, p50", percentile(reading, 0.5) * 1e3, "ms")
    await ledger.close()
    return held


async def _decided(ledger: SqliteLedger | PostgresLedger, one_ms: float, many_ms: float | None) -> bool:
    """As the bot commits: those who come together are decided on in a row, and share one commit."""
    engine = CommittingEngine(ledger, SystemClock(), policy(0))
    await engine.load()
    number = (await engine.handle(s.Declare(actor=ANA, title="Payments are slow"))).incident or 0
    alone: list[float] = []
    for n in range(ALONE // 5):
        with timed(alone):
            await engine.handle(s.AddNote(actor=ANA, incident=number, text=f"note {n}"))
    held = line("a note decided on and durable, one caller, p50", percentile(alone, 0.5) * 1e3, "ms", one_ms)
    together: list[float] = []

    async def caller(name: int) -> None:
        for n in range(EACH // 3):
            with timed(together):
                await engine.handle(s.AddNote(actor=ANA, incident=number, text=f"note {n} of {name}"))

    await asyncio.gather(*map(caller, range(CALLERS)))
    await ledger.close()
    line(f"the same, {CALLERS} callers at once, p50", percentile(together, 0.5) * 1e3, "ms")
    return line(f"the same, {CALLERS} callers at once, p99", percentile(together, 0.99) * 1e3, "ms", many_ms) and held


def _committing(stream: str, seq: int) -> Callable[[Store], list[Fact]]:
    effect = Effect(f"{stream}/{seq}/line", stream, PostLine(), 1, stream, seq)
    fact = NewFact(stream, seq, Actor.rule("bench"), 1, NoteAdded(f"line {seq}"))
    return lambda store: store.commit(Commit((f"{stream}/{seq}",), AT, (fact,), (), (effect,)))


async def _one_after_another(ledger: Ledger) -> list[float]:
    spent: list[float] = []
    for seq in range(1, ALONE + 1):
        with timed(spent):
            await ledger.write(_committing("incident/1", seq))
    return spent


async def _together(ledger: Ledger) -> tuple[list[float], float]:
    spent: list[float] = []

    async def caller(n: int) -> None:
        for seq in range(1, EACH + 1):
            with timed(spent):
                await ledger.write(_committing(f"incident/{n + 2}", seq))

    whole: list[float] = []
    with timed(whole):
        await asyncio.gather(*(caller(n) for n in range(CALLERS)))
    return spent, whole[0]


async def _reads(ledger: Ledger) -> list[float]:
    spent: list[float] = []
    for n in range(CALLERS):
        with timed(spent):
            await ledger.read(lambda store, n=n: store.facts(f"incident/{n + 2}"))  # type: ignore[misc]
    return spent


async def _samples(samples: SqliteSamples | PostgresSamples) -> bool:
    spent: list[float] = []
    for beat in range(300):  # ten thousand checks every half minute are 333 a second
        batch = [_good(beat, check) for check in range(333)]
        with timed(spent):
            await samples.add(batch)
    await samples.close()
    line("333 samples in the first batch, which makes the day's table", spent[0] * 1e3, "ms")
    line("333 samples in a batch, p50", percentile(spent, 0.5) * 1e3, "ms")
    return line("333 samples in a batch, worst of the others", max(spent[1:]) * 1e3, "ms", 100)


def _good(second: int, check: int) -> Sample:
    at = AT + timedelta(seconds=second, microseconds=check)
    return Sample(f"check {check}", "anthropic.api", at, Outcome.OK, phases_ms={"total": 812.345 + check})


async def _bytes_per_sample() -> float:
    samples = InlineSamples.open()
    for beat in range(0, 15_000, 30):
        await samples.add([_good(beat, check) for check in range(100)])
    samples.conn.execute("DELETE FROM hours")
    size = await samples.size_bytes()
    await samples.close()
    return size / 50_000


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
