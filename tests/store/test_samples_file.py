"""The samples file itself: how large it grows, what its roll-ups hold, what survives."""

import json
from datetime import timedelta
from pathlib import Path

from bot.core.model import Outcome, Sample
from bot.store.rollups import bucket, middle_ms
from bot.store.samples import InlineSamples, open_samples
from tests.ledger_facts import NOON, after


def run(second: float, check: int = 1, total: float = 812.345, outcome: Outcome = Outcome.OK) -> Sample:
    return Sample(f"check {check}", "anthropic.api", after(second), outcome, phases_ms={"total": total})


async def test_a_good_sample_takes_twenty_five_bytes(tmp_path: Path) -> None:
    """A hundred checks every half minute are then 7 MB a day."""
    samples = InlineSamples.open(tmp_path / "samples.db")
    await samples.add([run(0.001 * check, check) for check in range(100)])
    empty = samples.store.size_bytes()
    for beat in range(200):
        await samples.add([run(30 * beat + 0.001 * check, check, 800.123 + check) for check in range(100)])
    samples.conn.execute("DELETE FROM rollups")

    assert (samples.store.size_bytes() - empty) / 20_000 <= 25
    await samples.close()


async def test_a_minute_is_rolled_up_when_it_has_been_over_for_a_minute() -> None:
    """Then nothing of it is under way any more; its hour grows with it."""
    samples = InlineSamples.open()
    await samples.add([run(0, total=100), run(30, total=300), run(59, outcome=Outcome.FAIL), run(60, total=50)])
    await samples.add([run(119)])
    assert [] == samples.conn.execute("SELECT * FROM rollups").fetchall()

    await samples.add([run(120)])
    await samples.add([run(180)])

    rows = [dict(row) for row in samples.conn.execute("SELECT * FROM rollups ORDER BY span, at")]
    noon = int(NOON.timestamp())
    assert [(60, noon, 3, 2, 1), (60, noon + 60, 2, 2, 0), (3600, noon, 5, 4, 1)] == [
        (row["span"], row["at"], row["count"], row["ok"], row["fail"]) for row in rows
    ]
    assert (400_000, 300_000) == (rows[0]["sum_us"], rows[0]["max_us"])
    assert {str(bucket(100_000)): 1, str(bucket(300_000)): 1} == json.loads(rows[0]["histogram"])
    await samples.close()


async def test_roll_ups_go_on_when_nothing_came_for_days() -> None:
    """Only minutes with samples cost anything."""
    samples = InlineSamples.open()
    await samples.add([run(0)])
    await samples.add([run(5 * 86_400)])
    await samples.add([run(5 * 86_400 + 180)])

    assert [(60, 2), (3600, 2)] == [
        tuple(row) for row in samples.conn.execute("SELECT span, count(*) FROM rollups GROUP BY span")
    ]
    await samples.close()


async def test_roll_ups_by_minute_are_forgotten_and_those_by_hour_stay() -> None:
    """Raw rows for days, minutes for two weeks, hours for ever."""
    samples = InlineSamples.open()
    await samples.add([run(0)])
    await samples.add([run(20 * 86_400)])

    await samples.trim(NOON + timedelta(days=13))

    assert [3600] == [row["span"] for row in samples.conn.execute("SELECT span FROM rollups")]
    await samples.close()


async def test_samples_are_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    """Close waits for what was asked for."""
    samples = await open_samples(tmp_path)
    await samples.add([run(1)])
    await samples.close()
    await samples.close()

    again = await open_samples(tmp_path)
    assert [run(1)] == await again.recent("check 1", 5)
    assert 0 < await again.size_bytes()
    assert 0o600 == again.path.stat().st_mode & 0o777
    await again.close()


def test_a_bucket_stands_for_its_latencies_within_five_percent() -> None:
    """From under a millisecond to minutes."""
    for us in (1, 950, 12_345, 812_345, 59_999_999, 600_000_000):
        assert abs(middle_ms(bucket(us)) * 1_000 / us - 1) <= 0.05
