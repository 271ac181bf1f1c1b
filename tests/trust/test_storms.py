"""The rig of kills in a short form, and the proof that its laws see what they forbid."""

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
from tests.trust.laws import Read, Step, Witness, broken
from tests.trust.storms import Plan, run, tell_the_course

TROUBLES = 6  # enough to see the rig work; `make trust` goes on for thousands
ALERT = Effect("INC-1/alert", "alert/1", PostAlert(), 1, "incident/1", 1)


async def test_a_few_troubles_break_no_law(tmp_path: Path) -> None:
    """Over SQLite; the thousand are run by hand: `make trust`."""
    assert {} == laws_of(await run(Plan(TROUBLES), 1, tmp_path))


@pytest.mark.skipif(programs() is None, reason=MISSING)
async def test_a_few_troubles_break_no_law_with_three_replicas(tmp_path: Path) -> None:
    """Over PostgreSQL, which is restarted meanwhile."""
    assert {} == laws_of(await run(Plan(3 * TROUBLES, replicas=3, postgres=True), 1, tmp_path))


def laws_of(found: dict[str, list[str]]) -> dict[str, list[str]]:
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
    """Nothing is wrong: the vendor failed, one incident, one alert."""
    seen = Witness(FLAG, "claude")
    seen.failures.append((START - timedelta(seconds=1), "anthropic"))
    seen.posts[ALERT.key] = 1
    return seen


ENGAGED = Engaged(FLAG, "support-chat.llm#1", "gpt", "claude", "Claude is down", "auto", START + timedelta(hours=4))
FACTS, ROWS = [declared()], [row(ALERT, "done", "1.2")]
Spoil = Callable[[Witness, list[Fact], list[OutboxRow]], object]

SPOILT: dict[str, Spoil] = {
    "nothing acknowledged is lost": lambda seen, facts, rows: seen.answered.append("word 1"),
    "nothing is posted twice, and what counts as posted stands in Slack": lambda seen, facts, rows: (
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
        Read(START, START + timedelta(seconds=1), "claude", "replica-1", as_of=START)
    ),
    "one incident of a provider is open at a time": lambda seen, facts, rows: facts.append(declared(2, seconds=5)),
    "updates have no gaps": lambda seen, facts, rows: facts.append(
        fact("incident/1", 2, UpdateWritten(2, "words", 0), seconds=9, incident=1)
    ),
    "no incident is entered without a new failure": lambda seen, facts, rows: seen.failures.clear(),
    "no fact is changed or missing": lambda seen, facts, rows: facts.append(replace(facts[0], seq=3, body=NoteAdded("x"))),
    "every start comes up": lambda seen, facts, rows: seen.ends.append("start 7 ended by itself with 1"),
    "in the end nothing waits": lambda seen, facts, rows: rows.append(row(ALERT, "pending")),
}  # fmt: skip


def laws_broken(seen: Witness, facts: Sequence[Fact], rows: Sequence[OutboxRow]) -> set[str]:
    return {law for law, sentences in broken(seen, facts, rows).items() if sentences}


def test_an_incident_that_a_clock_dated_wrongly_is_looked_for_at_its_true_moment() -> None:
    """The rig puts clocks two minutes off; over a file there is no other by which facts could be dated."""
    seen, late = witness(), declared(seconds=120)
    law = "no incident is entered without a new failure"

    assert law in laws_broken(seen, [late], ROWS)
    seen.steps.append(Step(START - timedelta(seconds=1), START + timedelta(seconds=1), timedelta(seconds=120)))
    assert law not in laws_broken(seen, [late], ROWS)
    seen.failures.clear()
    assert law in laws_broken(seen, [late], ROWS)


def test_a_flag_that_was_switched_by_a_clock_that_was_off_reads_as_committed_from_then_on() -> None:
    """Dated two minutes ahead, it was served at once all the same."""
    engaged = fact(f"flag/{FLAG}", 1, ENGAGED, seconds=120)
    seen = witness()
    seen.reads.append(Read(START + timedelta(seconds=1), START + timedelta(seconds=1), ENGAGED.variant))
    law = "a flag reads as it was committed, and as nothing else"

    assert law in laws_broken(seen, [declared(), engaged], ROWS)
    seen.steps.append(Step(START - timedelta(seconds=1), START + timedelta(seconds=1), timedelta(seconds=120)))
    assert law not in laws_broken(seen, [declared(), engaged], ROWS)


def test_no_law_is_broken_when_nothing_is_wrong() -> None:
    """A rig that cries wolf is switched off."""
    assert set() == laws_broken(witness(), FACTS, ROWS)


def test_every_law_is_spoilt_once() -> None:
    """A new law comes with what breaks it."""
    assert set(SPOILT) == set(broken(witness(), FACTS, ROWS))


@pytest.mark.parametrize("law", SPOILT)
def test_a_law_sees_what_it_forbids(law: str) -> None:
    """Otherwise it is theatre."""
    seen, facts, rows = witness(), list(FACTS), list(ROWS)
    SPOILT[law](seen, facts, rows)

    assert {law} == laws_broken(seen, facts, rows)


def test_a_broken_storm_tells_its_course_in_order_of_time(capsys: pytest.CaptureFixture[str]) -> None:
    """Troubles, decisions, and what each replica served from when on."""
    seen = witness()
    seen.reads = [Read(START, START, "claude", "replica-1", 0), Read(START, START, "claude", "replica-1", 0)]
    seen.reads.append(Read(START + timedelta(seconds=3), START, "cached", "replica-1", 1, START))
    cluster: Any = SimpleNamespace(diary=[f"{START + timedelta(seconds=2):%H:%M:%S.%f} replica-1 starts"])
    tell_the_course(cluster, seen, [fact(f"flag/{FLAG}", 1, ENGAGED, seconds=1)])

    said = [line.partition(" ")[2] for line in capsys.readouterr().out.splitlines()]
    assert [
        "replica-1 serves claude, revision 0",
        "decided: flag.engaged 1",
        "replica-1 starts",
        "replica-1 serves cached, revision 1, STALE",
    ] == said
