"""By what a flag's readers are dealt out: the attribute that `sticky_by` names, else the targeting key."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_client.flags import parse

from bot.core.model import Actor
from bot.core.policy import FlagPolicy, IncidentPolicy, Policy
from bot.core.record.fact import Fact
from bot.core.record.flag_facts import Engaged, HandBackStepped
from bot.core.record.streams import evolve
from bot.core.record.world import World
from bot.flags import flagd
from bot.flags.evaluate import Evaluation, Snapshot, bucket, evaluate, snapshot
from bot.flags.serving import Answer, Serving

AT = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
FLAG = FlagPolicy("chat", {"claude": "a", "gpt": "b"}, "claude", sticky_by="conversation")
ENGAGED = Engaged("chat", "chat#1", "gpt", "claude", "down", "auto", AT + timedelta(hours=4), sticky_by="conversation")


def half_back(flag: FlagPolicy = FLAG, engaged: Engaged = ENGAGED) -> Snapshot:
    world = World()
    for seq, body in enumerate((engaged, HandBackStepped("chat", 50, "well again", "gpt")), start=1):
        world = evolve(world, Fact("flag/chat", seq, AT, Actor.rule("test"), None, body))
    return snapshot(world, Policy({}, {"chat": flag}, IncidentPolicy({})), 1)


def gets(context: dict[str, Any], picture: Snapshot | None = None) -> str:
    found = evaluate(picture or half_back(), "chat", context)
    assert isinstance(found, Evaluation)
    return found.variant


def named(variant: str) -> str:
    """Somebody who is there when half is back."""
    wanted = variant == "claude"
    return next(name for n in range(100) if (bucket("chat#1", name := f"c-{n}") < 5_000) == wanted)


BACK, STAYS = named("claude"), named("gpt")


@pytest.mark.parametrize("customer", ["", BACK, STAYS])
def test_a_conversation_is_on_one_side_whoever_reads(customer: str) -> None:
    """Several customers, or several services, take part in one."""
    found = [gets({"targetingKey": customer, "conversation": name}) for name in (BACK, STAYS)]
    assert ["claude", "gpt"] == found


@pytest.mark.parametrize("other", [None, "", True, 1.5, 2**53, float("inf"), [BACK], {"id": BACK}])
def test_the_targeting_key_counts_where_the_attribute_is_none(other: Any) -> None:
    """Also where a client sends something that no client would read alike."""
    assert ["claude", "gpt"] == [gets({"targetingKey": name, "conversation": other}) for name in (BACK, STAYS)]


def test_who_has_neither_stays_until_all_are_back() -> None:
    """The fallback is the safe side."""
    assert "gpt" == gets({"conversation": None})


def test_a_number_is_its_digits() -> None:
    """One service sends an id as a number, another one as a text."""
    number = next(n for n in range(100) if bucket("chat#1", str(n)) < 5_000)
    assert ["claude"] * 3 == [gets({"conversation": same}) for same in (number, float(number), str(number))]


def test_what_was_configured_at_the_switch_holds_until_the_flag_is_back() -> None:
    """Another attribute in the middle would move half of the readers."""
    later = half_back(replace(FLAG, sticky_by="customer"))
    assert ["claude", "gpt"] == [gets({"conversation": name, "customer": "x"}, later) for name in (BACK, STAYS)]


def test_flagd_keeps_everybody_on_the_fallback() -> None:
    """It would hash by the attribute in a way of its own."""
    (shown,) = flagd.definitions(half_back())["flags"].values()
    assert ("gpt", None) == (shown["defaultVariant"], shown.get("targeting"))


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2)


@given(
    st.dictionaries(st.sampled_from(["conversation", "customer"]), VALUES), st.text(max_size=9), st.sampled_from([1, 50, 99])
)
def test_the_kit_and_both_ways_of_asking_agree(attributes: dict[str, Any], key: str, share: int) -> None:
    """One conversation is read by services that use any of them."""
    world = World()
    for seq, body in enumerate((ENGAGED, HandBackStepped("chat", share, "well again", "gpt")), start=1):
        world = evolve(world, Fact("flag/chat", seq, AT, Actor.rule("test"), None, body))
    picture = snapshot(world, Policy({}, {"chat": FLAG}, IncidentPolicy({})), 1)
    serving, context = Serving(picture), {"targetingKey": key, **attributes}

    single = serving.one("chat", context)
    assert isinstance(single, Answer)
    bulk = json.loads(serving.all(context).body)["flags"][0]
    kit = parse(serving.rules().body.decode()).by_key["chat"].answer(key, attributes)

    assert {gets(context, picture)} == {single.found[0].variant, bulk["variant"], kit.variant}
