"""What the doctor says of samples: their room, their pace, and how long a budget holds them."""

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
def test_the_budget_is_judged_by_what_arrives(budget: int, pace: DailyGrowth | None, state: str, words: str) -> None:
    """Less than a day of raw samples is worth a word before it is missed."""
    found = judge(int(1.2 * GB), budget, FORTNIGHT, pace)

    assert state == found.state
    assert found.words.endswith(words)


async def test_a_file_is_measured_as_it_lies_there(tmp_path: Path) -> None:
    """Its side files count, and its newest hour tells what a day takes."""
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


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """The doctor goes on."""
    (tmp_path / "samples.db").write_text("not a database, but long enough to be looked at as one" * 20)

    found = look_at_samples(tmp_path, GB, FORTNIGHT)

    assert isinstance(found, StorageFinding)
    assert "bad" == found.state
    assert f"{tmp_path / 'samples.db'} cannot be read" in found.words


def test_what_was_set_aside_is_named(tmp_path: Path) -> None:
    """Nobody finds it otherwise."""
    (tmp_path / "samples.db.broken-1").touch()
    (tmp_path / "samples.db.broken-1-wal").touch()

    assert ["samples.db.broken-1 was set aside; look at it or delete it"] == [
        found.words for found in look_at_disk(tmp_path) if "set aside" in found.words
    ]


def test_a_disk_that_takes_nothing_is_bad(tmp_path: Path) -> None:
    """Asked of the disk itself, by a program of its own that may write no file beyond 16 KiB."""
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
