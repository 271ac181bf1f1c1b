"""Flag evaluation as a pure function of an immutable snapshot."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model import Actor, FeedState
from bot.core.policy import Fallback, FlagPolicy, IncidentPolicy, Policy
from bot.core.record.fact import Body, Fact
from bot.core.record.flag_facts import Engaged, HandBackReverted, HandBackStepped, Released
from bot.core.record.provider_facts import FeedChanged
from bot.core.record.streams import evolve
from bot.core.record.world import World
from bot.flags.evaluate import Evaluation, NotFound, Snapshot, bucket, evaluate, revision_of, snapshot

NOW = datetime(2026, 3, 20, 12, 43, tzinfo=UTC)
CHAT = FlagPolicy(
    key="support-chat.llm",
    variants={"claude": "anthropic", "gpt": "openai"},
    default="claude",
    fallbacks=(Fallback("gpt", "openai.api"),),
    description="Which provider answers the support chat",
)


def policy(*flags: FlagPolicy) -> Policy:
    return Policy(components={}, flags={flag.key: flag for flag in flags}, incidents=IncidentPolicy(update_every={}))


def world(*bodies: Body, key: str = CHAT.key, incident: int | None = 7) -> World:
    """A world built from these facts about one flag."""
    found = World()
    for seq, body in enumerate(bodies, start=1):
        found = evolve(found, Fact(f"flag/{key}", seq, NOW, Actor.rule("failover"), incident, body))
    return found


def engaged(variant: str = "gpt", key: str = CHAT.key) -> Engaged:
    return Engaged(
        flag=key, engagement=f"{key}/1", variant=variant, previous="claude", reason="claude api is down", mode="auto",
        expires_at=NOW + timedelta(hours=4), because=("anthropic.api",),
    )  # fmt: skip


def stepped(share: int) -> HandBackStepped:
    return HandBackStepped(flag=CHAT.key, share=share, reason="the default is well")


def ask(picture: Snapshot, targeting_key: Any = "user-1", key: str = CHAT.key) -> Evaluation:
    found = evaluate(picture, key, {"targetingKey": targeting_key})
    assert isinstance(found, Evaluation)
    return found


def test_default_is_served_when_nothing_is_engaged() -> None:
    """Without an engagement everybody gets the default, with reason STATIC."""
    found = ask(snapshot(World(), policy(CHAT), 3))
    assert Evaluation(
        CHAT.key, "anthropic", "claude", "STATIC",
        {"phase": "normal", "percent_on_fallback": 0, "revision": 0, "description": CHAT.description},
    ) == replace(found, metadata=dict(found.metadata))  # fmt: skip


def test_fallback_is_served_to_everybody_when_engaged() -> None:
    """An engagement without a hand-back sends every reader to the fallback, and the metadata says why."""
    found = ask(snapshot(world(engaged()), policy(CHAT), 4))
    assert ("openai", "gpt", "STATIC") == (found.value, found.variant, found.reason)
    assert {
        "phase": "engaged",
        "percent_on_fallback": 100,
        "revision": 1,
        "description": CHAT.description,
        "incident": "INC-7",
        "engagedAt": "2026-03-20T12:43:00+00:00",
        "expiresAt": "2026-03-20T16:43:00+00:00",
    } == dict(found.metadata)


def test_metadata_omits_unknown_values() -> None:
    """Java's client fails on null in metadata, so an engagement without an incident omits it."""
    bare = replace(CHAT, description="")
    found = ask(snapshot(world(engaged(), incident=None), policy(bare), 4))
    assert {"phase", "percent_on_fallback", "revision", "engagedAt", "expiresAt"} == set(found.metadata)


def test_readers_are_split_when_a_share_was_handed_back() -> None:
    """With 25 percent handed back about a quarter of the readers get the default, each with reason SPLIT."""
    picture = snapshot(world(engaged(), stepped(25)), policy(CHAT), 5)
    answers = [ask(picture, f"user-{n}") for n in range(4000)]
    assert {"SPLIT"} == {a.reason for a in answers}
    assert 0.23 < sum(a.variant == "claude" for a in answers) / 4000 < 0.27
    assert ("handing_back", 75) == (answers[0].metadata["phase"], answers[0].metadata["percent_on_fallback"])


@pytest.mark.parametrize("context", [{}, {"targetingKey": ""}, {"targetingKey": None}, {"targetingKey": 7}])
def test_reader_without_a_key_stays_on_the_fallback_when_split(context: dict[str, Any]) -> None:
    """An anonymous reader stays on the safe side until everything is handed back."""
    picture = snapshot(world(engaged(), stepped(99)), policy(CHAT), 5)
    found = evaluate(picture, CHAT.key, context)
    assert isinstance(found, Evaluation)
    assert ("gpt", "SPLIT") == (found.variant, found.reason)


def test_everybody_is_back_when_the_whole_share_was_handed_back() -> None:
    """At 100 percent even a reader without a key gets the default."""
    picture = snapshot(world(engaged(), stepped(100)), policy(CHAT), 5)
    found = evaluate(picture, CHAT.key, {})
    assert isinstance(found, Evaluation)
    assert ("claude", "STATIC") == (found.variant, found.reason)


def test_everybody_is_on_the_fallback_when_the_hand_back_is_reverted() -> None:
    """A relapse takes all readers to the fallback again."""
    reverted = HandBackReverted(flag=CHAT.key, reason="down again")
    picture = snapshot(world(engaged(), stepped(50), reverted), policy(CHAT), 6)
    assert {"gpt"} == {ask(picture, f"user-{n}").variant for n in range(200)}


@given(st.text(min_size=1), st.text(min_size=1), st.integers(1, 99), st.integers(0, 99))
def test_nobody_moves_back_when_the_share_grows(engagement: str, key: str, share: int, more: int) -> None:
    """A reader that went back to the default stays there at every larger share of the same engagement."""
    body = replace(engaged(), engagement=engagement)
    at = {s: snapshot(world(body, stepped(s)), policy(CHAT), s) for s in {share, min(100, share + more)}}
    path = [ask(at[s], key).variant for s in sorted(at)]
    assert path != ["claude", "gpt"]
    assert 0 <= bucket(engagement, key) < 10_000


def test_bucket_of_a_reader_never_changes() -> None:
    """The hash is part of the contract: a restart or an upgrade during a ramp must not reshuffle readers."""
    assert [9938, 5924, 1452] == [bucket("e-1", key) for key in ("user-1", "user-2", "\ud800")]


def test_flag_keeps_its_revision_when_another_one_changes() -> None:
    """Web clients compare answers, so only the changed flag may look changed."""
    other = FlagPolicy(key="other", variants={"a": 1}, default="a")
    picture = snapshot(world(engaged()), policy(CHAT, other), 9)
    assert (1, 0, 9) == (
        ask(picture).metadata["revision"],
        ask(picture, key="other").metadata["revision"],
        picture.revision,
    )


def test_unknown_flag_is_not_found() -> None:
    """An unconfigured key has no value, only a reason."""
    found = evaluate(snapshot(World(), policy(CHAT), 1), "support-chat.lm", {})
    assert isinstance(found, NotFound)
    assert "support-chat.lm" in found.reason


def test_engaged_flag_is_served_from_its_kept_policy_when_it_left_the_configuration() -> None:
    """Editing the configuration during an outage must not send traffic back to the broken provider."""
    picture = snapshot(world(engaged()), policy(), 4, kept={CHAT.key: CHAT})
    assert "openai" == ask(picture).value
    assert () == picture.complaints


def test_engaged_variant_is_served_from_its_kept_value_when_it_left_the_configuration() -> None:
    """The flag is still configured but the engaged variant is gone: its last known value is served."""
    shrunk = replace(CHAT, variants={"claude": "anthropic-2"})
    picture = snapshot(world(engaged()), policy(shrunk), 4, kept={CHAT.key: CHAT})
    assert ("openai", "gpt") == (ask(picture).value, ask(picture).variant)


def test_default_is_served_when_the_engaged_value_is_lost() -> None:
    """The reason is UNKNOWN, and health reports it."""
    shrunk = replace(CHAT, variants={"claude": "anthropic"})
    picture = snapshot(world(engaged()), policy(shrunk), 4)
    found = ask(picture)
    assert ("anthropic", "UNKNOWN", 0) == (found.value, found.reason, found.metadata["percent_on_fallback"])
    assert 1 == len(picture.complaints)
    gone = snapshot(world(engaged()), policy(), 4)
    assert isinstance(evaluate(gone, CHAT.key, {}), NotFound)
    assert 1 == len(gone.complaints)


def test_kept_flag_is_gone_when_it_is_released() -> None:
    """Once released, a flag that left the configuration is not served any more."""
    released = Released(flag=CHAT.key, variant="claude", reason="done")
    picture = snapshot(world(engaged(), released), policy(), 5, kept={CHAT.key: CHAT})
    assert {} == dict(picture.entries)


def test_numbers_are_floats_when_one_variant_is() -> None:
    """Python's and Java's clients refuse `1` for a float flag, so 1 beside 0.5 is served as 1.0."""
    rate = FlagPolicy(key="rate", variants={"full": 1, "half": 0.5}, default="full")
    count = FlagPolicy(key="count", variants={"one": 1, "two": 2}, default="one")
    picture = snapshot(World(), policy(rate, count), 1)
    assert "1.0" == json.dumps(ask(picture, key="rate").value)
    assert "1" == json.dumps(ask(picture, key="count").value)


def test_snapshot_does_not_change_when_its_configuration_object_does() -> None:
    """A snapshot owns its values."""
    route = {"provider": "anthropic", "hosts": ["a", "b"]}
    picture = snapshot(World(), policy(FlagPolicy(key="r", variants={"a": route}, default="a")), 1)
    route["provider"] = "changed"
    assert {"provider": "anthropic", "hosts": ["a", "b"]} == ask(picture, key="r").value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, {"deep": [float("nan")]}, object()])
def test_snapshot_is_refused_when_json_cannot_carry_a_value(value: Any) -> None:
    """Such a value is a mistake in the configuration, named with flag and variant."""
    with pytest.raises(ValueError, match=r"(odd\.a|variant a of flag odd)"):
        snapshot(World(), policy(FlagPolicy(key="odd", variants={"a": value}, default="a")), 1)


def test_revision_grows_with_facts_about_flags_only() -> None:
    """The revision is derived from the ledger, so a restart gives the same one."""
    assert 2 == revision_of(world(engaged(), stepped(10)))
    verdict = FeedChanged(provider="anthropic", state=FeedState.FRESH, reason="read")
    other = Fact("provider/anthropic", 1, NOW, Actor.rule("watch"), None, verdict)
    assert 2 == revision_of(evolve(world(engaged(), stepped(10)), other))
