"""`understudy backtest`: stored looks or a trace, through today's settings and through others."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli.backtest import backtest
from bot.core import signals as s
from bot.core.model import Fault, Level, Outcome, Sample, Verdict
from bot.engine.engine import CommittingEngine
from bot.store.samples.sqlite import InlineSamples
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock, SystemClock
from tests.desk import RULE, policy

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "examples" / "understudy.yaml"
WORDS = {"o": "ok", "f": "502", "s": "slow"}
HISTORY = "o" * 10 + "fffff" + "o" * 20


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": None}).invoke(backtest, list(arguments), catch_exceptions=False)


def trace(path: Path, history: str = HISTORY, every_s: int = 30) -> Path:
    """One look every so many seconds from noon."""
    start = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
    rows = [f"{start + timedelta(seconds=every_s * n):%Y-%m-%dT%H:%M:%SZ},a.b.c,{WORDS[w]},40" for n, w in enumerate(history)]
    path.write_text("time,check,outcome,latency\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def lines(result: Result) -> list[str]:
    return [line.rstrip() for line in result.stdout.splitlines()]


def test_two_settings_are_told_side_by_side(tmp_path: Path) -> None:
    """When each would have said what, why, and until when."""
    ended = run("--trace", str(trace(tmp_path / "t.csv")), "--config", str(CONFIG), "--set", "detection.failures=2")

    assert (0, "") == (ended.exit_code, ended.stderr)
    assert [
        "35 runs of 1 check, 2026-03-20 12:00:00 to 2026-03-20 12:17:00 UTC",
        "",
        "component  first sign           today                            with failures=2",
        "a.b        2026-03-20 12:05:00  failing at 12:06:00, after 60 s  failing at 12:05:30, after 30 s",
        "",
        "today: 1 detection; there is no record of incidents to compare with (name it with --data).",
        "  12:06:00 a.b.c: 3 of 5 checks failed in 60 s: HTTP 502 (until 12:09:30)",
        "",
        "with failures=2: 1 detection; there is no record of incidents to compare with (name it with --data).",
        "  12:05:30 a.b.c: 2 of 5 checks failed in 30 s: HTTP 502 (until 12:09:30)",
    ] == lines(ended)


@pytest.mark.parametrize(
    ("setting", "after_s"), [("at_least_clear=10s", 10), ("at_least_clear=4s", 4), ("at_least=7s", 6), ("at_least=2s", 4)]
)
def test_server_errors_of_a_trace_count_as_soon_as_live_ones(setting: str, after_s: int, tmp_path: Path) -> None:
    """Looks two seconds apart, each a round of its own: by today's settings, and by another one."""
    path = trace(tmp_path / "t.csv", "o" * 10 + "f" * 10, every_s=2)
    told = lines(run("--trace", str(path), "--config", str(CONFIG), "--set", setting))

    assert "a.b 2026-03-20 12:00:20 failing at 12:00:26, after 6 s" in " ".join(told[3].split())
    assert told[3].endswith(f"after {after_s} s")


def test_a_trace_needs_no_configuration(tmp_path: Path) -> None:
    """Whoever only wants to see what it would say of their logs; that it took the usual settings is said."""
    missing = tmp_path / "none.yaml"
    ended = run("--trace", str(trace(tmp_path / "t.csv")), "--config", str(missing))

    assert f"note: {missing} does not exist, so the default settings judge every check.\n" == ended.stderr
    assert "today: 1 detection; there is no record of incidents to compare with (name it with --data)." in lines(ended)


def test_nothing_found_is_said(tmp_path: Path) -> None:
    """Silence is no answer."""
    ended = run("--trace", str(trace(tmp_path / "t.csv", "o" * 30)), "--config", str(CONFIG))

    assert "Nothing would have been detected." in lines(ended)


def test_json_is_for_programs(tmp_path: Path) -> None:
    """The same as one document."""
    ended = run("--trace", str(trace(tmp_path / "t.csv")), "--config", str(CONFIG), "--json", "--set", "threshold=20")
    document = json.loads(ended.stdout)

    assert (35, ["a.b.c"], "2026-03-20T12:00:00+00:00") == (document["runs"], document["checks"], document["from"])
    assert ["today", "with threshold=20"] == [settings["name"] for settings in document["settings"]]
    assert {
        "component": "a.b", "condition": "failing", "began_at": "2026-03-20T12:05:00+00:00",
        "detected_at": "2026-03-20T12:06:00+00:00", "ended_at": "2026-03-20T12:09:30+00:00", "after_s": 60.0, "ours": False,
        "false_alarm": None,
        "checks": [{
            "check": "a.b.c", "detected_at": "2026-03-20T12:06:00+00:00",
            "reason": "3 of 5 checks failed in 60 s: HTTP 502",
        }],
    } == document["settings"][0]["detections"][0]  # fmt: skip


def test_only_the_end_of_a_trace_is_replayed_where_asked(tmp_path: Path) -> None:
    """--since counts back from the newest look."""
    ended = run("--trace", str(trace(tmp_path / "t.csv")), "--config", str(CONFIG), "--since", "5m")

    assert "11 runs of 1 check, 2026-03-20 12:12:00 to 2026-03-20 12:17:00 UTC" == lines(ended)[0]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--set", "failures"], "--set failures: write KEY=VALUE, with one of the keys that a replay depends on: "),
        (["--set", "detection.quorum=any"], "--set detection.quorum=any: write KEY=VALUE, with one of the keys"),
        (["--set", "failures=many"], "--set detection.failures: must be a whole number; "),
        (["--set", "at_least_clear=12s"], "--set detection.at_least_clear: clear failures would wait longer than unclear"),
        (["--set", "failures=9"], "--set detection.failures: 9 failures never fit into a window of 5; "),
        (["--set", "at_least=15"], "--set detection.at_least: not a duration; write a whole number with ms, s, m, h or d"),
        (["--since", "soon"], "--since soon: not a duration; write a whole number with m, h or d, such as 24h."),
        (["--trace", "none.csv"], "none.csv cannot be read: No such file or directory. Name another file with --trace."),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(tmp_path: Path, arguments: Sequence[str], expected: str) -> None:
    """What was written, what is wrong with it, and what to write; exit status 2."""
    ended = run("--trace", str(trace(tmp_path / "t.csv")), "--config", str(CONFIG), *arguments)

    assert (2, "") == (ended.exit_code, ended.stdout)
    assert ended.stderr.startswith(expected)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"time,check,outcome\n1774010430,a,perhaps\n", ":2: 'perhaps' is not an outcome; "),
        (b"\xff\xfe", " is not UTF-8 text (byte 0)."),
    ],
)
def test_a_bad_trace_is_told_with_its_line(tmp_path: Path, content: bytes, expected: str) -> None:
    """File and line; exit status 2, and no traceback."""
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    ended = run("--trace", str(path), "--config", str(CONFIG))

    assert 2 == ended.exit_code
    assert ended.stderr.startswith(f"{path}{expected}")


# --- stored looks and the ledger


async def a_day(folder: Path, history: str, declared_after_s: float | None) -> datetime:
    """Looks of the last quarter of an hour, and an incident that was declared so long after they began."""
    start = SystemClock().now().replace(microsecond=0) - timedelta(minutes=30)
    samples = InlineSamples.open(folder / "samples.db")
    for n, word in enumerate(history):
        bad = word != "o"
        at = start + timedelta(seconds=30 * n)
        fault, reason = (Fault.THEIRS, "HTTP 502 after 40 ms") if bad else (Fault.NONE, "")
        outcome = Outcome(WORDS[word]) if word in "os" else Outcome.FAIL
        await samples.add([Sample("anthropic.api.models", "anthropic.api", at, outcome, None, fault, reason, {"total": 40.0})])
    await samples.close()
    clock = ManualClock(start + timedelta(seconds=declared_after_s or 0))
    ledger = InlineLedger.open(folder / "ledger.db")
    engine = CommittingEngine(ledger, clock, policy())
    await engine.load()
    if declared_after_s is not None:
        began = start + timedelta(seconds=history.index("f") * 30)
        verdict = Verdict("anthropic.api", Level.DOWN, "HTTP 502", Fault.THEIRS, (), began)
        await engine.handle(s.VerdictReached(actor=RULE, verdict=verdict))
    await ledger.close()
    return start


def test_stored_looks_are_compared_with_the_incidents_on_record(tmp_path: Path) -> None:
    """Earlier, later, and by how much; nothing is written."""
    start = asyncio.run(a_day(tmp_path, HISTORY, declared_after_s=390))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.suffix == ".db"}
    ended = run("--config", str(CONFIG), "--data", str(tmp_path), "--set", "failures=2")
    told = lines(ended)

    assert (0, "") == (ended.exit_code, ended.stderr)
    assert told[3].endswith(f"INC-1 at {start + timedelta(seconds=390):%H:%M:%S}")
    assert "today: 1 detection; 1 of 1 incident on record found (INC-1 30 s earlier), 0 false alarms." in told
    assert "with failures=2: 1 detection; 1 of 1 incident on record found (INC-1 60 s earlier), 0 false alarms." in told
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.suffix == ".db"}


def test_an_incident_that_nothing_shows_is_missed(tmp_path: Path) -> None:
    """One failed look and a declared incident: not detected, whatever the settings."""
    asyncio.run(a_day(tmp_path, "o" * 10 + "f" + "o" * 20, declared_after_s=390))
    told = lines(run("--config", str(CONFIG), "--data", str(tmp_path)))

    assert "not detected" in told[3]
    assert "today: 0 detections; 0 of 1 incident on record found, 0 false alarms." in told


def test_without_an_incident_every_detection_is_in_question(tmp_path: Path) -> None:
    """Nothing is on record."""
    asyncio.run(a_day(tmp_path, HISTORY, declared_after_s=None))
    told = lines(run("--config", str(CONFIG), "--data", str(tmp_path)))

    said = "no incident is on record for this time, so each would have been a false alarm or one that nobody recorded."
    assert f"today: 1 detection; {said}" in told


def test_a_folder_without_looks_is_told(tmp_path: Path) -> None:
    """Somebody named the wrong folder."""
    ended = run("--config", str(CONFIG), "--data", str(tmp_path))

    assert (1, f"there are no stored check runs in {tmp_path}; check --data\n") == (ended.exit_code, ended.stderr)
