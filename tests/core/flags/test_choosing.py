"""Which variant serves best: a slow fallback beats cached answers, and no rule leaves a working one for nothing better."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import signals as s
from bot.core.effects import PostLine, To
from bot.core.model import Fault, Level, Phase, Verdict
from bot.core.policy import Fallback, FlagPolicy, Policy
from bot.core.record.flag_facts import Engaged, Held
from bot.core.record.streams import evolve
from bot.core.record.world import World
from tests.desk import ANA, CHAT_FLAG, RULE, Table, component, policy, told

FLAG = CHAT_FLAG.key
GPT, GEMINI, CACHED = Fallback("gpt", "openai.api"), Fallback("gemini", "google.api"), Fallback("cached")
LEVELS = st.sampled_from(list(Level))


def three(*fallbacks: Fallback, **changes: object) -> Policy:
    """Claude with GPT, Gemini and cached answers behind it, in the order given."""
    base = policy(variants=dict.fromkeys(("claude", "gpt", "gemini", "cached"), "x"), fallbacks=fallbacks, **changes)
    return replace(base, components={**base.components, "google.api": component("google.api", "Gemini API", "Google")})


def serving(table: Table) -> str:
    held = table.world.flag(FLAG).engagement
    return held.variant if held else "claude"


def on_gpt(policy_: Policy) -> Table:
    table = Table(policy_).all_well()
    table.sees("anthropic.api", Level.DOWN)
    assert "gpt" == serving(table)
    return table


def held(table: Table) -> list[str]:
    return [body.reason for body in table.kinds(Held) if isinstance(body, Held)]


def test_slow_fallback_is_kept_if_only_cached_answers_are_left() -> None:
    """Customers keep talking to a model, slowly."""
    table = on_gpt(policy())
    table.sees("openai.api", Level.DEGRADED)

    assert "gpt" == serving(table)


def test_staying_on_a_slow_fallback_is_reported_once() -> None:
    """With the reason."""
    table = on_gpt(policy())
    table.sees("openai.api", Level.DEGRADED)
    table.passes(5)

    assert ["OpenAI API is degraded too; staying on gpt (cached would be worse)"] == held(table)


def test_slow_fallback_is_left_for_a_healthy_one() -> None:
    """Gemini is fine: there is no reason to be slow."""
    table = on_gpt(three(GPT, CACHED, GEMINI))
    table.passes(10)
    table.sees("openai.api", Level.DEGRADED)

    assert "gemini" == serving(table)


def test_unstable_fallbacks_are_not_swapped_back_and_forth() -> None:
    """A rule switches once within `min_hold`, and says what it waits for."""
    table = on_gpt(three(GPT, GEMINI))
    table.passes(4)
    table.sees("openai.api", Level.DEGRADED)
    assert "gpt" == serving(table)
    assert ["OpenAI API is degraded too; gemini would be better, but the last switch is less than 10 min old"] == held(table)

    table.passes(6)
    assert "gemini" == serving(table)
    table.sees("google.api", Level.DEGRADED)
    table.sees("openai.api", Level.OPERATIONAL)
    assert "gemini" == serving(table)


def test_failing_fallback_is_left_at_once() -> None:
    """However recent the last switch is."""
    table = on_gpt(three(GPT, GEMINI))
    table.sees("openai.api", Level.DOWN)

    assert "gemini" == serving(table)


@pytest.mark.parametrize(
    ("gpt", "gemini", "chosen"),
    [
        (Level.OPERATIONAL, Level.OPERATIONAL, "gpt"),
        (Level.DEGRADED, Level.OPERATIONAL, "gemini"),
        (Level.DEGRADED, Level.UNKNOWN, "gpt"),
        (Level.DEGRADED, Level.DOWN, "gpt"),
        (Level.UNKNOWN, Level.DEGRADED, "gemini"),
        (Level.UNKNOWN, Level.DOWN, "claude"),
        (Level.DOWN, Level.DOWN, "claude"),
    ],
)
def test_fallbacks_are_ranked_by_health(gpt: Level, gemini: Level, chosen: str) -> None:
    """Operational before degraded; no rule switches to one that is down or unknown."""
    table = Table(three(GPT, GEMINI)).all_well()
    table.sees("openai.api", gpt)
    table.sees("google.api", gemini)
    table.sees("anthropic.api", Level.DOWN)

    assert chosen == serving(table)


def same_vendor(*bad: str) -> Table:
    """Claude's API behind the default, its web surface behind the first fallback, GPT behind the second; these are down."""
    table = Table(three(Fallback("gemini", "anthropic.web"), GPT)).all_well()
    for id in bad:
        table.sees(id, Level.DOWN)
    return table


def test_another_component_of_the_vendor_may_serve_if_only_one_fails() -> None:
    """One model may be down alone."""
    assert "gemini" == serving(same_vendor("anthropic.api"))


@pytest.mark.parametrize("also", ["anthropic.mobile", "anthropic.web"])
def test_vendor_with_two_failing_components_is_not_left_for_a_third(also: str) -> None:
    """It is the same vendor under another name."""
    assert "gpt" == serving(same_vendor(also, "anthropic.api"))


def test_missing_healthy_fallback_notifies_people() -> None:
    """Customers are not served, and only people can help."""
    table = same_vendor("openai.api", "anthropic.mobile", "anthropic.api")

    reason = "gemini needs claude.ai, which is of the provider that fails; gpt needs OpenAI API, which is down"
    assert [f"no fallback is healthy: {reason}"] == held(table)
    assert 1 == sum(effect.body == PostLine(To.THREAD) for done in table.steps for effect in done.effects)


def test_serving_component_is_not_left_because_another_fails() -> None:
    """It is judged by itself."""
    table = same_vendor("anthropic.api")
    table.sees("anthropic.mobile", Level.DOWN)

    assert "gemini" == serving(table)


def test_person_may_choose_another_component_of_the_vendor() -> None:
    """They may know more than our checks."""
    table = Table(three(Fallback("gemini", "anthropic.web"), automation="off")).all_well()
    for id in ("anthropic.mobile", "anthropic.api"):
        table.sees(id, Level.DOWN)
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gemini"))

    assert "gemini" == serving(table)


def test_slow_fallback_is_not_left_for_another_slow_one() -> None:
    """No better is not worth a switch."""
    table = on_gpt(three(GPT, GEMINI))
    table.sees("google.api", Level.DEGRADED)
    table.sees("openai.api", Level.DEGRADED)

    assert "gpt" == serving(table)
    assert ["OpenAI API is degraded too; staying on gpt (gemini would be no better)"] == held(table)


def test_failed_fallback_is_left_for_cached_answers() -> None:
    """They are better than none."""
    table = on_gpt(policy())
    table.sees("openai.api", Level.DOWN)

    assert "cached" == serving(table)


def test_slow_fallback_is_engaged_before_cached_answers() -> None:
    """The first switch uses the same order."""
    table = Table().all_well()
    table.sees("openai.api", Level.DEGRADED)
    table.sees("anthropic.api", Level.DOWN)

    assert "gpt" == serving(table)
    assert Phase.MITIGATED == table.incident().phase


def test_slow_default_is_kept_if_the_flag_engages_on_down() -> None:
    """Although a fallback is well."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DEGRADED)

    assert "claude" == serving(table)


def test_slow_fallback_is_left_for_cached_answers_with_engage_on_degraded() -> None:
    """That setting applies to every variant."""
    table = on_gpt(policy(engage_on=Level.DEGRADED))
    table.passes(10)
    table.sees("openai.api", Level.DEGRADED)

    assert "cached" == serving(table)


def test_slow_default_is_not_left_for_a_slow_fallback() -> None:
    """Even with `engage_on: degraded`."""
    table = Table(policy(engage_on=Level.DEGRADED, fallbacks=(GPT,))).all_well()
    table.sees("openai.api", Level.DEGRADED)
    table.sees("anthropic.api", Level.DEGRADED)

    assert "claude" == serving(table)
    assert ["no fallback is better: gpt would be no better"] == held(table)


def test_first_fallback_is_preferred_even_without_a_model() -> None:
    """`off` before a model in `fallbacks` means off."""
    table = Table(three(CACHED, GPT)).all_well()
    table.sees("anthropic.api", Level.DOWN)

    assert "cached" == serving(table)


def test_person_may_switch_to_a_slow_fallback_if_the_default_is_down() -> None:
    """What a rule may propose, a person may do."""
    table = Table(policy(automation="propose")).all_well()
    table.sees("openai.api", Level.DEGRADED)
    table.sees("anthropic.api", Level.DOWN)
    said = table.send(s.EngageFlag(actor=ANA, flag=FLAG, approves=True)).answer

    assert said.ok
    assert "gpt" == serving(table)


def test_working_default_is_not_left_for_a_slow_fallback_by_default() -> None:
    """Without a named variant, the working one is offered."""
    table = Table().all_well()
    table.sees("openai.api", Level.DEGRADED)
    table.send(s.EngageFlag(actor=ANA, flag=FLAG, reason="cost"))

    assert "cached" == serving(table)


# --- the law


def worth(flag: FlagPolicy, variant: str, world: World) -> int:
    """How good a variant is, told anew and shorter than the product tells it; lower is better."""
    degraded = 3 if flag.engage_on is Level.DEGRADED else 1
    ranks = {Level.OPERATIONAL: 0, Level.DEGRADED: degraded, Level.UNKNOWN: 4, Level.DOWN: 5}
    if variant == flag.default:
        return max(ranks[world.component(c).level] for c in flag.depends_on)
    needs = {one.variant: one.needs for one in flag.fallbacks}[variant]
    if needs:
        return ranks[world.component(needs).level]
    return 0 if flag.fallbacks[0].variant == variant else 2


@given(
    order=st.permutations([GPT, GEMINI, CACHED]),
    engage_on=st.sampled_from([Level.DOWN, Level.DEGRADED]),
    story=st.lists(st.tuples(st.sampled_from(["anthropic.api", "openai.api", "google.api"]), LEVELS), max_size=15),
)
def test_no_rule_ever_switches_to_a_variant_that_is_no_better(
    order: list[Fallback], engage_on: Level, story: list[tuple[str, Level]]
) -> None:
    """Whatever the components do, every automatic switch goes to a variant that is better at that moment."""
    table = Table(three(*order, engage_on=engage_on)).all_well()
    for component_, level in story:
        table.sees(component_, level)
        table.passes(1)

    flag, world = table.policy.flags[FLAG], World()
    for fact in table.facts:
        if isinstance(fact.body, Engaged):
            assert worth(flag, fact.body.variant, world) < worth(flag, fact.body.previous, world)
        world = evolve(world, fact)


def test_default_is_as_bad_as_its_worst_component() -> None:
    """The chat needs two components of Claude."""
    table = Table(policy(depends_on=("anthropic.web", "anthropic.api"))).all_well()
    table.sees("anthropic.api", Level.DOWN)

    assert "gpt" == serving(table)


def test_best_fallback_is_chosen_not_the_first_better_one() -> None:
    """GPT is down: Gemini works, although cached answers come earlier in the list."""
    table = Table(three(GPT, CACHED, GEMINI)).all_well()
    table.sees("openai.api", Level.DOWN)
    table.sees("anthropic.api", Level.DOWN)

    assert "gemini" == serving(table)


def test_person_without_a_named_variant_gets_the_best() -> None:
    """GPT is slow, Gemini is well."""
    table = Table(three(GPT, GEMINI, automation="off")).all_well()
    table.sees("openai.api", Level.DEGRADED)
    table.sees("anthropic.api", Level.DOWN)
    table.send(s.EngageFlag(actor=ANA, flag=FLAG))

    assert "gemini" == serving(table)


def test_unchecked_fallback_is_not_chosen() -> None:
    """By no rule, and a person without a named variant is told why."""
    table = Table(three(GPT))
    table.sees("anthropic.api", Level.DOWN)
    asked = table.send(s.EngageFlag(actor=ANA, flag=FLAG)).answer

    assert "claude" == serving(table)
    assert not asked.ok
    assert "No fallback of support chat would be better: gpt needs OpenAI API, which is unknown." == told(asked)


def test_hand_back_goes_on_if_the_fallback_becomes_slow() -> None:
    """The default has recovered; a third provider would be a detour."""
    table = on_gpt(three(GPT, GEMINI))
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.passes(11)
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    table.sees("openai.api", Level.DEGRADED)

    engagement = table.world.flag(FLAG).engagement
    assert engagement is not None
    assert "gpt" == engagement.variant
    assert engagement.share_back > 0


def test_fallback_with_an_exhausted_quota_is_no_better_than_an_outage() -> None:
    """Nobody gets an answer there either, so that it is no better than what is down."""
    table = Table(policy(automation="off")).all_well()
    refused = Verdict("openai.api", Level.UNKNOWN, "our quota is used up", Fault.OURS_QUOTA, (), table.now)
    table.send(s.VerdictReached(actor=RULE, verdict=refused))
    table.sees("anthropic.api", Level.DOWN)
    asked = table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant="gpt", reason="outage")).answer

    assert not asked.ok
    assert "claude" == serving(table)


# --- what people ask for, and what comes back


def test_repeated_command_keeps_the_working_fallback() -> None:
    """A rule or a colleague engaged GPT a second ago; the same command does not ask for cached answers."""
    table = on_gpt(policy())
    said = table.send(s.EngageFlag(actor=ANA, flag=FLAG)).answer

    assert not said.ok
    assert "gpt" == serving(table)
    assert "No fallback of support chat would be better: cached would be worse." == told(said)


def test_person_may_name_a_worse_variant() -> None:
    """For cost, or because of a complaint."""
    table = on_gpt(policy())
    table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant="cached", reason="GPT is too expensive"))

    assert "cached" == serving(table)


def test_refusal_gives_a_reason_for_each_fallback() -> None:
    """So that the person need not ask about each."""
    table = Table(three(GPT, GEMINI, automation="off")).all_well()
    for id in ("anthropic.api", "openai.api", "google.api"):
        table.sees(id, Level.DOWN)
    asked = table.send(s.EngageFlag(actor=ANA, flag=FLAG)).answer

    assert "gpt needs OpenAI API, which is down; gemini needs Gemini API, which is down." in told(asked)


def test_healthy_default_is_not_left_for_a_slow_fallback() -> None:
    """The person gets the reason."""
    table = Table(three(GPT)).all_well()
    table.sees("openai.api", Level.DEGRADED)
    asked = table.send(s.EngageFlag(actor=ANA, flag=FLAG, reason="cost")).answer

    assert "No fallback of support chat would be better: gpt would be no better." == told(asked)


def test_flag_with_one_fallback_has_no_other() -> None:
    """It is served already."""
    table = on_gpt(three(GPT))
    asked = table.send(s.EngageFlag(actor=ANA, flag=FLAG)).answer

    assert "No fallback of support chat would be better: there is no other fallback." == told(asked)


def on_cached(policy_: Policy) -> Table:
    """Claude is down, and GPT failed for a moment."""
    table = on_gpt(policy_)
    table.sees("openai.api", Level.DOWN)
    assert "cached" == serving(table)
    table.passes(2)
    return table


def test_cached_answers_are_left_for_a_recovered_fallback() -> None:
    """A blip of GPT at the start must not leave customers without a model for four hours."""
    table = on_cached(policy())
    table.sees("openai.api", Level.DEGRADED)
    table.passes(7)
    early = serving(table)
    table.passes(1)

    assert "cached" == early
    assert "gpt" == serving(table)


def test_cached_answers_chosen_by_a_person_are_kept() -> None:
    """The rule does not know why."""
    table = on_gpt(policy())
    table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant="cached", reason="GPT insults people"))
    table.passes(60)

    assert "cached" == serving(table)


def test_cached_answers_are_not_left_for_a_model_during_recovery() -> None:
    """Claude is well: one switch is enough."""
    table = on_cached(policy())
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.sees("openai.api", Level.OPERATIONAL)
    table.passes(20)

    assert "cached" == serving(table)
