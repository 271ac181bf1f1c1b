"""Answers as cached bytes: equal to the evaluation, built once, and counted."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.model import Actor
from bot.core.policy import FlagPolicy, IncidentPolicy, Policy
from bot.core.record.fact import Fact
from bot.core.record.flag_facts import Engaged, HandBackStepped
from bot.core.record.streams import evolve
from bot.core.record.world import World
from bot.flags.audience import audience
from bot.flags.evaluate import Evaluation, NotFound, Snapshot, evaluate, snapshot
from bot.flags.serving import MOST_KEPT, Answer, Serving

AT = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
KEYS = ("chat", "chat.slow", "search", "mail", "map", "shop")
NAMES = [f"user-{number}" for number in range(200)]


def picture(*parted: str, share_back: int = 50) -> Snapshot:
    """Six flags, some of them half handed back."""
    policy = Policy({}, {key: FlagPolicy(key, {"claude": {"a": 1}, "gpt": "b"}, "claude") for key in KEYS}, IncidentPolicy({}))
    world = World()
    for key in parted:
        engaged = Engaged(key, f"{key}#1", "gpt", "claude", "down", "auto", AT + timedelta(hours=4))
        for seq, body in enumerate((engaged, HandBackStepped(key, share_back, "well again", "gpt")), start=1):
            world = evolve(world, Fact(f"flag/{key}", seq, AT, Actor.rule("test"), None, body))
    return snapshot(world, policy, 7)


def contexts() -> Iterator[dict[str, Any]]:
    yield {}
    yield from ({"targetingKey": name} for name in NAMES)


@pytest.mark.parametrize("parted", [(), ("chat",), KEYS])
def test_cached_bytes_equal_the_evaluation(parted: tuple[str, ...]) -> None:
    """For every flag and reader, however often it is read."""
    shown = picture(*parted)
    serving = Serving(shown)
    for context in [*contexts(), *contexts()]:
        for key in KEYS:
            found, answer = evaluate(shown, key, context), serving.one(key, context)
            assert isinstance(answer, Answer)
            assert (found,) == answer.found
            assert isinstance(found, Evaluation)
            assert (key, found.value, found.reason) == tuple(
                json.loads(answer.body)[name] for name in ("key", "value", "reason")
            )


@pytest.mark.parametrize("parted", [(), ("chat",), KEYS])
def test_bulk_answer_equals_the_single_answers(parted: tuple[str, ...]) -> None:
    """In the same order."""
    serving = Serving(picture(*parted))
    for context in [*contexts(), *contexts()]:
        single = [json.loads(answer.body) for key in KEYS if isinstance(answer := serving.one(key, context), Answer)]
        assert sorted(KEYS) == [one["key"] for one in json.loads(serving.all(context).body)["flags"]]
        assert sorted(single, key=lambda one: str(one["key"])) == json.loads(serving.all(context).body)["flags"]


def test_readers_on_the_same_side_share_their_bytes() -> None:
    """There is one answer for each side of a hand-back, not one for each reader."""
    serving = Serving(picture("chat"))
    assert 2 == len({id(serving.all(context)) for context in contexts()})


def test_unknown_flag_is_not_found() -> None:
    """A key without a flag has no cached answer."""
    assert isinstance(Serving(picture()).one("nope", {}), NotFound)


def test_reads_are_counted_once_for_each_answer() -> None:
    """Reads of answers that are no longer cached count too."""
    serving, expected = Serving(picture(*KEYS)), dict[tuple[str, str, str], int]()
    assert len({id(serving.all(context)) for context in contexts()}) > MOST_KEPT
    for context in contexts():
        answer = serving.all(context)
        answer.reads += 1
        for one in answer.found:
            read = (one.key, one.variant, one.reason)
            expected[read] = expected.get(read, 0) + 1

    assert expected == serving.take_reads()
    assert {} == serving.take_reads()


def test_audience_sees_only_its_flags() -> None:
    """By pattern, in every way of reading."""
    serving = Serving(picture("chat"), audience("token", ["chat*", "map"]))
    for body in (serving.all({}).body, serving.rules().body):
        assert ["chat", "chat.slow", "map"] == [one["key"] for one in json.loads(body)["flags"]]
    assert ["chat", "chat.slow", "map"] == list(json.loads(serving.definitions(overlay=False).body)["flags"])
    assert isinstance(serving.one("search", {}), NotFound)
