"""What readers get while one scope is switched separately: from the bot, by the kit's rules, and from flagd."""

import json
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from understudy_client.flags import NotFlags, parse

from bot.core import signals as s
from bot.core.model import Level
from bot.core.policy import Automation
from bot.core.record.streams import evolve
from bot.core.record.world import World
from bot.core.scope import Scope, read_scope
from bot.flags import flagd
from bot.flags.board import FlagBoard
from bot.flags.conversation import attribute_text
from bot.flags.evaluate import Evaluation, Snapshot, evaluate, revision_of, snapshot
from bot.flags.serving import Answer, Serving
from tests.core.flags.steered import API, FLAG, calm
from tests.desk import ANA, Table
from tests.flags.test_conversations import TableClock

EU = f"{FLAG}@env=eu"


def switch(table: Table, key: str, variant: str, share: int = 100) -> Table:
    table.send(s.EngageFlag(ANA, flag=key, variant=variant, share=share, reason="we try it"))
    table.passes(1)
    return table


def picture_of(table: Table) -> Snapshot:
    return snapshot(table.world, table.policy, revision_of(table.world))


def found(table: Table, **context: Any) -> Evaluation:
    answer = evaluate(picture_of(table), FLAG, context)
    assert isinstance(answer, Evaluation)
    return answer


def gets(table: Table, **context: Any) -> str:
    return found(table, **context).variant


def test_scoped_engagement_wins_over_the_whole_flag() -> None:
    """Whichever was switched first."""
    for order in ((FLAG, "gpt"), (EU, "cached")), ((EU, "cached"), (FLAG, "gpt")):
        table = calm()
        for key, variant in order:
            switch(table, key, variant)
        assert ["cached", "gpt", "gpt"] == [gets(table, env="eu"), gets(table, env="us"), gets(table)]


def test_releasing_one_engagement_leaves_the_other() -> None:
    """Readers in the scope follow the whole flag again; if the whole flag is released, the scope stays engaged."""
    table = switch(switch(calm(), FLAG, "gpt"), EU, "cached")
    table.send(s.ReleaseFlag(ANA, flag=EU, reason="done"))
    assert ["gpt", "gpt"] == [gets(table, env="eu"), gets(table, env="us")]

    table = switch(switch(calm(), FLAG, "gpt"), EU, "cached")
    table.send(s.ReleaseFlag(ANA, flag=FLAG, reason="done"))
    assert ["cached", "claude"] == [gets(table, env="eu"), gets(table, env="us")]


def test_reader_outside_the_share_of_a_scope_follows_the_whole_flag() -> None:
    """The default may be what fails, so no reader goes there and back."""
    table = switch(switch(calm(), FLAG, "gpt"), EU, "cached", share=25)
    sides = [gets(table, env="eu", targetingKey=f"user-{n}") for n in range(400)]

    assert {"cached", "gpt"} == set(sides)
    assert 70 < sides.count("cached") < 130


def test_reader_in_two_scopes_gets_the_latest_switch() -> None:
    """When that is released, the other scope counts."""
    table = switch(switch(calm(), EU, "gpt"), f"{FLAG}@tier=gold", "cached")
    both = {"env": "eu", "tier": "gold"}
    assert ["cached", "gpt"] == [gets(table, **both), gets(table, env="eu")]

    table.send(s.ReleaseFlag(ANA, flag=f"{FLAG}@tier=gold", reason="done"))
    assert "gpt" == gets(table, **both)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("eu", "eu"), (True, "true"), (False, "false"), (7, "7"), (7.0, "7"), (-3, "-3"), (0, "0"), (2**53, None), (1.5, None),
        (None, None), ([], None), ({"a": 1}, None), (float("nan"), None), ("", None), ("EU", "EU"), ("7.0", "7.0"),
    ],
)  # fmt: skip
def test_scope_attributes_are_compared_as_text(value: Any, text: str | None) -> None:
    """Booleans and integers as JSON writes them; other values match no scope."""
    assert text == (attribute_text(value) or None)


def test_targeting_key_can_be_a_scope() -> None:
    """The targeting key is an attribute like any other."""
    table = switch(calm(), f"{FLAG}@targetingKey=acme", "gpt")

    assert ["gpt", "claude"] == [gets(table, targetingKey="acme"), gets(table, targetingKey="other")]


def test_answer_names_its_scope() -> None:
    """It explains why a reader gets another answer than a colleague."""
    table = switch(calm(), EU, "gpt")
    mine, others = found(table, env="eu"), found(table)

    assert ("TARGETING_MATCH", "env=eu", "engaged") == (mine.reason, mine.metadata["scope"], mine.metadata["phase"])
    assert ("STATIC", None, "normal") == (others.reason, others.metadata.get("scope"), others.metadata["phase"])


def test_revision_never_decreases() -> None:
    """It counts the facts of the whole flag and of all scopes, so a release increases it too."""
    table, seen = calm(), []
    for act in (
        s.EngageFlag(ANA, flag=FLAG, variant="gpt", reason="x"), s.EngageFlag(ANA, flag=EU, variant="cached", reason="x"),
        s.ReleaseFlag(ANA, flag=EU, reason="x"), s.ReleaseFlag(ANA, flag=FLAG, reason="x"),
    ):  # fmt: skip
        table.send(act)
        seen.append(found(table, env="eu").metadata["revision"])

    assert sorted(set(seen)) == seen


def test_real_engagement_wins_over_a_drill() -> None:
    """A drill is only for readers who are not affected by an outage."""
    table = switch(calm(), EU, "cached")
    table.send(s.StartDrill(ANA, components=(API,), flag=FLAG))

    assert ["cached", "gpt"] == [gets(table, env="eu", understudy_drill=True), gets(table, understudy_drill=True)]


# --- the law

PARTS = ("env=eu", "tier=gold", "tenant=7", "beta=true")


def someone(dice: random.Random) -> dict[str, Any]:
    context: dict[str, Any] = {"targetingKey": f"user-{dice.randrange(10_000)}"} if dice.random() < 0.9 else {}
    choices = {"env": ["eu", "us", None, 7], "tier": ["gold", ""], "tenant": [7, "7", 7.0, 8], "beta": [True, "true", False, 1]}
    return context | {name: dice.choice(values) for name, values in choices.items() if dice.random() < 0.7}


def restarted(table: Table) -> World:
    world = World()
    for fact in table.facts:
        world = evolve(world, fact)
    return world


@pytest.mark.parametrize("seed", range(4))
def test_bot_kit_and_restarted_bot_agree(seed: int) -> None:
    """Single and bulk evaluation and the kit's rules, with random scopes, shares and hand-backs."""
    dice, table = random.Random(seed), calm()
    table.sees(API, Level.DOWN)
    for _ in range(6):
        key = FLAG if dice.random() < 0.3 else f"{FLAG}@{dice.choice(PARTS)}"
        switch(table, key, dice.choice(["gpt", "cached"]), dice.choice([10, 50, 100]))
        picture = picture_of(table)
        serving = Serving(picture)
        kit = parse(serving.rules().body.decode())
        again = snapshot(restarted(table), table.policy, picture.revision)
        for _ in range(200):
            context = someone(dice)
            one = evaluate(picture, FLAG, context)
            assert isinstance(one, Evaluation)
            answer = serving.one(FLAG, context)
            assert isinstance(answer, Answer)
            theirs = kit.by_key[FLAG].answer(context.get("targetingKey"), context)
            assert one == answer.found[0] == evaluate(again, FLAG, context)
            assert (one.variant, one.value, one.reason, one.metadata) == (
                theirs.variant, theirs.fresh(), theirs.reason, theirs.metadata,
            )  # fmt: skip
            listed = next(flag for flag in json.loads(serving.all(context).body)["flags"] if flag["key"] == FLAG)
            assert (one.variant, dict(one.metadata)) == (listed["variant"], listed["metadata"])


def test_reader_moves_at_most_once_while_a_scope_is_handed_back() -> None:
    """Step by step from the scope's fallback to the value of the whole flag, never back."""
    table = calm(automation=Automation.PROPOSE)
    table.sees(API, Level.DOWN)
    switch(switch(table, FLAG, "gpt"), EU, "cached")
    table.passes(15)
    table.sees(API, Level.OPERATIONAL)
    table.send(s.PinFlag(ANA, flag=FLAG))  # the whole stays where it is
    readers = [{"env": "eu", "targetingKey": f"user-{n}"} for n in range(300)]
    sides: list[list[str]] = [[] for _ in readers]
    table.send(s.StepBack(ANA, flag=EU))
    for _ in range(40):
        for reader, seen in zip(readers, sides, strict=True):
            if (side := gets(table, **reader)) not in seen[-1:]:
                seen.append(side)
        table.passes(1)

    assert table.world.flag(EU).engagement is None
    assert all(seen in (["cached", "gpt"], ["gpt"]) for seen in sides)
    assert sum(len(seen) == 2 for seen in sides) > 100


def test_conversations_in_a_scope_stay_where_they_are() -> None:
    """This covers conversations seen before the step whose service does not send their start."""
    table = calm(automation=Automation.PROPOSE, stays_for=timedelta(minutes=30), steps=(50, 100))
    table.sees(API, Level.DOWN)
    switch(table, EU, "gpt")
    board = FlagBoard(TableClock(table))
    board.swap(picture_of(table))
    readers = [{"env": "eu", "targetingKey": f"user-{n}"} for n in range(100)]
    before = [board.evaluate(FLAG, reader) for reader in readers]
    table.passes(15)
    table.sees(API, Level.OPERATIONAL)
    table.send(s.StepBack(ANA, flag=EU))
    table.passes(1)
    board.swap(picture_of(table))

    after = [board.evaluate(FLAG, reader) for reader in readers]
    new = [board.evaluate(FLAG, {"env": "eu", "targetingKey": f"new-{n}"}) for n in range(100)]
    assert {"gpt"} == {one.variant for one in (*before, *after) if isinstance(one, Evaluation)}
    assert {"gpt", "claude"} == {one.variant for one in new if isinstance(one, Evaluation)}


def test_scoped_switch_sends_a_change_event() -> None:
    """Listening clients read again, and an earlier copy is stale."""
    table = calm()
    board, told = FlagBoard(TableClock(table)), []
    board.swap(picture_of(table))
    board.tells(lambda: told.append(1))
    board.rules("kit")
    board.swap(picture_of(switch(table, EU, "gpt")))

    assert ([1], [False]) == (told, [one.current for one in board.readers_of(FLAG)])


# --- kits and flagd


@pytest.mark.parametrize("part", ["7", "[7]", '[{"attribute": "a"}]', '[{"attribute": 1, "equals": "x", "value": 1}]',
                                  '[{"attribute": "a", "equals": "", "value": 1}]', '[{"attribute": "a", "equals": "x"}]',
                                  '[{"attribute": "a", "equals": "x", "value": 1, "split": 7}]'])  # fmt: skip
def test_kit_refuses_rules_with_an_invalid_scope(part: str) -> None:
    """The last good answer stays."""
    with pytest.raises(NotFlags):
        parse(f'{{"flags": [{{"key": "a", "value": 1, "scopes": {part}}}]}}')


def test_kit_without_scopes_follows_the_whole_flag() -> None:
    """An older kit ignores the unknown field, and the rest is the answer for everybody else."""
    table = switch(switch(calm(), FLAG, "gpt"), EU, "cached")
    rules = json.loads(Serving(picture_of(table)).rules().body)
    (flag,) = (one for one in rules["flags"] if one["key"] == FLAG)

    assert (1, "gpt") == (rules["rules"], flag["variant"])
    assert [("env", "eu", "cached")] == [(one["attribute"], one["equals"], one["variant"]) for one in flag["scopes"]]


def test_flagd_gets_scopes_as_targeting_rules() -> None:
    """Text and values that JSON writes like text; an attribute that flagd cannot name is left out, and the metadata says so."""
    table = calm()
    for scope in ("env=eu", "tenant=7", "beta=true", "a.b=x"):
        switch(table, f"{FLAG}@{scope}", "gpt")
    told = flagd.definitions(picture_of(table), overlay=True)["flags"][FLAG]

    assert ("claude", "a.b=x", "beta=true, tenant=7, env=eu") == (
        told["defaultVariant"], told["metadata"]["scopes_left_out"], told["metadata"]["scopes"],
    )  # fmt: skip
    assert {
        "if": [
            {"or": [{"===": [{"var": "beta"}, "true"]}, {"===": [{"var": "beta"}, True]}]}, "gpt",
            {"or": [{"===": [{"var": "tenant"}, "7"]}, {"===": [{"var": "tenant"}, 7]}]}, "gpt",
            {"===": [{"var": "env"}, "eu"]}, "gpt", None,
        ]
    } == told["targeting"]  # fmt: skip


def test_sink_gets_only_the_whole_flag() -> None:
    """Sinks hear nothing when a scope is released, so a scope in their file would become wrong."""
    table = switch(calm(), EU, "gpt")
    told = flagd.definitions(picture_of(table), only=FLAG)["flags"][FLAG]

    assert ("claude", False) == (told["defaultVariant"], "targeting" in told)


def test_scope_with_a_removed_variant_is_served_from_its_stored_value() -> None:
    """An edited file must not send readers back to a failing default; a lost value is reported."""
    table = switch(calm(), EU, "gpt")
    flag = table.policy.flags[FLAG]
    variants = {name: value for name, value in flag.variants.items() if name != "gpt"}
    less = replace(table.policy, flags={**table.policy.flags, FLAG: replace(flag, variants=variants)})
    kept, lost = (snapshot(table.world, less, 1, kept) for kept in ({FLAG: flag}, {}))

    mine, others = (evaluate(picture, FLAG, {"env": "eu"}) for picture in (kept, lost))
    assert isinstance(mine, Evaluation)
    assert isinstance(others, Evaluation)
    assert ("gpt", "claude", 1) == (mine.variant, others.variant, len(lost.complaints))


def test_scope_survives_a_round_trip_through_text() -> None:
    """Formatting and parsing agree."""
    assert "env=eu" == str(Scope("env", "eu"))
    assert Scope("env", "eu") == read_scope(str(Scope("env", "eu")))
