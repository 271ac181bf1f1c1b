"""Audit marks: a start folds only the facts after them, and still notices edits before them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.model import Fault, Level
from bot.core.record.component_facts import VerdictChanged
from bot.core.record.fact import Fact
from bot.core.record.streams import evolve
from bot.core.record.world import World
from bot.engine.engine import CommittingEngine
from bot.engine.world_reading import changed_states
from bot.ledger_care.audit import DailyAudit, load_checked
from bot.ports import Commit, NewFact, StoreError
from bot.store.marks import PREFIX, WORTH, made, rules
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock
from tests.desk import RULE, policy
from tests.ledger_facts import NOON

STREAM = "component/anthropic.api"
LONG = WORTH + 100


def _turn(number: int) -> tuple[Level, Level]:
    return (Level.DOWN, Level.OPERATIONAL) if number % 2 else (Level.OPERATIONAL, Level.DOWN)


class History:
    """A component that went up and down for years."""

    def __init__(self) -> None:
        self.ledger = InlineLedger.open()
        self.world = World()

    def goes_on(self, facts: int) -> None:
        before, seq = self.world, self.world.seqs.get(STREAM, 0)
        bodies = [
            VerdictChanged("anthropic.api", *_turn(n), f"run {n}", Fault.THEIRS, (), NOON)
            for n in range(seq + 1, seq + facts + 1)
        ]
        for number, body in enumerate(bodies, seq + 1):
            self.world = evolve(self.world, Fact(STREAM, number, NOON, RULE, None, body))
        new = tuple(NewFact(STREAM, number, RULE, None, body) for number, body in enumerate(bodies, seq + 1))
        self.ledger.store.commit(Commit((), NOON, new, changed_states(before, self.world), ()))

    async def started(self) -> World:
        return await load_checked(CommittingEngine(self.ledger, ManualClock(NOON), policy()), self.ledger)

    async def refused(self) -> str:
        with pytest.raises(StoreError) as found:
            await self.started()
        return str(found.value)

    def edit(self, sql: str) -> None:
        self.ledger.conn.execute("DROP TRIGGER IF EXISTS facts_stay")
        self.ledger.conn.execute("DROP TRIGGER IF EXISTS facts_last")
        assert self.ledger.conn.execute(sql).rowcount > 0

    @property
    def marked_at(self) -> int:
        """Up to which fact the next start only compares; 0 where it would read everything."""
        text = self.ledger.store.setting(PREFIX + STREAM)
        return int(json.loads(text)["seq"]) if text else 0

    @property
    def read_whole(self) -> bool:
        """Whether a start would fold every fact: only then a new mark is worth keeping."""
        return self.ledger.store.audit(STREAM, from_mark=True).mark is not None


@pytest.fixture
async def history() -> AsyncIterator[History]:
    """A ledger in which a start marked the first facts, with a few later ones."""
    new = History()
    new.goes_on(LONG)
    await new.started()
    new.goes_on(3)
    yield new
    await new.ledger.close()


async def test_start_marks_a_long_stream(history: History) -> None:
    """The next start is faster."""
    assert (LONG, False) == (history.marked_at, history.read_whole)


async def test_short_stream_gets_no_mark() -> None:
    """Reading it takes no time."""
    new = History()
    new.goes_on(WORTH - 1)
    await new.started()

    assert 0 == new.marked_at


async def test_start_moves_a_mark_that_is_far_behind(history: History) -> None:
    """A growing ledger is not read from an old mark for ever."""
    history.goes_on(WORTH)
    await history.started()

    assert LONG + 3 + WORTH == history.marked_at


async def test_daily_audit_marks_what_it_read(history: History) -> None:
    """A bot that ran for months restarts as fast as one started yesterday."""
    await DailyAudit(history.ledger, lambda title, text: None).look()

    assert LONG + 3 == history.marked_at


async def test_start_from_a_mark_gives_the_same_world(history: History) -> None:
    """As if every fact had been read."""
    from_mark = await history.started()
    history.ledger.store.forget_marks()

    assert from_mark == await history.started()


async def test_edited_state_is_rebuilt_from_the_mark(history: History) -> None:
    """From the marked state and the facts after it."""
    right = await history.started()
    history.edit("UPDATE states SET body = json_set(body, '$.reason', 'made up')")

    assert right == await history.started()


@pytest.mark.parametrize(
    ("sql", "wrong"),
    [
        ("UPDATE facts SET body = replace(body, 'run 7', 'run 8') WHERE seq = 7", 7),
        ("UPDATE facts SET at = '2020-01-01T00:00:00.000000+00:00' WHERE seq = 1", 1),
        ("UPDATE facts SET actor = actor || ' ' WHERE seq = 2", 2),
        ("UPDATE facts SET incident = 7 WHERE seq = 9", 9),
        ("UPDATE facts SET version = 2 WHERE seq = 9", 9),
        ("UPDATE facts SET kind = 'component.muted' WHERE seq = 9", 9),
        ("UPDATE facts SET hash = 'abc' WHERE seq = 20", 20),
        ("UPDATE facts SET prev_hash = 'abc' WHERE seq = 21", 21),
        (f"UPDATE facts SET body = '{{}}' WHERE seq = {LONG}", LONG),  # noqa: S608 # a constant
        ("DELETE FROM facts WHERE seq = 30", 30),
        (f"DELETE FROM facts WHERE seq = {LONG}", LONG),  # noqa: S608 # a constant
        ("UPDATE facts SET body = '{}' WHERE seq = (SELECT max(seq) FROM facts)", LONG + 3),
        ("UPDATE facts SET prev_hash = 'abc' WHERE seq = (SELECT max(seq) FROM facts) - 2", LONG + 1),
    ],
)
async def test_edited_fact_is_named_before_or_after_the_mark(sql: str, wrong: int, history: History) -> None:
    """The mark saves time and hides nothing: facts before it must be those that were audited."""
    history.edit(sql)

    assert f"the facts of {STREAM} do not hold from number {wrong} on" in await history.refused()


async def test_invalid_text_before_a_mark_is_refused(history: History) -> None:
    """A disk that flips bits does not produce valid text."""
    history.edit("UPDATE facts SET body = CAST(x'7bff' AS TEXT) WHERE seq = 7")

    assert f"the facts of {STREAM} do not hold: one is no longer text" in await history.refused()


async def test_facts_deleted_after_the_mark_are_missed(history: History) -> None:
    """With the state they led to; what remains equals the mark."""
    history.edit(f"DELETE FROM facts WHERE seq > {LONG}")  # noqa: S608 # a constant
    history.edit("DELETE FROM states")

    assert "3 of its facts were deleted" in await history.refused()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE settings SET value = json_set(value, '$.state.reason', 'made up')",
        "UPDATE settings SET value = json_set(value, '$.seq', 20)",
        "UPDATE settings SET value = json_set(value, '$.seq', 'twenty')",
        "UPDATE settings SET value = json_set(value, '$.seq', 1000000000000)",
        "UPDATE settings SET value = json_set(value, '$.seq', -1)",
        "UPDATE settings SET value = CAST(x'7bff' AS TEXT)",
        "UPDATE settings SET value = json_set(value, '$.digest', '')",
        "UPDATE settings SET value = json_remove(value, '$.state')",
        "UPDATE settings SET value = '{'",
        "UPDATE settings SET value = '[]'",
    ],
)
async def test_edited_mark_is_ignored(sql: str, history: History) -> None:
    """The whole stream is read instead."""
    right = await history.started()
    history.edit(f"{sql} WHERE name GLOB '{PREFIX}*'")
    untrusted = history.read_whole

    assert (True, right) == (untrusted, await history.started())


async def test_finding_of_the_daily_audit_stops_the_next_start(history: History) -> None:
    """Even if the mark was recomputed for the edited facts."""
    history.edit("UPDATE facts SET body = replace(body, 'run 7', 'run 8') WHERE seq = 7")
    state = history.world.component("anthropic.api")
    history.ledger.store.keep_marks([made(history.ledger.conn, STREAM, LONG + 3, state)])
    fooled = not history.read_whole
    await DailyAudit(history.ledger, lambda title, text: None).look()

    assert (True, 0) == (fooled, history.marked_at)
    assert "do not hold from number 7 on" in await history.refused()


def test_marks_of_another_version_are_ignored(tmp_path: Path) -> None:
    """One changed line of a fold is enough: that version reads everything once."""
    (tmp_path / "folds.py").write_text("level = 1\n")
    before = rules(tmp_path)
    rules.cache_clear()
    (tmp_path / "folds.py").write_text("level = 2\n")

    assert before != rules(tmp_path)
