"""A short storm, and the proof that each law notices what it forbids."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.core.effects import Effect, PostAlert
from bot.core.model import Actor, Severity
from bot.core.record.fact import Body, Fact
from bot.core.record.flag_facts import Engaged
from bot.core.record.incident_facts import Declared, NoteAdded, UpdateWritten
from bot.ports import OutboxRow
from bot.sandbox.postgres import MISSING, programs
from tests.desk import RULE
from tests.house import FLAG, START
from tests.trust.laws import SERVED_WITHIN, ClockStep, Read, Witness, breaches
from tests.trust.storms import Plan, run, say_course

FAULTS = 6  # enough to see the rig work; `make trust` inflicts a thousand
ALERT = Effect("INC-1/alert", "alert/1", PostAlert(), 1, "incident/1", 1)


async def test_few_faults_break_no_law_over_sqlite(tmp_path: Path) -> None:
    """One process. `make trust` runs the thousand faults by hand."""
    assert {} == laws_broken(await run(Plan(FAULTS), 1, tmp_path))


@pytest.mark.skipif(programs() is None, reason=MISSING)
async def test_few_faults_break_no_law_with_three_replicas_over_postgresql(tmp_path: Path) -> None:
    """The database is restarted meanwhile."""
    assert {} == laws_broken(await run(Plan(3 * FAULTS, replicas=3, postgres=True), 1, tmp_path))


def laws_broken(found: dict[str, list[str]]) -> dict[str, list[str]]:
    return {law: sentences for law, sentences in found.items() if sentences}


def fact(stream: str, seq: int, body: Body, *, seconds: float = 0, incident: int | None = None, actor: Actor = RULE) -> Fact:
    return Fact(stream, seq, START + timedelta(seconds=seconds), actor, incident, body)


def declared(number: int = 1, *, seconds: float = 0) -> Fact:
    body = Declared(
        number=number, title="Claude is down", severity=Severity.SEV2, provider="anthropic", dedup="anthropic",
        components=("anthropic.api",), began_at=START, reason="3 of 3 failed", alerts_channel="#ops",
    )  # fmt: skip
    return fact(f"incident/{number}", 1, body, seconds=seconds, incident=number)


def row(effect: Effect, state: str, ts: str = "") -> OutboxRow:
    result = {"channel": "C1", "ts": ts} if ts else {}
    return OutboxRow(1, effect, state, 1, START, START, START, START, 0, result, "")


def witness() -> Witness:
    """All is well: the vendor failed, and there is one incident and one alert."""
    seen = Witness(FLAG, "claude")
    seen.failures.append((START - timedelta(seconds=1), "anthropic"))
    seen.posts[ALERT.key] = 1
    return seen


ENGAGED = Engaged(FLAG, "support-chat.llm#1", "gpt", "claude", "Claude is down", "auto", START + timedelta(hours=4))
FACTS, ROWS = [declared()], [row(ALERT, "done", "1.2")]
Breach = Callable[[Witness, list[Fact], list[OutboxRow]], object]

BREACHES: dict[str, Breach] = {
    "nothing acknowledged is lost": lambda seen, facts, rows: seen.acknowledged.append("text 1"),
    "nothing is posted twice, and what counts as posted is in Slack": lambda seen, facts, rows: (
        seen.posts.update([ALERT.key])
    ),
    "an incident has one channel": lambda seen, facts, rows: seen.channels.add("C0LOST"),
    "a flag reads as it was committed, and as nothing else": lambda seen, facts, rows: seen.reads.extend(
        Read(START, START + timedelta(seconds=1), variant) for variant in ("gpt", "claude")
    ),
    "no reader of a replica sees a flag go back": lambda seen, facts, rows: seen.reads.extend(
        Read(START, START + timedelta(seconds=1), "claude", "replica-1", revision) for revision in (2, 1)
    ),
    "in the end every replica serves what was committed": lambda seen, facts, rows: seen.reads.append(
        Read(START, START + timedelta(seconds=1), "claude", "replica-1", stale_since=START)
    ),
    "a provider has one open incident at a time": lambda seen, facts, rows: facts.append(declared(2, seconds=5)),
    "updates have no gaps": lambda seen, facts, rows: facts.append(
        fact("incident/1", 2, UpdateWritten(2, "words", 0), seconds=9, incident=1)
    ),
    "no incident is opened without a new failure": lambda seen, facts, rows: seen.failures.clear(),
    "no fact is changed or missing": lambda seen, facts, rows: facts.append(replace(facts[0], seq=3, body=NoteAdded("x"))),
    "every start succeeds": lambda seen, facts, rows: seen.failed_starts.append("start 7 ended by itself with 1"),
    "in the end nothing waits": lambda seen, facts, rows: rows.append(row(ALERT, "pending")),
}  # fmt: skip


def broken(seen: Witness, facts: Sequence[Fact], rows: Sequence[OutboxRow]) -> set[str]:
    return set(laws_broken(breaches(seen, facts, rows)))


def test_incident_dated_by_a_stepped_clock_is_compared_with_failures_at_its_true_time() -> None:
    """The rig steps clocks by two minutes, and over SQLite no other clock dates facts."""
    seen, late = witness(), declared(seconds=120)
    law = "no incident is opened without a new failure"

    assert law in broken(seen, [late], ROWS)
    seen.clock_steps.append(ClockStep(START - timedelta(seconds=1), START + timedelta(seconds=1), timedelta(seconds=120)))
    assert law not in broken(seen, [late], ROWS)
    seen.failures.clear()
    assert law in broken(seen, [late], ROWS)


def test_flag_switched_under_a_stepped_clock_may_be_read_from_its_true_time() -> None:
    """Its fact is dated two minutes ahead, but its value was served at once."""
    engaged = fact(f"flag/{FLAG}", 1, ENGAGED, seconds=120)
    seen = witness()
    seen.reads.append(Read(START + timedelta(seconds=1), START + timedelta(seconds=1), ENGAGED.variant))
    law = "a flag reads as it was committed, and as nothing else"

    assert law in broken(seen, [declared(), engaged], ROWS)
    seen.clock_steps.append(ClockStep(START - timedelta(seconds=1), START + timedelta(seconds=1), timedelta(seconds=120)))
    assert law not in broken(seen, [declared(), engaged], ROWS)


def test_old_value_may_be_read_until_its_successor_was_committed() -> None:
    """A restart of the database may delay a commit, whose fact keeps the time of the decision."""
    engaged, seen = fact(f"flag/{FLAG}", 1, ENGAGED), witness()
    late = START + SERVED_WITHIN + timedelta(seconds=1)
    seen.reads.append(Read(late, late, ENGAGED.previous))
    law = "a flag reads as it was committed, and as nothing else"

    assert law in broken(seen, [declared(), engaged], ROWS)
    seen.commits = {(engaged.stream, engaged.seq): late}
    assert law not in broken(seen, [declared(), engaged], ROWS)


def test_new_value_may_not_be_read_before_its_commit() -> None:
    """A reader that got it would have got something that a crash could still undo."""
    engaged, seen = fact(f"flag/{FLAG}", 1, ENGAGED), witness()
    seen.reads.append(Read(START + timedelta(seconds=1), START + timedelta(seconds=1), ENGAGED.variant))
    seen.commits = {(engaged.stream, engaged.seq): START + timedelta(seconds=2)}

    assert "a flag reads as it was committed, and as nothing else" in broken(seen, [declared(), engaged], ROWS)


def test_healthy_run_breaks_no_law() -> None:
    """Nobody keeps a rig that cries wolf."""
    assert set() == broken(witness(), FACTS, ROWS)


def test_every_law_has_a_breach_to_notice() -> None:
    """A new law comes with an example that breaks it."""
    assert set(BREACHES) == set(breaches(witness(), FACTS, ROWS))


@pytest.mark.parametrize("law", BREACHES)
def test_law_notices_its_breach(law: str) -> None:
    """And no other law is broken by it."""
    seen, facts, rows = witness(), list(FACTS), list(ROWS)
    BREACHES[law](seen, facts, rows)

    assert {law} == broken(seen, facts, rows)


def test_course_of_a_storm_is_printed_in_order_of_time(capsys: pytest.CaptureFixture[str]) -> None:
    """Faults, decisions and commits, and each change of what a replica served."""
    seen = witness()
    seen.reads = [Read(START, START, "claude", "replica-1", 0), Read(START, START, "claude", "replica-1", 0)]
    seen.reads.append(Read(START + timedelta(seconds=3), START, "cached", "replica-1", 1, START))
    cluster: Any = SimpleNamespace(diary=[f"{START + timedelta(seconds=2):%H:%M:%S.%f} replica-1 starts"])
    seen.commits = {(f"flag/{FLAG}", 1): START + timedelta(seconds=1.5)}
    say_course(cluster, seen, [fact(f"flag/{FLAG}", 1, ENGAGED, seconds=1)])

    printed = [line.partition(" ")[2] for line in capsys.readouterr().out.splitlines()]
    assert [
        "replica-1 serves claude, revision 0",
        "decided: flag.engaged 1",
        "committed: flag.engaged 1",
        "replica-1 starts",
        "replica-1 serves cached, revision 1, STALE",
    ] == printed
