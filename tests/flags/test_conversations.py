"""A hand-back that keeps running conversations in place: none moves twice, and none moves back to the fallback."""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_client.flags import began_ms as began_by_the_kit
from understudy_client.flags import parse

from bot.core import signals as s
from bot.core.codec import decode, encode
from bot.core.model import Level
from bot.core.record.flag import FlagState
from bot.core.record.flag_facts import HandBackStepped, Released
from bot.core.record.kinds import decode_body, encode_body
from bot.core.record.streams import evolve
from bot.core.record.world import World
from bot.flags.board import FlagBoard
from bot.flags.conversation import began_ms
from bot.flags.evaluate import NotFound, revision_of, snapshot
from bot.flags.readers import Conversations
from bot.flags.serving import Serving
from tests.core.flags.steered import API, FLAG, bodies, calm
from tests.desk import ANA, Table, policy

AT = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
MS = 1_774_008_000_000  # the same
NEW: dict[str, Any] = {"stays_for": timedelta(minutes=30), "steps": (10, 25, 50, 100), "sticky_by": "conversation"}


class TableClock:
    """The time of the table, as the board reads it."""

    speed = 1.0

    def __init__(self, table: Table) -> None:
        self._table = table

    def now(self) -> datetime:
        return self._table.now

    def monotonic(self) -> float:
        return self._table.now.timestamp()


def a_board(table: Table) -> FlagBoard:
    return FlagBoard(TableClock(table), most_conversations=1_000)


def shown(board: FlagBoard, table: Table) -> FlagBoard:
    board.swap(snapshot(table.world, table.policy, revision_of(table.world)))
    return board


# --- the law

KEYS, LOOKS = 20_000, 30


class Conversation:
    """A targeting key with its start and end, and whether its service sends the start."""

    def __init__(self, dice: random.Random, number: int, start: datetime) -> None:
        self.begins = start + timedelta(seconds=dice.uniform(-3600, 4800))
        self.ends = self.begins + timedelta(minutes=dice.expovariate(1 / 30))
        said = dice.choice([self.begins.isoformat(), self.begins.timestamp(), None, "yesterday"])
        self.context = {"conversation": f"c-{number}", "conversation_started_at": said}
        self.sides: list[str] = []


def restarted(table: Table) -> FlagBoard:
    """The bot rebuilt from its ledger; its memory of conversations is gone."""
    world = World()
    for fact in table.facts:
        body = decode_body(fact.body.KIND, fact.body.VERSION, json.loads(json.dumps(encode_body(fact.body))))
        world = evolve(world, replace(fact, body=body))
    assert world.flag(FLAG) == table.world.flag(FLAG) == decode(FlagState, encode(table.world.flag(FLAG)))
    return a_board(table)


@pytest.mark.parametrize("seed", [1, 2])
def test_twenty_thousand_conversations_move_at_most_once(seed: int) -> None:
    """With random starts and ends, restarts, reloads and a memory that is too small."""
    dice, table = random.Random(seed), calm(**NEW)
    table.sees(API, Level.DOWN)
    table.passes(15)
    table.sees(API, Level.OPERATIONAL)
    everybody = [Conversation(dice, number, table.now) for number in range(KEYS)]
    board, reloads = a_board(table), ({"stays_for": None}, {"stays_for": timedelta(minutes=5)}, {"sticky_by": "customer"}, {})
    for look in range(LOOKS):
        if look == 2:
            table.send(s.StepBack(ANA, flag=FLAG))
        if look % 7 == 5:
            board = restarted(table)
        if look % 11 == 9:
            table.policy = policy(**NEW | dice.choice(reloads))
        table.passes(dice.choice([1, 2, 4]))
        shown(board, table)
        for one in everybody:
            if one.begins <= table.now <= one.ends and dice.random() < 0.5:
                one.sides.append(variant(board, one.context))

    assert sum("claude" in one.sides for one in everybody) > 100
    assert [] == [one.sides for one in everybody if is_wrong_way(one.sides)]


def variant(board: FlagBoard, context: Mapping[str, Any]) -> str:
    found = board.evaluate(FLAG, context)
    assert not isinstance(found, NotFound)
    return found.variant


def is_wrong_way(sides: list[str]) -> bool:
    """Back on the fallback after the default."""
    return "claude" in sides and "gpt" in sides[sides.index("claude") :]


# --- in the bot's own answers


def half_way(minutes: float = 1) -> Table:
    """Nearly all conversations that are new went back so long ago."""
    table = calm(**NEW | {"steps": (99, 100), "hold": timedelta(hours=3)})
    table.sees(API, Level.DOWN)
    table.passes(15)
    table.sees(API, Level.OPERATIONAL)
    table.send(s.StepBack(ANA, flag=FLAG))
    table.passes(minutes)
    return table


def fifty(**said: Any) -> Iterator[dict[str, Any]]:
    yield from ({"conversation": f"c-{number}", **said} for number in range(50))


def test_conversation_seen_before_the_step_stays() -> None:
    """For services that do not send when it began."""
    table = calm(**NEW | {"steps": (99, 100)})
    table.sees(API, Level.DOWN)
    table.passes(15)
    table.sees(API, Level.OPERATIONAL)
    board = shown(a_board(table), table)
    before = {variant(board, one) for one in fifty()}
    table.passes(1)
    table.send(s.StepBack(ANA, flag=FLAG))
    shown(board, table)
    assert ({"gpt"}, {"gpt"}) == (before, {variant(board, one) for one in fifty()})
    assert "claude" in {variant(board, {"conversation": f"new-{number}"}) for number in range(50)}


def test_bulk_evaluation_remembers_conversations_too() -> None:
    """Single and bulk evaluation share one memory."""
    table = calm(**NEW | {"steps": (99, 100)})
    table.sees(API, Level.DOWN)
    table.passes(15)
    table.sees(API, Level.OPERATIONAL)
    board = shown(a_board(table), table)
    for one in fifty():
        board.all(one)
    table.passes(1)
    table.send(s.StepBack(ANA, flag=FLAG))
    shown(board, table)
    assert {"gpt"} == {found.variant for one in fifty() for found in board.all(one).found if found.key == FLAG}


def test_new_conversation_gets_the_default_in_every_evaluation() -> None:
    """In single and in bulk evaluation."""
    table = half_way()
    board = shown(a_board(table), table)
    found = [{found.variant for found in board.all(one).found if found.key == FLAG} for one in fifty()]
    assert [{variant(board, one)} for one in fifty()] == found
    assert {"claude"} in found


def test_copy_is_stale_after_conversations_moved() -> None:
    """A client that keeps a copy has to ask again, as at each step."""
    table = half_way(minutes=28)
    board = shown(a_board(table), table)
    board.all({}, "web-1")
    before = [reader.current for reader in board.readers_of(FLAG)]
    table.passes(2)
    shown(board, table)
    assert ([True], [False], []) == (
        before,
        [one.current for one in board.readers_of(FLAG)],
        bodies(table, HandBackStepped)[1:],
    )


def test_forgotten_conversation_counts_as_new() -> None:
    """After a restart it may go to the default early, and it never moves back."""
    table = half_way()
    sides = [{variant(board, one) for one in fifty()} for board in (shown(a_board(table), table) for _ in range(2))]
    assert sides[0] == sides[1] == {"claude", "gpt"} or sides[0] == sides[1] == {"claude"}


def test_clock_set_back_moves_no_conversation_back() -> None:
    """A conversation seen for the first time began after the last step, whatever the clock says."""
    table = half_way()
    board = shown(a_board(table), table)
    before = [variant(board, one) for one in fifty()]
    table.now -= timedelta(hours=2)
    again = shown(a_board(table), table)
    assert before == [variant(again, one) for one in fifty()]


def test_start_sent_by_the_service_wins_over_the_first_read() -> None:
    """The service knows when it began, even after a restart of the bot."""
    table = half_way()
    board = shown(a_board(table), table)
    old = (table.now - timedelta(hours=1)).isoformat()
    assert {"gpt"} == {variant(board, one) for one in fifty(conversation_started_at=old)}


def test_answers_are_shared_until_a_hand_back_starts() -> None:
    """The cached bytes are used until then; only a hand-back looks at conversations."""
    table = calm(**NEW)
    table.sees(API, Level.DOWN)
    serving = Serving(snapshot(table.world, table.policy, 1))
    assert serving.one(FLAG, {"conversation": "a"}) is serving.one(FLAG, {"conversation": "b"})


def test_memory_of_conversations_is_bounded() -> None:
    """Made-up keys must not exhaust the memory; the longest silent ones are forgotten."""
    table = half_way()
    kept = Conversations(TableClock(table), most=100)
    for number in range(1_000_000 // 50):
        kept.heard(FLAG, f"c-{number}", 0)
    first = kept.heard(FLAG, "c-19999", 0)
    table.now += timedelta(minutes=1)
    assert [100, first, True] == [len(kept), kept.heard(FLAG, "c-19999", 0), kept.heard(FLAG, "c-1", 0) > first]


def test_memory_is_released_when_no_flag_needs_it() -> None:
    """After the outage."""
    table = half_way()
    board = shown(a_board(table), table)
    for one in fifty():
        variant(board, one)
    table.send(s.ReleaseFlag(ANA, flag=FLAG))
    assert (50, 1, 0) == (board.conversations, len(bodies(table, Released)), shown(board, table).conversations)


# --- when a conversation began, from outside

GOOD = [
    ("2026-03-20T12:00:00Z", MS), ("2026-03-20t12:00:00z", MS), ("2026-03-20 14:00:00+02:00", MS),
    ("2026-03-20T12:00:00.1239Z", MS + 123), ("2026-03-20T12:00:00.5-00:00", MS + 500),
    ("2026-03-20T17:30:00+05:30", MS), ("2026-03-20T02:30:00-09:30", MS), ("2026-03-21T11:59:00+23:59", MS),
    ("2024-02-29T00:00:00Z", 1_709_164_800_000), (MS // 1000, MS), (MS / 1000 + 0.25, MS + 250), (0, 0),
]  # fmt: skip
BAD = [
    None, True, False, "", "yesterday", "2026-03-20", "2026-03-20T12:00:00", "2026-03-20T12:00Z", "2026-02-30T12:00:00Z",
    "2026-13-01T12:00:00Z", "2026-03-20T24:00:00Z", "2026-03-20T12:60:00Z", "2026-03-20T12:00:60Z", "0000-01-01T00:00:00Z",
    "0050-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-03-20T12:00:00+24:00", "2026-03-20T12:00:00+01:60",
    "2026-03-20T12:00:00Z\n", " 2026-03-20T12:00:00Z", "\u0662026-03-20T12:00:00Z", "2026-03-20T12:00:00.Z",
    "9999-12-31T23:59:59-23:59", MS, -1, float("nan"), float("inf"), 10**400, [MS], {"at": MS}, str(MS // 1000), "9" * 60_000,
]  # fmt: skip


@pytest.mark.parametrize(("said", "ms"), GOOD)
def test_conversation_start_is_parsed(said: Any, ms: int) -> None:
    """In RFC 3339, or in seconds since 1970."""
    context = {"conversation_started_at": said}
    assert (ms, ms) == (began_ms(context), began_by_the_kit(context))


@pytest.mark.parametrize("said", BAD)
def test_invalid_conversation_start_is_ignored(said: Any) -> None:
    """Milliseconds instead of seconds are invalid too: they would all be in the future."""
    context = {"conversation_started_at": said}
    assert (None, None) == (began_ms(context), began_by_the_kit(context))


def test_kit_accepts_datetimes_with_a_zone() -> None:
    """Without a zone the hour is ambiguous."""
    assert [MS, None] == [began_by_the_kit({"conversation_started_at": at}) for at in (AT, AT.replace(tzinfo=None))]


SAID = st.none() | st.sampled_from([said for said, _ in GOOD]) | st.sampled_from(BAD) | st.datetimes().map(lambda at: f"{at}Z")


@given(st.integers(0, 400), SAID, st.integers(-7200, 7200), st.booleans())
def test_kit_and_bot_agree_on_every_conversation(number: int, said: Any, seconds: int, near: bool) -> None:
    """At two ramp steps and at one set by a person."""
    table = STORY
    began = (table.now + timedelta(seconds=seconds)).isoformat() if near else said
    context = {"conversation": f"c-{number}", "conversation_started_at": began}
    serving = Serving(snapshot(table.world, table.policy, 1))
    mine = serving.one(FLAG, context)
    assert not isinstance(mine, NotFound)
    kit = parse(serving.rules().body.decode()).by_key[FLAG].answer("", context)
    assert mine.found[0].variant == kit.variant


def _story() -> Table:
    table = calm(**NEW | {"steps": (25, 50, 100), "hold": timedelta(minutes=5)})
    table.sees(API, Level.DOWN)
    table.passes(15)
    table.sees(API, Level.OPERATIONAL)
    table.send(s.StepBack(ANA, flag=FLAG))
    for minutes in (3, 3):
        table.passes(minutes)
    table.send(s.RampFlag(ANA, flag=FLAG, share=60))
    return table


STORY = _story()
