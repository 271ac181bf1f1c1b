"""Rules for clients that evaluate locally, where readers get different answers; test_ofrep_rules.py covers whole answers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.model import Actor
from bot.core.policy import FlagPolicy, IncidentPolicy, Policy
from bot.core.record.fact import Fact
from bot.core.record.flag_facts import Engaged, HandBackStepped
from bot.core.record.streams import evolve
from bot.core.record.world import World
from bot.flags.evaluate import Evaluation, Snapshot, bucket, evaluate, snapshot
from bot.flags.rules import Rule, rules

AT = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
FLAG = FlagPolicy(key="chat", variants={"claude": "a", "gpt": "b"}, default="claude")
ENGAGED = Engaged("chat", "chat#1", "gpt", "claude", "down", "auto", AT + timedelta(hours=4))


def engaged(share_back: int, variant: str = "gpt") -> Snapshot:
    world = World()
    bodies = (replace(ENGAGED, variant=variant), HandBackStepped("chat", share_back, "well again", "gpt"))
    for seq, body in enumerate(bodies, start=1):
        world = evolve(world, Fact("flag/chat", seq, AT, Actor.rule("test"), None, body))
    return snapshot(world, Policy({}, {"chat": FLAG}, IncidentPolicy({})), 1)


def by_rule(rule: Rule, reader: str) -> str:
    """The value that a client computes from the rule."""
    went_back = rule.split is not None and bool(reader) and bucket(rule.split.seed, reader) < rule.split.below
    return rule.split.variant if rule.split is not None and went_back else rule.plain.variant


@pytest.mark.parametrize("share_back", [0, 1, 25, 50, 99, 100])
def test_rule_and_bot_give_a_reader_the_same_value(share_back: int) -> None:
    """At every step of a hand-back, with and without a name."""
    picture = engaged(share_back)
    (rule,) = rules(picture)
    for reader in ("", *(f"user-{number}" for number in range(2_000))):
        found = evaluate(picture, "chat", {"targetingKey": reader})
        assert isinstance(found, Evaluation)
        assert found.variant == by_rule(rule, reader), reader


@pytest.mark.parametrize(("share_back", "parted"), [(0, False), (1, True), (99, True), (100, False)])
def test_rule_splits_readers_only_during_a_hand_back(share_back: int, parted: bool) -> None:
    """Otherwise everybody gets the same value."""
    (rule,) = rules(engaged(share_back))
    assert parted == (rule.split is not None)


def test_rule_splits_nobody_when_the_engaged_value_is_lost() -> None:
    """If the engaged variant left the configuration, everybody gets the default."""
    (rule,) = rules(engaged(50, variant="gone"))
    assert ("claude", "UNKNOWN", None) == (rule.plain.variant, rule.plain.reason, rule.split)
