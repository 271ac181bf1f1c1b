"""The whole demo as people start it, three times; slow, since a story of five hours is told in a minute.

The speeds leave room on a busy machine: at 160 times the speed of life, a quick look each 1.5 s is one each 9 ms.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.store.sqlite.ledgers import open_read_only

ROOT = Path(__file__).resolve().parents[2]
DETECTED_WITHIN_S = 120  # of the story; 0.75 real seconds at the speed of the test, where one beat of the bot takes 8


def play(folder: Path, *args: str) -> tuple[int, str, dict[str, bool]]:
    """Exit status, everything printed, and the claims: whether each was shown."""
    done = subprocess.run(
        [sys.executable, "-m", "bot.cli", "demo", "--exit-when-done", "--out", str(folder / "out"), *args],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=230, check=False,
    )  # fmt: skip
    claims = {words: word == "shown " for word, words in re.findall(r"^(shown |FAILED)  (.*)$", done.stdout, re.MULTILINE)}
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stdout, claims


@pytest.mark.timeout(240)
def test_demo_shows_everything_and_says_so(tmp_path: Path) -> None:
    """The four-hour outage ends with exit status 0 and a proof of each promise."""
    status, out, claims = play(tmp_path, "--speed", "160")

    assert (0, set()) == (status, {words for words, held in claims.items() if not held}), out
    shown = ("detected", "switched", "went back", "updates were posted", "were served", "from theirs", "resolved", "exported")
    for words in shown:
        assert any(words in claim for claim in claims), words
    told = r"INC-1 was declared (\d+) s after it began, (\d+) s after the first failed check \(at 160 times the speed of life\)"
    [(after_start, after_look)] = re.findall(told, out)
    assert int(after_look) <= int(after_start) <= DETECTED_WITHIN_S
    assert re.search(r"real requests were counted: the service reported (\d+) of \d+", out), out
    assert re.search(
        r"customers served: 9\d\.\d % of [\d,]+ requests \(.*GPT .*; without a switch it would have been \d\d?\.\d %", out
    ), out
    beside = (
        r"a tuned gateway alone would have served ([\d.]+) %, but with (\d+) failed attempts, .*"
        r"; with the flag it was (\d+) and \d+ min"
    )
    [(share, theirs, ours)] = re.findall(beside, out)
    assert 90 < float(share) <= 100
    assert 5 * int(ours) < int(theirs)
    alive = r"(\d+) heartbeats from our own service, 0 missed; our own network failed 0 times"
    [signs] = re.findall(alive, out)
    assert 20 <= int(signs)
    assert {"INC-1-timeline.md", "INC-1-timeline.json", "INC-1-timeline.csv"} <= {p.name for p in (tmp_path / "out").iterdir()}
    assert "03:0" in out  # one line per event, in the story's time
    again = play_again(tmp_path)
    assert (2, True) == (again.returncode, "holds the data of an earlier demo" in again.stderr)


@pytest.mark.timeout(240)
async def test_demo_opens_nothing_on_a_calm_day(tmp_path: Path) -> None:
    """Noise makes no incident; nothing was shown, and the exit status says so."""
    status, out, claims = play(tmp_path, "--scenario", "calm", "--speed", "80")
    ledger = open_read_only(tmp_path / "out" / "data")
    states = await ledger.read(lambda store: store.states())
    await ledger.close()

    assert 1 == status, out
    assert False is claims["the outage was not detected: there is no incident"]
    assert [] == [row.stream for row in states if row.kind in ("incident", "flag")]


@pytest.mark.timeout(240)
def test_demo_fails_its_customers_when_nothing_is_switched(tmp_path: Path) -> None:
    """With automation off, the outage is found and run, and the proof says what was not shown."""
    status, out, claims = play(tmp_path, "--automation", "off", "--speed", "300")

    assert 1 == status, out
    assert False is claims["the flag did not switch"]
    assert any("was detected" in words and held for words, held in claims.items()), out
    assert any("customers were served" in words and not held for words, held in claims.items()), out


def play_again(folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", "demo", "--out", str(folder / "out")],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
