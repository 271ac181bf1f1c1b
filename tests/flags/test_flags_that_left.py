"""Flags and variants removed from the configuration while engaged, and values of mixed types."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.core.model import Actor
from bot.core.policy import FlagPolicy, IncidentPolicy, Policy
from bot.core.record.fact import Fact
from bot.core.record.flag_facts import Engaged, HandBackStepped, Released
from bot.core.record.streams import evolve
from bot.core.record.world import World
from bot.flags.evaluate import Evaluation, evaluate, snapshot

START = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
CHAT = FlagPolicy(key="chat", variants={"claude": "a", "gpt": "b"}, default="claude")


def policy(*flags: FlagPolicy) -> Policy:
    return Policy({}, {flag.key: flag for flag in flags}, IncidentPolicy({}))


def engaged(world: World, key: str = "chat") -> World:
    body = Engaged(key, f"{key}#1", "gpt", "claude", "down", "auto", START + timedelta(hours=4))
    return evolve(world, Fact(f"flag/{key}", 1, START, Actor.rule("test"), None, body))


def value(world: World, flag: FlagPolicy, key: str) -> object:
    found = evaluate(snapshot(world, policy(flag), 1), key, {})
    assert isinstance(found, Evaluation)
    return found.value


def test_removed_variant_is_reported_with_a_remedy() -> None:
    """Health shows it to whoever edited the file."""
    shrunk = replace(CHAT, variants={"claude": "a"})

    assert snapshot(engaged(World()), policy(shrunk), 1).complaints == (
        "chat is engaged on gpt, which left the configuration and whose value is not known: "
        "readers get claude. Put the variant back, or engage another one.",
    )


def test_removed_flag_is_reported_with_a_remedy() -> None:
    """Its readers fall back to their own code."""
    assert snapshot(engaged(World()), policy(), 1).complaints == (
        "chat is engaged but left the configuration and its values are not known: readers get their own default. "
        "Put the flag back, or release it.",
    )


def test_removed_flag_without_the_engaged_value_is_reported() -> None:
    """It was stored before it had that variant, so the default is served, and the complaint says so."""
    old = replace(CHAT, variants={"claude": "a"})
    picture = snapshot(engaged(World()), policy(), 1, kept={"chat": old})

    assert 1 == len(picture.complaints)


def test_every_removed_flag_is_examined() -> None:
    """The first was released before its removal; the second is still engaged and served as before."""
    world = engaged(engaged(World()), "search")
    world = evolve(world, Fact("flag/chat", 2, START, Actor.rule("test"), None, Released("chat", "claude", "done")))
    picture = snapshot(world, policy(), 1, kept={"search": replace(CHAT, key="search")})

    assert ["search"] == list(picture.entries)


def test_metadata_shows_one_percent_handed_back() -> None:
    """A dashboard that reads the metadata sees the first step."""
    stepped = Fact("flag/chat", 2, START, Actor.rule("test"), None, HandBackStepped("chat", 1, "well again", "gpt"))
    picture = snapshot(evolve(engaged(World()), stepped), policy(CHAT), 1)

    assert "handing_back" == picture.entries["chat"].metadata["phase"]


def test_number_beside_a_text_variant_is_served_unchanged() -> None:
    """Clients read a flag as a float only if all its values are numbers."""
    mixed = FlagPolicy(key="mixed", variants={"off": "off", "half": 0.5, "one": 1}, default="one")

    assert type(value(World(), mixed, "mixed")) is int
