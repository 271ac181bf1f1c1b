"""Bad days break no law and walk every edge of LEGAL, and each planted bug is caught; `make days` plays two hundred."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUGS = sorted((ROOT / "tests" / "simulation" / "bugs").rglob("*.diff"))
DAYS, AT_LEAST = 50, 12  # so many, unless every edge was walked sooner, but never fewer
WALK_MUCH = (1, 17, 24, 29, 58)  # days that together walked every edge when this was written
DAYS_WITH_A_BUG = 60
DAYS_TIDIED = 8
DAYS_OF_MANY = 2


def days(root: Path, first: int, last: int, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.simulation.day", str(first), str(last), *more]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(root)})


@pytest.mark.timeout(600)
def test_no_law_is_broken_on_a_bad_day() -> None:
    """Nothing lost, nothing said twice, no flag onto fire, updates in time, whatever dies whenever; every edge is walked."""
    result = days(ROOT, 0, DAYS, "--at-least", str(AT_LEAST), "--soonest", *map(str, WALK_MUCH))

    assert (0, "") == (result.returncode, result.stderr), result.stdout
    assert "28 of 28 edges of LEGAL" in result.stdout


@pytest.mark.timeout(600)
def test_whatever_is_tidied_away_is_repaired_once() -> None:
    """Cards, evidence, pins, topics and people go, repairs are pressed twice, Slack loses answers, processes die."""
    result = days(ROOT, 0, DAYS_TIDIED, "--kind=tidied")

    assert (0, "") == (result.returncode, result.stderr), result.stdout


@pytest.mark.timeout(600)
def test_no_law_is_broken_when_either_of_two_replicas_dies() -> None:
    """They share a ledger and die whenever they like; what is said is said once, and both show what was committed."""
    result = days(ROOT, 0, DAYS_OF_MANY, "--kind=many")

    assert (0, "") == (result.returncode, result.stderr), result.stdout


@pytest.mark.timeout(600)
@pytest.mark.parametrize("bug", BUGS, ids=lambda path: path.stem)
def test_a_planted_bug_is_caught(bug: Path, tmp_path: Path) -> None:
    """The laws see what they are there to see: the product with this defect breaks one of them."""
    for folder in ("bot", "commands", "tests/simulation"):
        shutil.copytree(ROOT / folder, tmp_path / folder)  # what is compiled too, which Python makes anew only where it must
    applied = subprocess.run(["git", "apply", str(bug)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (0, "") == (applied.returncode, applied.stderr)

    kind = "busy" if bug.parent.name == "work" else "any"
    [soonest] = re.findall(r"^Seen on day (\d+)\.$", bug.read_text(encoding="utf-8"), re.MULTILINE)  # as it was; others follow

    result = days(tmp_path, 0, DAYS_WITH_A_BUG, f"--kind={kind}", "--soonest", soonest)

    assert 1 == result.returncode, f"{bug.stem} was not seen in {DAYS_WITH_A_BUG} days:\n{result.stdout}{result.stderr}"
    assert "seed " in result.stdout


def test_at_least_five_bugs_are_planted() -> None:
    """Fewer would prove little."""
    assert len(BUGS) >= 5
