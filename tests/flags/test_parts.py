"""What readers get while a part of them is switched apart from the rest: from the bot, by the kit's rules, and from flagd."""

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


def test_the_narrower_one_wins_over_the_whole() -> None:
    """Whichever was switched first."""
    for order in ((FLAG, "gpt"), (EU, "cached")), ((EU, "cached"), (FLAG, "gpt")):
        table = calm()
        for key, variant in order:
            switch(table, key, variant)
        assert ["cached", "gpt", "gpt"] == [gets(table, env="eu"), gets(table, env="us"), gets(table)]


def test_releasing_one_leaves_the_other() -> None:
    """Readers of the part follow the whole again; and where the whole is released, the part stays."""
    table = switch(switch(calm(), FLAG, "gpt"), EU, "cached")
    table.send(s.ReleaseFlag(ANA, flag=EU, reason="done"))
    assert ["gpt", "gpt"] == [gets(table, env="eu"), gets(table, env="us")]

    table = switch(switch(calm(), FLAG, "gpt"), EU, "cached")
    table.send(s.ReleaseFlag(ANA, flag=FLAG, reason="done"))
    assert ["cached", "claude"] == [gets(table, env="eu"), gets(table, env="us")]


def test_who_is_not_in_the_share_of_a_part_gets_what_everybody_gets() -> None:
    """Not the default: that may be what fails. So nobody goes there and back."""
    table = switch(switch(calm(), FLAG, "gpt"), EU, "cached", share=25)
    sides = [gets(table, env="eu", targetingKey=f"user-{n}") for n in range(400)]

    assert {"cached", "gpt"} == set(sides)
    assert 70 < sides.count("cached") < 130


def test_who_is_of_two_parts_gets_what_was_switched_last() -> None:
    """As whoever switched it expects; released, the other one counts."""
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
def test_attributes_are_compared_as_text(value: Any, text: str | None) -> None:
    """Truths and whole numbers as JSON writes them; what cannot be written so is no reader's scope."""
    assert text == (attribute_text(value) or None)


def test_a_customer_is_a_part_too() -> None:
    """The targeting key is an attribute like the others."""
    table = switch(calm(), f"{FLAG}@targetingKey=acme", "gpt")

    assert ["gpt", "claude"] == [gets(table, targetingKey="acme"), gets(table, targetingKey="other")]


def test_an_answer_says_which_part_it_is_for() -> None:
    """To whoever wonders why they get another answer than the colleague."""
    table = switch(calm(), EU, "gpt")
    mine, others = found(table, env="eu"), found(table)

    assert ("TARGETING_MATCH", "env=eu", "engaged") == (mine.reason, mine.metadata["scope"], mine.metadata["phase"])
    assert ("STATIC", None, "normal") == (others.reason, others.metadata.get("scope"), others.metadata["phase"])


def test_the_revision_never_goes_back() -> None:
    """It counts what was written down of the whole and of all parts, and so goes on when one is released."""
    table, seen = calm(), []
    for act in (
        s.EngageFlag(ANA, flag=FLAG, variant="gpt", reason="x"), s.EngageFlag(ANA, flag=EU, variant="cached", reason="x"),
        s.ReleaseFlag(ANA, flag=EU, reason="x"), s.ReleaseFlag(ANA, flag=FLAG, reason="x"),
    ):  # fmt: skip
        table.send(act)
        seen.append(found(table, env="eu").metadata["revision"])

    assert sorted(set(seen)) == seen


def test_readers_of_a_real_switch_get_it_before_those_of_a_drill() -> None:
    """A drill is for who is not in need."""
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
def test_bot_kit_and_a_restarted_bot_give_the_same(seed: int) -> None:
    """One flag, all flags and the rules of the kit; parts, shares and hand-backs at random."""
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


def test_nobody_changes_sides_twice_while_a_part_is_handed_back() -> None:
    """From the part's fallback to what the whole serves, step by step, and never there and back."""
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


def test_conversations_of_a_part_stay_where_they_are() -> None:
    """Those that were heard of before the step, and say nothing themselves."""
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


def test_a_board_tells_of_a_part_that_is_switched() -> None:
    """Clients that listen ask again, and a copy from before is old."""
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
def test_rules_with_broken_parts_are_refused_whole(part: str) -> None:
    """The last good answer stays."""
    with pytest.raises(NotFlags):
        parse(f'{{"flags": [{{"key": "a", "value": 1, "scopes": {part}}}]}}')


def test_a_kit_that_knows_no_parts_gets_the_whole() -> None:
    """It reads past what it does not know, and what is left is what everybody else gets."""
    table = switch(switch(calm(), FLAG, "gpt"), EU, "cached")
    rules = json.loads(Serving(picture_of(table)).rules().body)
    (flag,) = (one for one in rules["flags"] if one["key"] == FLAG)

    assert (1, "gpt") == (rules["rules"], flag["variant"])
    assert [("env", "eu", "cached")] == [(one["attribute"], one["equals"], one["variant"]) for one in flag["scopes"]]


def test_flagd_is_told_of_parts_as_rules_of_its_own() -> None:
    """Texts, and what JSON writes like them; what its paths cannot name is left out, and the metadata says so."""
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


def test_a_sink_is_told_of_the_whole_alone() -> None:
    """Its file would be wrong as soon as a part is released, since sinks are told of the whole only."""
    table = switch(calm(), EU, "gpt")
    told = flagd.definitions(picture_of(table), only=FLAG)["flags"][FLAG]

    assert ("claude", False) == (told["defaultVariant"], "targeting" in told)


def test_a_part_whose_variant_left_the_configuration_is_served_from_what_is_kept() -> None:
    """Nobody is sent back to a default that fails by an edited file; where the value is lost, that is said."""
    table = switch(calm(), EU, "gpt")
    flag = table.policy.flags[FLAG]
    variants = {name: value for name, value in flag.variants.items() if name != "gpt"}
    less = replace(table.policy, flags={**table.policy.flags, FLAG: replace(flag, variants=variants)})
    kept, lost = (snapshot(table.world, less, 1, kept) for kept in ({FLAG: flag}, {}))

    mine, others = (evaluate(picture, FLAG, {"env": "eu"}) for picture in (kept, lost))
    assert isinstance(mine, Evaluation)
    assert isinstance(others, Evaluation)
    assert ("gpt", "claude", 1) == (mine.variant, others.variant, len(lost.complaints))


def test_scope_is_read_as_it_is_written() -> None:
    """Both ways."""
    assert "env=eu" == str(Scope("env", "eu"))
    assert Scope("env", "eu") == read_scope(str(Scope("env", "eu")))
