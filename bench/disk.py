"""What ten thousand checks twice a minute cost on disk, and whether a batch ever waits: `python -m bench disk`.

An hour and five minutes are written as fast as they can be, second by second, with retention at work beside them; so the
stretch holds every chore that a day has: checkpoints, the end of an hour, forgetting by age and by room.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.report import line, percentile, timed
from bot.core.model import Fault, Outcome, Sample
from bot.store.samples.retention import file_size
from bot.store.samples.sqlite import IDLE_WAL, SqliteSamples, open_samples
from bot.store.sqlite.engine import connect, sqlite_report

AT = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
CHECKS, EVERY_S = 10_000, 30
SECONDS = 65 * 60  # an hour, and the end of it
A_DAY = CHECKS * 86_400 // EVERY_S
OFTEN_S = 10  # how often samples are trimmed and the budget is asked for
FAILING = 20  # checks that fail all the time, with evidence
SMALL = 20_000_000  # a budget that is reached within the stretch
DISK_GB, ROW_BYTES, STALL_MS = 0.7, 25, 100


@dataclass
class Stretch:
    """What was measured."""

    spent: list[float] = field(default_factory=list)  # seconds a batch took, from asking to committed
    chores: list[float] = field(default_factory=list)  # seconds that trimming and the budget took
    cpu: float = 0.0
    rows: int = 0
    largest: int = 0  # bytes of all files


def main() -> bool:
    """Write the stretch once to see how large it is, and once under a small budget to see that it is kept."""
    report = sqlite_report()
    print(f"disk: {report.module} {report.version}, journal {report.journal_mode}; {CHECKS:,} checks every {EVERY_S} s")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:  # beside the checkout: /tmp may be memory
        held = asyncio.run(_free(Path(folder)))
        held = _sizes(Path(folder) / "samples.db") and held
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        return asyncio.run(_bounded(Path(folder))) and held


async def _free(folder: Path) -> bool:
    samples = await open_samples(folder)
    seen = await _write(samples, 2_000_000_000)
    held = _tell("a batch of a second", seen)
    line("CPU of a row, all chores included", seen.cpu / seen.rows * 1e6, "µs")
    line("CPU of storing, of one core at real speed", seen.cpu / SECONDS * 100, "%")
    line("trimming and budget with nothing to do, p99", percentile(seen.chores, 0.99) * 1e3, "ms")
    took: list[float] = []
    cpu: list[float] = []
    with timed(took), timed(cpu, time.process_time):
        found = await samples.since(AT + timedelta(seconds=SECONDS) - timedelta(minutes=10))
    line(f"reading {len(found):,} samples back (ten minutes)", took[-1], "s", 2.5)
    line("CPU of that", cpu[-1], "s")
    with timed(took):
        medians = await samples.medians(AT)
    line(f"medians of {len(medians):,} checks", took[-1], "s")
    await samples.close()
    with timed(took):
        again = await open_samples(folder)
    line("opening it again", took[-1], "s")
    await again.close()
    return held


def _sizes(path: Path) -> bool:
    conn = connect(path)
    whole = file_size(conn).live
    rows = conn.execute("SELECT count(*) FROM samples").fetchone()[0]
    conn.execute("DELETE FROM hours")
    raw = file_size(conn).live
    held = line(f"one raw sample, {FAILING} checks failing", raw / rows, "bytes", ROW_BYTES)
    line("roll-up of one check and hour", (whole - raw) / CHECKS, "bytes")
    conn.close()
    day = raw / rows * A_DAY + (whole - raw) * 24
    return line("a day before retention, roll-ups included", day / 1e9, "GB", DISK_GB) and held


async def _bounded(folder: Path) -> bool:
    samples = await open_samples(folder)
    seen = await _write(samples, SMALL)
    held = _tell("the same while the oldest are forgotten", seen)
    line("trimming and budget, p99", percentile(seen.chores, 0.99) * 1e3, "ms")
    allowed = (SMALL + IDLE_WAL) / 1e6  # of a budget so small, the log is not covered by what rows leave free
    held = line(f"all files under a budget of {SMALL / 1e6:g} MB, largest", seen.largest / 1e6, "MB", allowed) and held
    await samples.close()
    return held


async def _write(samples: SqliteSamples, budget: int) -> Stretch:
    seen = Stretch()
    dice = random.Random(20)
    for second in range(SECONDS):
        batch = _batch(second, dice)
        cpu = time.process_time()
        with timed(seen.spent):
            await samples.add(batch)
        if second % OFTEN_S == 0:
            with timed(seen.chores):
                await samples.trim(AT - timedelta(days=14))
                await samples.keep_within(budget, AT + timedelta(seconds=second))
            seen.largest = max(seen.largest, sum(path.stat().st_size for path in samples.path.parent.iterdir()))
        seen.cpu += time.process_time() - cpu
        seen.rows += len(batch)
    return seen


def _tell(what: str, seen: Stretch) -> bool:
    line(f"{what}, p50", percentile(seen.spent, 0.5) * 1e3, "ms")
    line(f"{what}, p99", percentile(seen.spent, 0.99) * 1e3, "ms")
    return line(f"{what}, worst of {len(seen.spent):,}", max(seen.spent) * 1e3, "ms", STALL_MS)


def _batch(second: int, dice: random.Random) -> Sequence[Sample]:
    """What comes in within a second: each check has its place in the half minute."""
    turn = range(second % EVERY_S, CHECKS, EVERY_S)
    return [_run(check, AT + timedelta(seconds=second, microseconds=place * 2_950), dice) for place, check in enumerate(turn)]


def _run(check: int, at: datetime, dice: random.Random) -> Sample:
    component = f"provider-{check % 40}.api"
    total = (180 + check % 700) * dice.lognormvariate(0, 0.25)
    if check >= FAILING:
        return Sample(f"{component}.check-{check}", component, at, Outcome.OK, phases_ms={"total": total})
    phases = {"dns": 1.208, "connect": 14.117, "tls": 17.93, "first_byte": total - 2, "total": total}
    evidence = {"status": "529", "request_id": f"req_011CSHoEeqs5C35K2UUq{check:04}", "excerpt": '{"type":"overloaded_error"}'}
    return Sample(
        f"{component}.check-{check}", component, at, Outcome.FAIL, "overloaded", Fault.THEIRS,
        f"HTTP 529 after {total:.0f} ms: Overloaded", phases, evidence,
    )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
