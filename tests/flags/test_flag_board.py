"""The board: newest snapshot for everybody, and who reads what."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import ManualClock
from bot.core.model import FlagPolicy, IncidentPolicy, Policy
from bot.core.state import World
from bot.flags.board import MOST_READERS, FlagBoard, NotReady, Sighting
from bot.flags.evaluate import NotFound, Snapshot, snapshot

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


def test_readers_go_with_their_flag(board: FlagBoard) -> None:
    """A flag that left the snapshot has no readers; those of the others stay."""
    board.evaluate("chat", {"targetingKey": "svc"})
    other = FlagPolicy(key="other", variants={"a": 1}, default="a")
    board.swap(picture(FLAG, other))
    assert 1 == board.readers("chat")
    board.swap(picture(other))
    assert 0 == board.readers("chat")
