"""What is kept of an earlier configuration, decided without a bot."""

from dataclasses import replace

import pytest

from bot.core import signals as s
from bot.core.model import Phase
from bot.core.policy import ComponentPolicy, Policy
from bot.wiring.retained import keep, remember
from tests.desk import ANA, CHAT_FLAG, Table, policy

KEY = CHAT_FLAG.key


def engaged(variant: str = "gpt") -> Table:
    """A table on which the chat flag is engaged by a person."""
    table = Table().all_well()
    assert table.send(s.EngageFlag(actor=ANA, flag=KEY, variant=variant, reason="test")).answer.ok
    return table


def without_flags(before: Policy) -> Policy:
    return replace(before, flags={})


def without_variant(before: Policy, variant: str) -> Policy:
    flag = before.flags[KEY]
    variants = {name: value for name, value in flag.variants.items() if name != variant}
    fallbacks = tuple(one for one in flag.fallbacks if one.variant != variant)
    return replace(before, flags={KEY: replace(flag, variants=variants, fallbacks=fallbacks)})


def test_nothing_is_kept_if_nothing_was_removed() -> None:
    """The policy is the file's."""
    kept = keep(policy(), engaged().world, remember(policy(), {}))

    assert (policy(), {}, ()) == (kept.policy, dict(kept.flags), kept.left)


def test_unused_flag_may_be_removed() -> None:
    """Only what is in use is kept."""
    kept = keep(without_flags(policy()), Table().all_well().world, remember(policy(), {}))

    assert ({}, ()) == (dict(kept.policy.flags), kept.left)


def test_engaged_flag_is_kept_with_automation_off() -> None:
    """With the recorded values, default and rules; nothing switches it by itself any more."""
    table = engaged()
    kept = keep(without_flags(policy()), table.world, remember(policy(automation="auto"), {}))

    assert replace(CHAT_FLAG, automation="off") == kept.policy.flags[KEY]
    assert [f"flag {KEY} left the configuration while it is engaged; it is served until it is released"] == list(
        kept.sentences(table.world)
    )


def test_kept_flag_forgets_removed_components() -> None:
    """Nothing checks them, so no rule may wait for them."""
    bare = replace(without_flags(policy()), components={})
    kept = keep(bare, engaged().world, remember(policy(), {}))

    assert () == kept.policy.flags[KEY].depends_on


def test_engaged_variant_is_kept_in_its_flag() -> None:
    """The flag is as configured, with one more value."""
    now = without_variant(policy(automation="propose"), "gpt")
    kept = keep(now, engaged().world, remember(policy(), {}))

    assert replace(now.flags[KEY], variants={**now.flags[KEY].variants, "gpt": "gpt"}) == kept.policy.flags[KEY]


def test_kept_variant_survives_any_number_of_starts() -> None:
    """What one start kept is recorded for the next."""
    now, record = without_variant(policy(), "gpt"), remember(policy(), {})
    for _ in range(3):
        kept = keep(now, engaged().world, record)
        record = remember(now, kept.flags)

        assert "gpt" == kept.policy.flags[KEY].variants["gpt"]


def test_engagement_without_a_record_is_reported() -> None:
    """The ledger came from elsewhere, or the record was lost: nothing can be served, so people are told."""
    table = engaged()
    for record in (None, "{}", remember(without_variant(policy(), "gpt"), {})):
        kept = keep(without_flags(policy()), table.world, record)

        assert {} == kept.flags
        assert [True] == ["which no configuration on record defines" in words for words in kept.sentences(table.world)]


def test_nothing_is_reported_after_the_engagement_ended() -> None:
    """The sentence is about now, not about the start."""
    table = engaged()
    kept = keep(without_flags(policy()), table.world, remember(policy(), {}))
    table.send(s.ReleaseFlag(actor=ANA, flag=KEY, reason="over", force=True))

    assert () == kept.sentences(table.world)


def test_component_of_an_open_incident_is_kept_by_its_id() -> None:
    """Its name left with the file; people are told to resolve the incident until they do."""
    table = Table().all_well()
    table.send(s.Declare(actor=ANA, title="Claude is slow", components=("anthropic.api",)))
    bare = Policy({}, {}, policy().incidents)
    kept = keep(bare, table.world, None)

    assert {
        "anthropic.api": ComponentPolicy("anthropic.api", "anthropic.api", "anthropic", "anthropic", {})
    } == kept.policy.components
    assert [True] == ["a person has to resolve" in words for words in kept.sentences(table.world)]
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, reason="over"))
    assert () == kept.sentences(table.world)


def test_component_of_an_ended_incident_may_be_removed() -> None:
    """Nothing of it is under way."""
    table = Table().all_well()
    table.send(s.Declare(actor=ANA, title="Claude is slow", components=("anthropic.api",)))
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, reason="over"))
    kept = keep(Policy({}, {}, policy().incidents), table.world, None)

    assert ({}, ()) == (dict(kept.policy.components), kept.left)


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, '{"support-chat.llm": 7}', '{"support-chat.llm": {"key": 1}}', "7"])
def test_edited_record_stops_no_start(text: str) -> None:
    """It is reported that no record defines the value; what the file has is served."""
    kept = keep(without_variant(policy(), "gpt"), engaged().world, text)

    assert [f"{KEY} is engaged on gpt, which no configuration on record defines: put it back, or release the flag"] == [
        left.sentence for left in kept.left
    ]


def test_flag_with_a_switched_scope_is_kept_completely() -> None:
    """With any variant that only the scope uses."""
    table = Table().all_well()
    table.send(s.EngageFlag(actor=ANA, flag=f"{KEY}@env=eu", variant="gpt", reason="test"))
    remembered = remember(policy(), {})
    gone, shrunk = (
        keep(without_flags(policy()), table.world, remembered),
        keep(without_variant(policy(), "gpt"), table.world, remembered),
    )

    assert [[KEY], [KEY]] == [list(kept.flags) for kept in (gone, shrunk)]
    assert all("gpt" in kept.policy.flags[KEY].variants for kept in (gone, shrunk))
    table.send(s.ReleaseFlag(actor=ANA, flag=f"{KEY}@env=eu", reason="done"))
    assert ((), ()) == (gone.sentences(table.world), shrunk.sentences(table.world))
