"""The samples file: how large it grows, what its roll-ups contain, and what survives."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.core.histogram import bucket, middle_ms
from bot.core.model import Fault, Outcome, Sample
from bot.store.errors import StoreError
from bot.store.samples.sqlite import InlineSamples, open_samples
from bot.store.sqlite.engine import DatabaseError, connect
from bot.store.sqlite.migrations import LEDGER, SAMPLES, Shape
from bot.store.sqlite.migrations.samples import CHECKS, ROLLUPS
from bot.store.sqlite.migrations.samples import SAMPLES as FIRST_SAMPLES
from tests.ledger_facts import NOON, after

ROOT = Path(__file__).parents[2]


LATER = NOON + timedelta(days=30)


def run(second: float, check: int = 1, total: float = 812.345, outcome: Outcome = Outcome.OK) -> Sample:
    return Sample(f"check {check}", "anthropic.api", after(second), outcome, phases_ms={"total": total})


async def test_a_good_sample_takes_twenty_five_bytes(tmp_path: Path) -> None:
    """A hundred checks every half minute are then 7 MB a day."""
    samples = InlineSamples.open(tmp_path / "samples.db")
    await samples.add([run(0.001 * check, check) for check in range(100)])
    empty = await samples.size_bytes()
    for beat in range(200):
        await samples.add([run(30 * beat + 0.001 * check, check, 800.123 + check) for check in range(100)])
    samples.conn.execute("DELETE FROM hours")

    assert (await samples.size_bytes() - empty) / 20_000 <= 25
    await samples.close()


def hours(samples: InlineSamples) -> list[tuple[int, ...]]:
    """Hour after noon, check, count, ok, fail of every roll-up."""
    sql = "SELECT (at - ?) / 3600, check_id, count, ok, fail FROM hours ORDER BY at, check_id"
    return [tuple(row) for row in samples.conn.execute(sql, (int(NOON.timestamp()),))]


async def test_hour_is_rolled_up_a_minute_after_its_end() -> None:
    """By then no run of it is under way."""
    samples = InlineSamples.open()
    await samples.add([run(0, total=100), run(30, total=300), run(59, outcome=Outcome.FAIL), run(3600, total=50)])
    await samples.add([run(90, outcome=Outcome.INCONCLUSIVE), run(91, outcome=Outcome.SLOW, total=900), run(3659)])
    assert [] == hours(samples)

    await samples.add([run(3660)])

    assert [(0, 1, 5, 3, 1)] == hours(samples)
    row = dict(samples.conn.execute("SELECT * FROM hours").fetchone())
    assert (1_300_000, 900_000) == (row["sum_us"], row["max_us"])
    assert {str(bucket(us)): 1 for us in (100_000, 300_000, 900_000)} == json.loads(row["histogram"])
    await samples.close()


async def test_hour_of_many_checks_is_rolled_up_in_several_batches() -> None:
    """A batch moves at most a few hundred checks, so that it never takes long; each check is moved once."""
    samples = InlineSamples.open()
    for half in (0, 1800):
        await samples.add([run(half + check / 1000, check) for check in range(1000)])
    seen = []
    for second in range(3660, 3666):
        await samples.add([run(second)])
        seen.append(len(hours(samples)))

    assert [250, 500, 750, 1000, 1000, 1000] == seen
    assert {2} == {row[2] for row in hours(samples)}
    await samples.close()


async def test_crash_during_a_roll_up_counts_nothing_twice(tmp_path: Path) -> None:
    """Counts in memory are rebuilt from raw rows, and the half-moved hour starts again."""
    before = InlineSamples.open(tmp_path / "samples.db")
    await before.add([run(check / 1000, check) for check in range(600)])
    await before.add([run(3660)])
    assert 250 == len(hours(before))
    before.conn.close()  # as a crash leaves it: what is committed is all there is

    after_it = InlineSamples.open(tmp_path / "samples.db")
    for second in range(3661, 3665):
        await after_it.add([run(second)])
    await after_it.add([run(7260)])

    assert [600, 1] == [sum(row[0] == hour for row in hours(after_it)) for hour in (0, 1)]
    assert 605 == sum(row[2] for row in hours(after_it))
    await after_it.close()


async def test_failed_batch_is_not_counted() -> None:
    """Counting is part of the transaction."""
    samples = InlineSamples.open()
    await samples.add([run(0)])
    with pytest.raises(TypeError):
        await samples.add([run(30), replace(run(31), at=datetime(2026, 3, 20, 12))])  # noqa: DTZ001 # the mistake
    samples.conn.execute("BEGIN")
    samples.store.add([run(40)])
    samples.conn.execute("ROLLBACK")
    await samples.add([run(3660)])

    assert [(0, 1, 1, 1, 0)] == hours(samples)
    await samples.close()


async def test_late_sample_counts_once_in_its_hour() -> None:
    """At once, and even if the hour was rolled up already."""
    samples = InlineSamples.open()
    await samples.add([run(0)])
    await samples.add([run(3660)])
    await samples.add([run(10, total=100), run(11, 2), run(0), run(3661)])
    await samples.add([run(10, total=100)])

    assert [(0, 1, 2, 2, 0), (0, 2, 1, 1, 0)] == hours(samples)
    assert [after(0), after(10)] == [s.at for s in (await samples.recent("check 1", 9))[:2]]
    await samples.close()


async def test_hour_closed_too_early_takes_later_samples() -> None:
    """A clock was wrong for a moment."""
    samples = InlineSamples.open()
    await samples.add([run(0)])
    await samples.add([run(86_400)])
    for second in range(30, 7290, 30):
        await samples.add([run(second)])

    assert [(0, 1, 120, 120, 0), (1, 1, 120, 120, 0)] == hours(samples)
    await samples.close()


async def test_roll_ups_continue_after_days_without_samples() -> None:
    """Only hours with samples cost anything."""
    samples = InlineSamples.open()
    for second in (0, 5 * 86_400, 5 * 86_400 + 3_700):
        await samples.add([run(second)])

    assert [(0, 1, 1, 1, 0), (120, 1, 1, 1, 0)] == hours(samples)
    await samples.close()


async def test_roll_ups_outlive_raw_samples() -> None:
    """Raw rows are kept for days, hours as long as the budget allows."""
    samples = InlineSamples.open()
    await samples.add([run(0)])
    await samples.add([run(20 * 86_400)])

    assert 1 == await samples.trim(NOON + timedelta(days=13))

    assert [(0, 1, 1, 1, 0)] == hours(samples)
    await samples.close()


async def a_busy_day(samples: InlineSamples, checks: int = 20, every_s: int = 60, hours: int = 30) -> None:
    for second in range(0, hours * 3_600, every_s):
        await samples.add([run(second + check / 1000, check, 100.0 + check) for check in range(checks)])


async def test_last_day_of_raw_samples_outlives_older_roll_ups(tmp_path: Path) -> None:
    """If both do not fit, recent results are worth more than last month's averages."""
    samples = InlineSamples.open(tmp_path / "samples.db")
    await a_busy_day(samples)
    day = await samples.size_bytes() * 24 // 30

    gone = await samples.keep_within(int(day * 8 / 7), LATER)

    oldest = (await samples.since(NOON))[0].at
    assert 5 * 3_600 < (oldest - NOON).total_seconds() <= 6 * 3_600 + 60
    assert gone == pytest.approx(20 * 6 * 60, rel=0.1)
    assert 0 == await samples.keep_within(int(day * 8 / 7), LATER)
    await samples.close()


async def test_sample_from_the_future_makes_nothing_old(tmp_path: Path) -> None:
    """Somebody's clock was two days ahead: today's samples still outlive old roll-ups."""
    samples = InlineSamples.open(tmp_path / "samples.db")
    await a_busy_day(samples)
    await samples.add([run(78 * 3_600)])
    await samples.keep_within(int(await samples.size_bytes() * 7 / 8), NOON + timedelta(hours=30))

    assert [] == hours(samples)
    await samples.close()


async def test_file_shrinks_when_its_budget_is_lowered(tmp_path: Path) -> None:
    """Step by step, down to nothing if necessary; `ls` shows it."""
    samples = InlineSamples.open(tmp_path / "samples.db")
    await a_busy_day(samples)
    held = (tmp_path / "samples.db").stat().st_size
    for budget in (held // 2, held // 4, 1):
        await samples.keep_within(budget, LATER)
        samples.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert (tmp_path / "samples.db").stat().st_size <= max(budget, 73_728)

    assert [] == await samples.since(NOON)
    await samples.close()


async def test_file_at_its_budget_keeps_its_size(tmp_path: Path) -> None:
    """New rows reuse the pages of deleted ones, and nothing is returned only to be requested again."""
    samples = InlineSamples.open(tmp_path / "samples.db")
    sizes = set()
    for second in range(0, 10 * 3_600, 60):
        await samples.add([run(second + check / 1000, check, 100.0 + check) for check in range(50)])
        await samples.keep_within(400_000, LATER)
        if second > 8 * 3_600:
            sizes.add(samples.conn.execute("PRAGMA page_count").fetchone()[0] * 4096)

    assert max(sizes) <= 400_000
    assert 12_288 >= max(sizes) - min(sizes)
    await samples.close()


async def test_file_of_the_first_schema_is_migrated(tmp_path: Path) -> None:
    """Nothing is lost; the hour that was being rolled up is counted again from its raw rows."""
    path = tmp_path / "samples.db"
    conn = connect(path)
    for sql in (CHECKS, FIRST_SAMPLES, ROLLUPS):
        conn.execute(sql)
    conn.execute(f"PRAGMA application_id = {SAMPLES.mark}")
    conn.execute("PRAGMA user_version = 1")
    conn.execute("CREATE TABLE _sqlite_migrations (migration_set TEXT, name TEXT, applied_at TEXT)")
    conn.execute("INSERT INTO _sqlite_migrations VALUES ('understudy-samples', 'm001_first', '2026-03-20')")
    conn.execute("INSERT INTO checks VALUES (1, 'check 1', 'anthropic.api', 'local')")
    noon = int(NOON.timestamp())
    more = '{"error":"http_5xx","evidence":{"status":"529"},"fault":"theirs","phases_ms":{"total":212.5},"reason":"HTTP 529"}'
    raw = [(0, 0, 100_000, None), (3600, 0, None, None), (3630, 2, 212_500, more), (3660, 2, None, "{}"), (3720, 0, 5, None)]
    conn.executemany("INSERT INTO samples VALUES (?, 1, ?, ?, ?)", [((noon + s) * 1_000_000, *rest) for s, *rest in raw])
    for span, at, count in ((60, 0, 1), (3600, 0, 1), (60, 3600, 2), (3600, 3600, 2)):
        histogram = json.dumps({str(bucket(100_000)): count})
        row = (span, noon + at, 1, count, count, 0, 100_000, 100_000, histogram)
        conn.execute("INSERT INTO rollups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    conn.close()

    samples = InlineSamples.open(path)
    await samples.add([run(7_300)])

    held = await samples.recent("check 1", 9)
    assert [0.0, 3600.0, 3630.0, 3660.0, 3720.0, 7300.0] == [(s.at - NOON).total_seconds() for s in held]
    assert [run(0, total=100.0), replace(run(3600), phases_ms={})] == held[:2]
    assert ("http_5xx", Fault.THEIRS, {"total": 212.5}, {"status": "529"}) == (
        held[2].error, held[2].fault, held[2].phases_ms, held[2].evidence
    )  # fmt: skip
    assert [(0, 1, 1, 1, 0), (1, 1, 4, 2, 2)] == hours(samples)
    await samples.close()


OTHER_LIBRARY = """
import asyncio, sys
sys.modules["pysqlite3"] = None
from pathlib import Path
from datetime import timedelta
from bot.core.model import Outcome, Sample
from bot.store.sqlite.engine import sqlite_report
from bot.store.samples.sqlite import open_samples
from tests.ledger_facts import NOON

async def main():
    samples = await open_samples(Path(sys.argv[1]))
    for n in range(0, 7400, 30):
        await samples.add([Sample("a", "b.c", NOON + timedelta(seconds=n), Outcome.OK, phases_ms={"total": 100.0})])
    print(sqlite_report().module, len(await samples.since(NOON)), round((await samples.medians(NOON))["a"], -1))
    print(await samples.keep_within(1, NOON), len(await samples.since(NOON)))
    await samples.close()

asyncio.run(main())
"""


def test_everything_works_with_the_sqlite_of_python(tmp_path: Path) -> None:
    """Where no wheel of the newer library exists, the same SQL runs on the system's."""
    ended = subprocess.run(
        [sys.executable, "-c", OTHER_LIBRARY, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert ("sqlite3 247 100.0\n247 0\n", "") == (ended.stdout, ended.stderr)


async def test_median_is_of_the_named_vantage() -> None:
    """What is far away for us may be near for another."""
    samples = InlineSamples.open()
    for hour in range(2):
        await samples.add([run(3_600 * hour), replace(run(3_600 * hour, total=40.0), vantage="eu-west")])
    await samples.add([run(7_300)])

    found = [(await samples.medians(NOON, vantage)).get("check 1", 0) for vantage in ("local", "eu-west", "mars")]

    assert [pytest.approx(812, rel=0.05), pytest.approx(40, rel=0.05), 0] == found
    await samples.close()


async def test_samples_survive_a_reopening(tmp_path: Path) -> None:
    """Closing waits for requested writes."""
    samples = await open_samples(tmp_path)
    await samples.add([run(1)])
    await samples.close()
    await samples.close()

    again = await open_samples(tmp_path)
    assert [run(1)] == await again.recent("check 1", 5)
    assert 0 < await again.size_bytes()
    assert 0o600 == again.path.stat().st_mode & 0o777
    await again.close()


def test_bucket_represents_its_latencies_within_five_percent() -> None:
    """From under a millisecond to minutes."""
    for us in (1, 950, 12_345, 812_345, 59_999_999, 600_000_000):
        assert abs(middle_ms(bucket(us)) * 1_000 / us - 1) <= 0.05


@pytest.mark.parametrize("damage", ["garbage", "another program's"])
async def test_broken_samples_file_is_set_aside_and_recreated(damage: str, tmp_path: Path) -> None:
    """Only check results are lost, so the bot starts; the old file can still be examined."""
    path = tmp_path / "samples.db"
    if damage == "garbage":
        path.write_bytes(b"this is not a database, whatever its name says" * 100)
    else:
        conn = connect(path)
        conn.execute("CREATE TABLE theirs (a)")
        conn.close()
    before = path.read_bytes()[:100]
    samples = await open_samples(tmp_path)
    await samples.add([run(0)])

    assert 1 == len(await samples.recent("check 1", 5))
    assert before[:16] == (tmp_path / "samples.db.broken-1").read_bytes()[:16]
    assert "set aside as samples.db.broken-1" in samples.set_aside
    await samples.close()


@pytest.mark.parametrize("how", ["deleted", "replaced"])
async def test_samples_file_lost_under_a_running_bot_is_recreated(how: str, tmp_path: Path) -> None:
    """Otherwise results would go into a file that nobody can open, or nowhere until the next start."""
    samples = await open_samples(tmp_path)
    await samples.add([run(0)])
    samples.path.unlink()
    if how == "replaced":
        samples.path.write_bytes(b"something else")
    await samples.add([run(1)])

    assert [run(1)] == await samples.recent("check 1", 5)
    assert "deleted or replaced under the running bot" in samples.complaint
    assert (how == "replaced") == ("set aside as samples.db.broken-1" in samples.complaint)
    await samples.close()
    again = await open_samples(tmp_path)
    assert ([run(1)], "") == (await again.recent("check 1", 5), again.complaint)
    await again.close()


async def test_file_with_a_damaged_page_is_set_aside(tmp_path: Path) -> None:
    """It stops neither the start, which reads the file, nor later writes."""
    samples = await open_samples(tmp_path)
    await samples.add([run(second) for second in range(3_000)])
    await samples.close()
    path = tmp_path / "samples.db"
    whole = bytearray(path.read_bytes())
    whole[4096 * 6 : 4096 * 12] = b"\xff" * 4096 * 6
    path.write_bytes(whole)
    samples = await open_samples(tmp_path)

    assert [] == await samples.since(NOON)
    await samples.add([run(5_000)])
    assert 1 == len(await samples.since(NOON))
    await samples.close()


async def test_check_whose_first_batch_was_lost_keeps_its_own_id(tmp_path: Path) -> None:
    """The disk was full at its first sample, and meanwhile another check got an id."""
    samples = InlineSamples.open(tmp_path / "samples.db")
    samples.conn.execute("PRAGMA max_page_count = 1")
    with pytest.raises(DatabaseError):
        await samples.add([run(second, 1) for second in range(20_000)])
    samples.conn.execute("PRAGMA max_page_count = 1000000")
    await samples.add([run(30_000, 2)])
    await samples.add([run(30_030, 1)])

    assert ["check 1"] == [sample.check for sample in await samples.recent("check 1", 10)]
    await samples.close()


async def test_samples_file_is_recreated_once_its_folder_returns(tmp_path: Path) -> None:
    """People are told of both."""
    folder = tmp_path / "data"
    folder.mkdir()
    samples = await open_samples(folder)
    await samples.add([run(0)])
    folder.rename(tmp_path / "away")
    for second in (1, 2):
        with pytest.raises(StoreError):
            await samples.add([run(second)])
    complaint = samples.complaint
    folder.mkdir()
    await samples.add([run(3)])

    assert [run(3)] == await samples.recent("check 1", 5)
    assert ("are not kept" in complaint, "a new one is begun" in samples.complaint) == (True, True)
    await samples.close()


@pytest.mark.parametrize("shape", [LEDGER, SAMPLES], ids=["ledger", "samples"])
def test_file_version_equals_the_number_of_migrations(shape: Shape) -> None:
    """Otherwise an older file would count as current, and never be migrated."""
    assert shape.version == len(shape.migrations().pending(Database(memory=True)))
