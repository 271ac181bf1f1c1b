"""Which readers get the default at each share of a hand-back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.core.model import Actor
from bot.core.policy import FlagPolicy, IncidentPolicy, Policy
from bot.core.record.fact import Fact
from bot.core.record.flag_facts import Engaged, HandBackStepped
from bot.core.record.streams import evolve
from bot.core.record.world import World
from bot.flags.evaluate import Evaluation, NotFound, Snapshot, bucket, evaluate, snapshot

START = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
FLAG = FlagPolicy(key="chat", variants={"claude": "a", "gpt": "b"}, default="claude")
POLICY = Policy({}, {FLAG.key: FLAG}, IncidentPolicy({}))
ENGAGED = Engaged("chat", "chat#1", "gpt", "claude", "down", "auto", START + timedelta(hours=4))


def handed_back(share: int, engagement: str = "chat#1") -> Snapshot:
    world = World()
    bodies = (replace(ENGAGED, engagement=engagement), HandBackStepped("chat", share, "well again", "gpt"))
    for seq, body in enumerate(bodies, start=1):
        world = evolve(world, Fact("flag/chat", seq, START, Actor.rule("test"), None, body))
    return snapshot(world, POLICY, 1)


def variant(picture: Snapshot, reader: str) -> str:
    found = evaluate(picture, "chat", {"targetingKey": reader})
    assert isinstance(found, Evaluation)
    return found.variant


def readers_in(place: int) -> Iterator[str]:
    return (reader for n in range(1_000_000) if bucket("chat#1", reader := f"user-{n}") == place)


def test_share_is_exact_to_the_last_bucket() -> None:
    """Half of ten thousand buckets is 0 to 4999."""
    picture = handed_back(50)

    assert ["claude", "gpt"] == [variant(picture, next(readers_in(place))) for place in (4999, 5000)]


def test_one_percent_moves_one_reader_in_a_hundred() -> None:
    """It is a careful first step."""
    assert "claude" == variant(handed_back(1), next(readers_in(99)))


def test_each_engagement_reshuffles_the_readers() -> None:
    """The same tenth must not be the first in every recovery."""
    first, second = handed_back(10, "chat#1"), handed_back(10, "chat#2")
    readers = [f"user-{n}" for n in range(1000)]

    assert {r for r in readers if variant(first, r) == "claude"} != {r for r in readers if variant(second, r) == "claude"}


def test_unknown_flag_is_named_in_full_but_shortened_in_the_sentence() -> None:
    """A client may send a key of any length."""
    key = "x" * 150

    assert NotFound(key, f"no flag is called {'x' * 100!r}; the configuration's `flags:` names them") == (
        evaluate(handed_back(50), key, {})
    )
