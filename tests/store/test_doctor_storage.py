"""What the doctor says about samples: their size, their growth, and how long the budget holds them."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.model import Outcome, Sample
from bot.doctor.storage import StorageFinding, judge, look_at_disk, look_at_samples
from bot.store.samples.retention import DailyGrowth
from bot.store.samples.sqlite import InlineSamples
from tests.ledger_facts import after

ROOT = Path(__file__).resolve().parents[2]
GB = 1_000_000_000
FORTNIGHT = timedelta(days=14)
FULL = DailyGrowth(samples=28_800_000, raw_bytes=0.64 * GB, rolled_bytes=0.04 * GB, rolled_hours=120)


@pytest.mark.parametrize(
    ("budget", "pace", "state", "words"),
    [
        (2 * GB, None, "good", "takes 1.2 GB of its budget of 2.0 GB; too few samples yet to say for how long it lasts"),
        (20 * GB, FULL, "good", "28,800,000 samples a day take 680 MB, and raw ones are kept for 14 days as asked"),
        (2 * GB, FULL, "good", "28,800,000 samples a day take 680 MB, so that raw ones last 2.8 days of the 14 days asked for"),
        (
            int(0.3 * GB), FULL, "note",
            "28,800,000 samples a day take 680 MB: raw ones last only 10 h; set samples.budget to 1.4 GB for a day of them",
        ),
    ],
)  # fmt: skip
def test_budget_is_judged_by_the_daily_growth(budget: int, pace: DailyGrowth | None, state: str, words: str) -> None:
    """Less than a day of raw samples is worth a note."""
    found = judge(int(1.2 * GB), budget, FORTNIGHT, pace)

    assert state == found.state
    assert found.words.endswith(words)


async def test_file_is_measured_with_its_side_files(tmp_path: Path) -> None:
    """Its newest hour tells how much a day takes."""
    assert None is look_at_samples(tmp_path, GB, FORTNIGHT)
    samples = InlineSamples.open(tmp_path / "samples.db")
    few = look_at_samples(tmp_path, GB, FORTNIGHT)
    for second in range(0, 7_500, 30):
        await samples.add([Sample("a.b.c", "a.b", after(second), Outcome.OK, phases_ms={"total": 120.0})])

    found = look_at_samples(tmp_path, GB, FORTNIGHT)

    assert few is not None and "too few samples yet" in few.words
    assert found is not None and "good" == found.state
    assert "; 2,904 samples a day take 0.1 MB, and raw ones are kept for 14 days as asked" in found.words
    await samples.close()


def test_unreadable_file_is_reported(tmp_path: Path) -> None:
    """The doctor goes on with the rest."""
    (tmp_path / "samples.db").write_text("not a database, but long enough to be looked at as one" * 20)

    found = look_at_samples(tmp_path, GB, FORTNIGHT)

    assert isinstance(found, StorageFinding)
    assert "bad" == found.state
    assert f"{tmp_path / 'samples.db'} cannot be read" in found.words


def test_files_set_aside_are_named(tmp_path: Path) -> None:
    """Nobody would find them otherwise."""
    (tmp_path / "samples.db.broken-1").touch()
    (tmp_path / "samples.db.broken-1-wal").touch()

    assert ["samples.db.broken-1 was set aside; look at it or delete it"] == [
        found.words for found in look_at_disk(tmp_path) if "set aside" in found.words
    ]


def test_full_disk_is_bad(tmp_path: Path) -> None:
    """Tested on the disk itself, by a process that may write no file beyond 16 KiB."""
    program = (
        "import resource, sys; from pathlib import Path; from bot.doctor.storage import look_at_disk\n"
        "_, most = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (16384, most))\n"
        "print([(found.state, found.words) for found in look_at_disk(Path(sys.argv[1]))])\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "('bad', " in ended.stdout
    assert "the disk is full; make room" in ended.stdout
    assert [] == list(tmp_path.iterdir())
