"""The register of readers: the memory cost of a name, the order of forgetting, and the budget."""

import sys
from datetime import UTC, datetime, timedelta

from bot.core.model import Actor
from bot.core.policy import FlagPolicy, IncidentPolicy, Policy
from bot.core.record.fact import Fact
from bot.core.record.flag_facts import Engaged, HandBackStepped
from bot.core.record.streams import evolve
from bot.core.record.world import World
from bot.flags.board import FlagBoard
from bot.flags.evaluate import Evaluation, evaluate, snapshot
from bot.flags.readers import ENTRY_BYTES, Readers
from bot.system.clock import ManualClock

START = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
COST = ENTRY_BYTES + sys.getsizeof("reader-00")


def register(most_bytes: int = 1_000_000) -> Readers:
    return Readers(ManualClock(START), most_bytes)


def fill(readers: Readers, count: int, flag: str = "chat", end: str = "") -> int:
    """Register this many readers one after the other and return how many are remembered."""
    for number in range(count):
        readers.note(flag, f"reader-{number:02}{end}")
    return readers.count(flag)


def test_register_uses_its_whole_budget() -> None:
    """As many readers are kept as fit."""
    assert 10 == fill(register(10 * COST), 10)


def test_full_register_forgets_several_readers_at_once() -> None:
    """Finding the oldest takes time, so a little more is forgotten than is needed."""
    assert 9 == fill(register(10 * COST), 11)


def test_repeated_reads_cost_no_memory() -> None:
    """Ten readers with a thousand reads are still ten readers."""
    readers = register(10 * COST)
    for _ in range(100):
        fill(readers, 10)

    assert 10 == readers.count("chat")


def test_long_names_use_more_of_the_budget() -> None:
    """Fewer of them fit."""
    assert fill(register(20 * COST), 40, end="x" * 90) < fill(register(20 * COST), 40)


def test_removed_flag_frees_its_part_of_the_budget() -> None:
    """The readers of the remaining flags have the whole budget again."""
    readers = register(20 * COST)
    fill(readers, 14, "gone", end="x" * 90)
    readers.keep_only({"chat"})

    assert 20 == fill(readers, 20)


def test_name_with_a_lone_surrogate_is_counted() -> None:
    """JSON may contain half a character; the read must succeed, and two such names stay distinct."""
    readers = register()
    for end in "ab":
        readers.note("chat", "\ud800" * 200 + end)

    assert 2 == readers.count("chat")


def test_names_that_differ_in_accents_stay_distinct() -> None:
    """Zoë is not Chloé."""
    readers = register()
    for name in ("Zoë", "Chloé", "Zoë"):
        readers.note("chat", name)

    assert 2 == readers.count("chat")


# --- on the board


FLAG = FlagPolicy(key="chat", variants={"claude": "a", "gpt": "b"}, default="claude")
POLICY = Policy({}, {FLAG.key: FLAG}, IncidentPolicy({}))


def half_handed_back() -> World:
    world = World()
    engaged = Engaged("chat", "chat#1", "gpt", "claude", "down", "auto", START + timedelta(hours=4))
    for seq, body in enumerate((engaged, HandBackStepped("chat", 50, "well again", "gpt")), start=1):
        world = evolve(world, Fact("flag/chat", seq, START, Actor.rule("test"), None, body))
    return world


def test_anonymous_reader_is_not_counted() -> None:
    """Nobody knows whether it is one reader or many."""
    board = FlagBoard(ManualClock(START))
    board.swap(snapshot(World(), POLICY, 1))
    board.evaluate("chat", {})

    assert 0 == board.readers("chat")


def test_board_answers_each_reader_by_its_own_key() -> None:
    """During a hand-back one half gets the default, as in the snapshot, and no reader changes sides."""
    picture = snapshot(half_handed_back(), POLICY, 1)
    board = FlagBoard(ManualClock(START))
    board.swap(picture)
    contexts = [{"targetingKey": f"user-{number}"} for number in range(20)]
    answers = [board.evaluate("chat", context) for context in contexts]

    assert [evaluate(picture, "chat", context) for context in contexts] == answers
    assert {"claude", "gpt"} == {one.variant for one in answers if isinstance(one, Evaluation)}
