"""The board: it serves the newest snapshot and keeps the register of readers."""

import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.model import Actor
from bot.core.policy import FlagPolicy, IncidentPolicy, Policy
from bot.core.record.fact import Fact
from bot.core.record.flag_facts import Engaged, Held
from bot.core.record.streams import evolve
from bot.core.record.world import World
from bot.flags.audience import audience
from bot.flags.board import FlagBoard, NotReady
from bot.flags.evaluate import NotFound, Snapshot, snapshot
from bot.flags.readers import ENTRY_BYTES, MOST_COPIES, MOST_READERS, READER_FOR_S, Readers
from bot.system.clock import ManualClock

START = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
FLAG = FlagPolicy(key="chat", variants={"a": 1, "b": 2}, default="a")


def picture(*flags: FlagPolicy) -> Snapshot:
    return snapshot(World(), Policy({}, {flag.key: flag for flag in flags}, IncidentPolicy({})), 1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def board(clock: ManualClock) -> FlagBoard:
    made = FlagBoard(clock)
    made.swap(picture(FLAG))
    return made


def test_board_refuses_reads_before_the_first_snapshot(clock: ManualClock) -> None:
    """Before the state is restored, an answer could send traffic to the broken default."""
    empty = FlagBoard(clock)
    assert not empty.ready
    with pytest.raises(NotReady):
        empty.evaluate("chat", {})


def test_each_reader_is_counted_once(board: FlagBoard) -> None:
    """A client that reads often is one reader; another targeting key is another reader."""
    for name in ("svc-a", "svc-a", "svc-b"):
        board.evaluate("chat", {"targetingKey": name}, client="10.0.0.1 python")
    board.evaluate("chat", {}, client="10.0.0.1 python")
    assert 3 == board.readers("chat")


def test_silent_reader_is_forgotten(board: FlagBoard, clock: ManualClock) -> None:
    """After fifteen minutes without a read it no longer counts."""
    board.evaluate("chat", {"targetingKey": "gone"})
    board.evaluate("chat", {"targetingKey": "here"})
    clock.advance(timedelta(minutes=10))
    board.evaluate("chat", {"targetingKey": "here"})
    clock.advance(timedelta(minutes=6))
    assert 1 == board.readers("chat")


def test_reader_is_not_forgotten_when_the_wall_clock_steps(board: FlagBoard, clock: ManualClock) -> None:
    """A corrected clock is not a silent reader."""
    board.evaluate("chat", {"targetingKey": "here"})
    clock.step_wall(timedelta(days=1))
    assert 1 == board.readers("chat")


def test_unknown_flag_leaves_no_trace(board: FlagBoard) -> None:
    """Requests for made-up keys must not fill the memory."""
    assert isinstance(board.evaluate("nope", {"targetingKey": "x"}), NotFound)
    assert 0 == board.readers("nope")


def test_readers_are_bounded(board: FlagBoard, clock: ManualClock) -> None:
    """User ids as targeting keys may be millions; the newest ten thousand are kept."""
    for number in range(5):
        board.evaluate("chat", {"targetingKey": f"early-{number}"})
    clock.advance(timedelta(minutes=10))
    for number in range(MOST_READERS):
        board.evaluate("chat", {"targetingKey": f"user-{number}"})
    assert MOST_READERS == board.readers("chat")
    clock.advance(timedelta(minutes=6))  # the early ones would be forgotten by now
    assert MOST_READERS == board.readers("chat")


def test_long_reader_names_are_shortened_but_stay_distinct(clock: ManualClock) -> None:
    """A name of 60,000 letters takes no more memory than any other."""
    readers = Readers(clock, most_bytes=2_000)
    for end in "ab":
        readers.note("chat", "x" * 60_000 + end)

    assert 2 == readers.count("chat")


MOST_MB = 20


@pytest.mark.parametrize("end", ["", "x" * 500, "\U0001f600" * 500, "é" * 60], ids=["short", "long", "emoji", "accents"])
def test_readers_of_all_flags_share_one_memory_limit(clock: ManualClock, end: str) -> None:
    """A client may invent keys for each of two hundred flags; the latest readers are kept."""
    flags = [FlagPolicy(key=f"flag-{n}", variants={"a": 1}, default="a") for n in range(200)]
    board = FlagBoard(clock)
    board.swap(picture(*flags))
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(400):
        context = {"targetingKey": f"user-{number:05}-{end}"}
        for flag in flags:
            board.evaluate(flag.key, context)
        clock.advance(timedelta(seconds=1))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (most - before) / 1e6 < MOST_MB
    assert 20 < board.readers("flag-199") < 400
    clock.advance(timedelta(seconds=READER_FOR_S - 3))
    assert 3 == board.readers("flag-199")


def test_longest_silent_reader_of_any_flag_is_forgotten_first(clock: ManualClock) -> None:
    """A service that keeps reading is not displaced by a flood of made-up names."""
    readers = Readers(clock, most_bytes=20_000)
    readers.note("quiet", "gone")
    for number in range(500):
        clock.advance(timedelta(milliseconds=10))
        readers.note("steady", "service")
        readers.note("flooded", f"user-{number}")
    assert 0 == readers.count("quiet")
    assert 1 == readers.count("steady")
    assert 20 < readers.count("flooded") < 20_000 / ENTRY_BYTES
    readers.keep_only(("steady",))
    for number in range(40):  # what went gave its room back
        readers.note("steady", f"user-{number}")
    assert 41 == readers.count("steady")


def test_readers_are_forgotten_with_their_flag(board: FlagBoard) -> None:
    """A flag that left the snapshot has no readers; those of other flags remain."""
    board.evaluate("chat", {"targetingKey": "svc"})
    other = FlagPolicy(key="other", variants={"a": 1}, default="a")
    board.swap(picture(FLAG, other))
    assert 1 == board.readers("chat")
    board.swap(picture(other))
    assert 0 == board.readers("chat")


def test_reader_that_reads_again_moves_to_the_back_of_the_queue(clock: ManualClock) -> None:
    """Services that read every minute stay registered while made-up names come and go."""
    readers = Readers(clock, most_bytes=8 * (ENTRY_BYTES + 60))  # there is room for eight
    for name in ("service", *"abcde", "service", *"vwxyz"):
        clock.advance(timedelta(seconds=1))
        readers.note("chat", name)

    clock.advance(timedelta(seconds=READER_FOR_S - 5))  # since the service read, five others did
    assert 6 == readers.count("chat")


# --- who has the last switch


def switched(revision: int) -> Snapshot:
    """The flag on its fallback."""
    engaged = Engaged("chat", f"chat#{revision}", "b", "a", "down", "auto", START + timedelta(hours=4))
    world = evolve(World(), Fact("flag/chat", 1, START, Actor.rule("test"), None, engaged))
    return snapshot(world, Policy({}, {FLAG.key: FLAG}, IncidentPolicy({})), revision)


def test_copy_is_stale_until_it_is_read_again(board: FlagBoard, clock: ManualClock) -> None:
    """A client with a copy has the switch once it asked again; the client that has not is named first."""
    for name in ("web-1", "web-2"):
        board.all({"targetingKey": name})
    board.swap(switched(2))
    clock.advance(timedelta(seconds=2))
    board.all({"targetingKey": "web-1"})

    assert [("web-2", False), ("web-1", True)] == [(one.name, one.current) for one in board.readers_of("chat")]


def test_reader_without_a_copy_is_never_stale(board: FlagBoard) -> None:
    """It gets the current value on every read."""
    board.evaluate("chat", {"targetingKey": "customer"})
    board.swap(switched(2))

    assert [(False, True)] == [(one.copy, one.current) for one in board.readers_of("chat")]


def test_fact_without_a_switch_makes_no_copy_stale(board: FlagBoard) -> None:
    """A rule that held still, for example, is a fact about the flag but no switch."""
    board.rules("web-1")
    held = evolve(World(), Fact("flag/chat", 1, START, Actor.rule("test"), None, Held("chat", "gpt is down")))
    board.swap(snapshot(held, Policy({}, {FLAG.key: FLAG}, IncidentPolicy({})), 2))

    assert [True] == [one.current for one in board.readers_of("chat")]


def test_copy_of_a_silent_client_is_forgotten(board: FlagBoard, clock: ManualClock) -> None:
    """After fifteen minutes the bot no longer waits for it."""
    board.rules("web-1")
    clock.advance(timedelta(seconds=READER_FOR_S + 1))

    assert ((), 0) == (board.readers_of("chat"), board.readers("chat"))


def test_copies_are_bounded(board: FlagBoard) -> None:
    """Browsers keep copies too, each under its own name; the latest are kept."""
    for number in range(MOST_COPIES + 10):
        board.all({"targetingKey": f"user-{number}"})

    assert MOST_COPIES == board.readers("chat")
    assert "user-9" not in {one.name for one in board.readers_of("chat")}


def test_copy_contains_only_the_flags_of_its_token(board: FlagBoard) -> None:
    """Its client is no reader of another team's flag."""
    board.rules("web-1", audience("token", ["mail"], "mail"))

    assert ((), 0) == (board.readers_of("chat"), board.readers("chat"))


def test_readers_with_different_tokens_are_distinct(board: FlagBoard) -> None:
    """A host and a process id alone say little."""
    opened = audience("token", ["ch*"], "checkout")
    board.rules("web-1", opened)
    board.one("chat", {"targetingKey": "customer"}, audience=opened)

    assert {"checkout: web-1", "checkout: customer"} == {one.name for one in board.readers_of("chat")}
