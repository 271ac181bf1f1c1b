"""Answers made in bytes: the same as what is evaluated, made once, and counted."""

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
    """Six flags, of which some are half handed back."""
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
def test_one_flag_in_bytes_is_what_is_evaluated(parted: tuple[str, ...]) -> None:
    """For every flag and reader, however often it is asked for."""
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
def test_all_flags_are_each_of_them(parted: tuple[str, ...]) -> None:
    """Whoever reads all at once gets what each reader gets of each, in the same order."""
    serving = Serving(picture(*parted))
    for context in [*contexts(), *contexts()]:
        single = [json.loads(answer.body) for key in KEYS if isinstance(answer := serving.one(key, context), Answer)]
        assert sorted(KEYS) == [one["key"] for one in json.loads(serving.all(context).body)["flags"]]
        assert sorted(single, key=lambda one: str(one["key"])) == json.loads(serving.all(context).body)["flags"]


def test_readers_on_the_same_side_share_their_bytes() -> None:
    """One answer for each side of a hand-back, not one for each reader."""
    serving = Serving(picture("chat"))
    assert 2 == len({id(serving.all(context)) for context in contexts()})


def test_unknown_flag_is_found_nowhere() -> None:
    assert isinstance(Serving(picture()).one("nope", {}), NotFound)


def test_reads_are_counted_by_answer() -> None:
    """Also those of answers that are not kept any longer, and each once."""
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


def test_audience_sees_its_flags_and_no_others() -> None:
    """By pattern, in every way of reading."""
    serving = Serving(picture("chat"), audience("token", ["chat*", "map"]))
    for body in (serving.all({}).body, serving.rules().body):
        assert ["chat", "chat.slow", "map"] == [one["key"] for one in json.loads(body)["flags"]]
    assert ["chat", "chat.slow", "map"] == list(json.loads(serving.definitions(overlay=False).body)["flags"])
    assert isinstance(serving.one("search", {}), NotFound)
