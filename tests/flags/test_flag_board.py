"""The board: newest snapshot for everybody, and who reads what."""

import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import ManualClock
from bot.core.model import FlagPolicy, IncidentPolicy, Policy
from bot.core.state import World
from bot.flags.board import FlagBoard, NotReady
from bot.flags.evaluate import NotFound, Snapshot, snapshot
from bot.flags.readers import MOST_READERS, Readers, Sighting

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
    assert (Sighting("here", "a", START + timedelta(minutes=10)),) == board.sightings("chat")
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


def test_readers_are_bounded(board: FlagBoard) -> None:
    """With a user id as targeting key there may be millions; the newest ten thousand are kept, in few bytes each."""
    for number in range(MOST_READERS + 5):
        board.evaluate("chat", {"targetingKey": f"user-{number}"})
    assert MOST_READERS == board.readers("chat")
    assert f"user-{MOST_READERS + 4}" == board.sightings("chat")[0].client
    long = ["x" * 60_000 + end for end in "ab"]
    for name in long:
        board.evaluate("chat", {"targetingKey": name})
    latest = board.sightings("chat")[:2]
    assert [120, 120] == [len(s.client) for s in latest]
    assert latest[0].client != latest[1].client


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
    kept = board.sightings("flag-199")
    assert [399, 398, 397] == [int(sighting.client[5:10]) for sighting in kept[:3]]
    assert 20 < len(kept) < 400


def test_longest_silent_reader_of_any_flag_is_forgotten_first(clock: ManualClock) -> None:
    """A service that reads on is not pushed out by a flood of invented names."""
    readers = Readers(clock, most_bytes=20_000)
    readers.note("quiet", "gone", "a")
    for number in range(500):
        clock.advance(timedelta(milliseconds=10))
        readers.note("steady", "service", "a")
        readers.note("flooded", f"user-{number}", "a")
    assert 0 == readers.count("quiet")
    assert ["service"] == [sighting.client for sighting in readers.sightings("steady")]
    assert 20 < readers.count("flooded") < 60
    readers.keep_only(("steady",))
    for number in range(40):  # what went gave its room back
        readers.note("steady", f"user-{number}", "a")
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
    readers = Readers(clock, most_bytes=4_000)
    for number in range(60):
        clock.advance(timedelta(seconds=1))
        readers.note("chat", f"invented {number}", "a")
        if number % 3 == 0:
            assert number == 0 or "service" in [sighting.client for sighting in readers.sightings("chat")]
            readers.note("chat", "service", "a")
