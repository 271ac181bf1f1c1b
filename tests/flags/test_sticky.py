"""How readers are bucketed: by the attribute in `sticky_by`, else by the targeting key."""

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
def test_conversation_is_on_one_side_for_all_its_readers(customer: str) -> None:
    """Several customers or services take part in one conversation."""
    found = [gets({"targetingKey": customer, "conversation": name}) for name in (BACK, STAYS)]
    assert ["claude", "gpt"] == found


@pytest.mark.parametrize("other", [None, "", True, 1.5, 2**53, float("inf"), [BACK], {"id": BACK}])
def test_targeting_key_is_used_without_a_valid_attribute(other: Any) -> None:
    """An attribute that clients would not all read alike is ignored too."""
    assert ["claude", "gpt"] == [gets({"targetingKey": name, "conversation": other}) for name in (BACK, STAYS)]


def test_reader_with_neither_stays_on_the_fallback_until_the_end() -> None:
    """The fallback is the safe side."""
    assert "gpt" == gets({"conversation": None})


def test_number_is_bucketed_by_its_digits() -> None:
    """One service may send an id as a number, another as text."""
    number = next(n for n in range(100) if bucket("chat#1", str(n)) < 5_000)
    assert ["claude"] * 3 == [gets({"conversation": same}) for same in (number, float(number), str(number))]


def test_sticky_by_is_fixed_for_the_whole_engagement() -> None:
    """Changing the attribute half way would move half of the readers."""
    later = half_back(replace(FLAG, sticky_by="customer"))
    assert ["claude", "gpt"] == [gets({"conversation": name, "customer": "x"}, later) for name in (BACK, STAYS)]


def test_flagd_keeps_everybody_on_the_fallback() -> None:
    """Its own hash of the attribute would split readers differently."""
    (shown,) = flagd.definitions(half_back())["flags"].values()
    assert ("gpt", None) == (shown["defaultVariant"], shown.get("targeting"))


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2)


@given(
    st.dictionaries(st.sampled_from(["conversation", "customer"]), VALUES), st.text(max_size=9), st.sampled_from([1, 50, 99])
)
def test_kit_and_both_evaluations_agree(attributes: dict[str, Any], key: str, share: int) -> None:
    """Services that read one conversation may use any of them."""
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
