"""The board: newest snapshot for everybody, and who reads what."""

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


def test_board_refuses_when_no_snapshot_was_put_on_it(clock: ManualClock) -> None:
    """Before the state is restored a wrong answer would send traffic to the broken default: there is none."""
    empty = FlagBoard(clock)
    assert not empty.ready
    with pytest.raises(NotReady):
        empty.evaluate("chat", {})


def test_readers_are_counted_once_each(board: FlagBoard) -> None:
    """One client that reads often is one reader; another targeting key is another."""
    for name in ("svc-a", "svc-a", "svc-b"):
        board.evaluate("chat", {"targetingKey": name}, client="10.0.0.1 python")
    board.evaluate("chat", {}, client="10.0.0.1 python")
    assert 3 == board.readers("chat")


def test_reader_is_forgotten_when_it_was_silent(board: FlagBoard, clock: ManualClock) -> None:
    """A client that has not read for fifteen minutes does not count; one that reads on does."""
    board.evaluate("chat", {"targetingKey": "gone"})
    board.evaluate("chat", {"targetingKey": "here"})
    clock.advance(timedelta(minutes=10))
    board.evaluate("chat", {"targetingKey": "here"})
    clock.advance(timedelta(minutes=6))
    assert 1 == board.readers("chat")


def test_reader_is_not_forgotten_when_the_wall_clock_steps(board: FlagBoard, clock: ManualClock) -> None:
    """A clock correction is no silence."""
    board.evaluate("chat", {"targetingKey": "here"})
    clock.step_wall(timedelta(days=1))
    assert 1 == board.readers("chat")


def test_unknown_flag_leaves_no_trace(board: FlagBoard) -> None:
    """Whoever asks for made-up keys cannot fill the memory."""
    assert isinstance(board.evaluate("nope", {"targetingKey": "x"}), NotFound)
    assert 0 == board.readers("nope")


def test_readers_are_bounded(board: FlagBoard, clock: ManualClock) -> None:
    """With a user id as targeting key there may be millions; the newest ten thousand are kept."""
    for number in range(5):
        board.evaluate("chat", {"targetingKey": f"early-{number}"})
    clock.advance(timedelta(minutes=10))
    for number in range(MOST_READERS):
        board.evaluate("chat", {"targetingKey": f"user-{number}"})
    assert MOST_READERS == board.readers("chat")
    clock.advance(timedelta(minutes=6))  # the early ones would be forgotten by now
    assert MOST_READERS == board.readers("chat")


def test_long_names_are_kept_short_and_stay_apart(clock: ManualClock) -> None:
    """A client that names itself in 60,000 letters takes no more room than another."""
    readers = Readers(clock, most_bytes=2_000)
    for end in "ab":
        readers.note("chat", "x" * 60_000 + end)

    assert 2 == readers.count("chat")


MOST_MB = 20


@pytest.mark.parametrize("end", ["", "x" * 500, "\U0001f600" * 500, "é" * 60], ids=["short", "long", "emoji", "accents"])
def test_readers_of_all_flags_stay_within_their_memory(clock: ManualClock, end: str) -> None:
    """Anybody who may read may invent keys, for each of two hundred flags; the latest readers are the ones that are kept."""
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
    """A service that reads on is not pushed out by a flood of invented names."""
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


def test_readers_go_with_their_flag(board: FlagBoard) -> None:
    """A flag that left the snapshot has no readers; those of the others stay."""
    board.evaluate("chat", {"targetingKey": "svc"})
    other = FlagPolicy(key="other", variants={"a": 1}, default="a")
    board.swap(picture(FLAG, other))
    assert 1 == board.readers("chat")
    board.swap(picture(other))
    assert 0 == board.readers("chat")


def test_a_reader_that_reads_again_is_not_the_longest_silent_one(clock: ManualClock) -> None:
    """Services that read every minute stay on record while invented ones come and go."""
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


def test_copy_is_old_until_it_is_read_anew(board: FlagBoard, clock: ManualClock) -> None:
    """Whoever keeps a copy has the switch when they asked after it; the one that has not is named first."""
    for name in ("web-1", "web-2"):
        board.all({"targetingKey": name})
    board.swap(switched(2))
    clock.advance(timedelta(seconds=2))
    board.all({"targetingKey": "web-1"})

    assert [("web-2", False), ("web-1", True)] == [(one.name, one.current) for one in board.readers_of("chat")]


def test_whoever_asks_each_time_has_it(board: FlagBoard) -> None:
    """Nothing of theirs can be old."""
    board.evaluate("chat", {"targetingKey": "customer"})
    board.swap(switched(2))

    assert [(False, True)] == [(one.copy, one.current) for one in board.readers_of("chat")]


def test_what_is_only_written_down_makes_no_copy_old(board: FlagBoard) -> None:
    """That a rule held still, say, is a fact of the flag and no switch."""
    board.rules("web-1")
    held = evolve(World(), Fact("flag/chat", 1, START, Actor.rule("test"), None, Held("chat", "gpt is down")))
    board.swap(snapshot(held, Policy({}, {FLAG.key: FLAG}, IncidentPolicy({})), 2))

    assert [True] == [one.current for one in board.readers_of("chat")]


def test_copy_of_somebody_silent_is_forgotten(board: FlagBoard, clock: ManualClock) -> None:
    """After fifteen minutes nobody waits for it."""
    board.rules("web-1")
    clock.advance(timedelta(seconds=READER_FOR_S + 1))

    assert ((), 0) == (board.readers_of("chat"), board.readers("chat"))


def test_copies_are_bounded(board: FlagBoard) -> None:
    """Browsers keep copies too, each under a name of its own; the latest stay."""
    for number in range(MOST_COPIES + 10):
        board.all({"targetingKey": f"user-{number}"})

    assert MOST_COPIES == board.readers("chat")
    assert "user-9" not in {one.name for one in board.readers_of("chat")}


def test_copy_has_the_flags_of_its_token_alone(board: FlagBoard) -> None:
    """It is no reader of another team's flag."""
    board.rules("web-1", audience("token", ["mail"], "mail"))

    assert ((), 0) == (board.readers_of("chat"), board.readers("chat"))


def test_reader_is_known_by_its_token_too(board: FlagBoard) -> None:
    """A host and a process id alone say little."""
    opened = audience("token", ["ch*"], "checkout")
    board.rules("web-1", opened)
    board.one("chat", {"targetingKey": "customer"}, audience=opened)

    assert {"checkout: web-1", "checkout: customer"} == {one.name for one in board.readers_of("chat")}
