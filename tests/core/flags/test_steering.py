"""People steer a flag: its share, a halt of the hand-back, another end, and keeping rules off."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.answers import flags as fa
from bot.core.model import Level
from bot.core.policy import PromptPrice
from bot.core.record.flag_facts import (
    ExpiryReached,
    HandBackAsked,
    HandBackReverted,
    HandBackStepped,
    Held,
    Released,
)
from bot.core.record.incident_facts import PhaseChanged
from bot.core.record.steering.steering_facts import ExpiryNear, ShareSet
from bot.flags.evaluate import bucket
from tests.core.flags.steered import API, FLAG, OPENAI, bodies, calm, engaged, handing_back, served, share
from tests.desk import ANA, BOB, START, Table, policy

# --- by what readers are dealt out


def test_other_attribute_for_sharing_applies_from_the_next_switch() -> None:
    """At once it would move readers of the current one."""
    table = share(calm(sticky_by="conversation"), 25)
    table.policy = policy(sticky_by="customer")
    table.send(s.RampFlag(ANA, flag=FLAG, share=50))
    running = engaged(table).sticky_by

    table.send(s.ReleaseFlag(ANA, flag=FLAG, force=True))
    assert ("conversation", "customer") == (running, engaged(share(table, 25)).sticky_by)


# --- a share


def test_share_of_the_readers_moves_and_the_rest_stays() -> None:
    """By the hash that also decides a hand-back."""
    table = share(calm(), 25)
    readers = [f"customer-{n}" for n in range(400)]
    gone = {reader for reader in readers if served(table, reader) == "gpt"}

    assert {reader for reader in readers if bucket(f"{FLAG}#1", reader) >= 7500} == gone
    assert 70 < len(gone) < 130


@pytest.mark.parametrize("steps", [[25, 50, 90, 100], [90, 50, 25, 10]])
def test_nobody_changes_sides_twice_while_a_share_grows_or_shrinks(steps: list[int]) -> None:
    """Whoever moved early belongs to every larger share."""
    table = share(calm(), steps[0])
    before = {reader for reader in map(str, range(300)) if served(table, reader) == "gpt"}
    for percent in steps[1:]:
        table.send(s.RampFlag(ANA, flag=FLAG, share=percent))
        after = {reader for reader in map(str, range(300)) if served(table, reader) == "gpt"}
        assert before < after if percent > steps[0] else after < before
        before = after


def test_share_chosen_in_an_outage_is_left_alone() -> None:
    """Claude fails already when ana moves a quarter: she knows."""
    table = calm(automation="propose")
    table.sees(API, Level.DOWN)
    share(table, 25)
    table.passes(60)

    assert 25 == engaged(table).share
    assert [] == bodies(table, HandBackReverted)


def test_everybody_moves_if_the_default_fails_after_a_share_was_chosen() -> None:
    """With `auto` an experiment does not block a failover, and nobody changes sides needlessly."""
    table = share(calm(), 25)
    table.sees(API, Level.DOWN)

    assert (100, f"{FLAG}#1") == (engaged(table).share, engaged(table).id)
    assert "mitigated" == table.world.incidents[1].phase


def test_proposing_flag_reports_readers_left_on_a_failing_default() -> None:
    """It switches nothing by itself."""
    table = share(calm(automation="propose"), 25)
    table.sees(API, Level.DOWN)

    assert 25 == engaged(table).share
    held = bodies(table, Held)[-1]
    assert Held(FLAG, "Claude API is down, and 75 % stays on claude, since that share was chosen before", True) == held


def test_mitigation_needs_all_readers_on_the_fallback() -> None:
    """A quarter is none; moving the rest is."""
    table = calm(automation="off")
    table.sees(API, Level.DOWN)
    share(table, 25)
    assert "triage" == table.world.incidents[1].phase

    table.send(s.RampFlag(ANA, flag=FLAG, share=100))
    assert "mitigated" == table.world.incidents[1].phase
    assert 1 == len(bodies(table, PhaseChanged))


def test_hand_back_of_a_manual_share_is_requested_once_the_default_is_well() -> None:
    """No rule starts it."""
    table = calm(automation="propose", first_step="auto")
    table.sees(API, Level.DOWN)
    share(table, 50)
    table.sees(API, Level.OPERATIONAL)
    table.passes(30)

    assert (50, 1) == (engaged(table).share, len(bodies(table, HandBackAsked)))
    answer = table.send(s.StepBack(ANA, flag=FLAG)).answer
    assert (1, fa.Released) == (len(bodies(table, Released)), type(answer))


def test_engage_with_another_share_is_a_ramp() -> None:
    """`engage gpt 50%` after `engage gpt 25%`."""
    table = share(share(calm(), 25), 50)

    assert [ShareSet(FLAG, 50, 25, "gpt", "we try it")] == bodies(table, ShareSet)
    assert f"{FLAG}#1" == engaged(table).id


@pytest.mark.parametrize(
    ("signal", "refused"),
    [
        (s.RampFlag(ANA, flag=FLAG, share=25), fa.ShareAlready),
        (s.RampFlag(ANA, flag=FLAG, share=0), fa.NoShare),
        (s.RampFlag(ANA, flag=FLAG, share=101), fa.NoShare),
        (s.EngageFlag(ANA, flag=FLAG, variant="gpt", share=25), fa.ShareAlready),
        (s.EngageFlag(ANA, flag=FLAG, variant="gpt", share=0), fa.NoShare),
        (s.EngageFlag(ANA, flag=FLAG, variant="cached", hold_for=timedelta(days=400)), fa.TooFar),
        (s.HoldHandBack(ANA, flag=FLAG), fa.HeldAlready),
        (s.ExtendFlag(ANA, flag=FLAG, lasts=timedelta(days=366)), fa.TooFar),
        (s.UnpinFlag(ANA, flag=FLAG), fa.NotPinned),
        (s.ThawFlags(ANA), fa.NotFrozen),
    ],
)
def test_pointless_steering_is_refused_with_a_reason(signal: s.Signal, refused: type) -> None:
    """A quarter is on GPT, and all is well."""
    assert refused is type(share(calm(), 25).send(signal).answer)


@pytest.mark.parametrize("kind", [s.HoldHandBack, s.ResumeHandBack])
def test_flag_on_its_default_cannot_be_steered(kind: type) -> None:
    """The answer says so."""
    assert fa.NotEngaged is type(calm().send(kind(ANA, flag=FLAG)).answer)


def test_moving_readers_to_a_failing_variant_needs_force() -> None:
    """Either way; the forced record says so."""
    table = share(calm(automation="off"), 25)
    table.sees(OPENAI, Level.DOWN)
    refused = table.send(s.RampFlag(ANA, flag=FLAG, share=50)).answer
    assert fa.ShareUnwell(flag=FLAG, share=50, unwell="OpenAI API is down") == refused

    table.send(s.RampFlag(ANA, flag=FLAG, share=50, reason="they say it is us", force=True))
    reason = "they say it is us (forced although OpenAI API is down)"
    assert ShareSet(FLAG, 50, 25, "gpt", reason) == bodies(table, ShareSet)[-1]


# --- halting the way back


def test_halted_hand_back_stays_where_it_is() -> None:
    """Until a person resumes it; then its step starts again."""
    table = handing_back()
    table.send(s.HoldHandBack(BOB, flag=FLAG))
    table.passes(60)
    assert 25 == engaged(table).share_back

    table.send(s.ResumeHandBack(BOB, flag=FLAG))
    table.passes(4)
    assert 25 == engaged(table).share_back
    table.passes(1)
    assert 50 == engaged(table).share_back


def test_everybody_leaves_a_failing_default_even_if_halted() -> None:
    """A halt does not mean to let customers fail."""
    table = handing_back()
    table.send(s.HoldHandBack(BOB, flag=FLAG))
    table.passes(1)
    table.sees(API, Level.DOWN)

    assert 100 == engaged(table).share


def test_ramp_during_a_hand_back_sets_the_share_and_halts_it() -> None:
    """Back up to 60 %, then as people say."""
    table = handing_back()
    table.send(s.RampFlag(ANA, flag=FLAG, share=60))
    table.passes(60)

    assert 60 == engaged(table).share
    assert fa.HandBackResumed is type(table.send(s.ResumeHandBack(ANA, flag=FLAG)).answer)


def test_full_share_during_a_hand_back_causes_no_immediate_request() -> None:
    """The default is well, and was when ana chose that."""
    table = handing_back()
    before = len(bodies(table, HandBackAsked)) + len(bodies(table, HandBackStepped))
    table.send(s.RampFlag(ANA, flag=FLAG, share=100))
    table.passes(60)

    assert 100 == engaged(table).share
    assert before == len(bodies(table, HandBackAsked)) + len(bodies(table, HandBackStepped))


def test_resume_to_an_unhealthy_default_is_refused() -> None:
    """Resuming is refused as beginning is."""
    table = handing_back()
    table.send(s.HoldHandBack(BOB, flag=FLAG))
    table.passes(1)
    table.sees(API, Level.DEGRADED)

    assert fa.HandBackRefused is type(table.send(s.ResumeHandBack(BOB, flag=FLAG)).answer)


# --- the end


def test_people_are_asked_fifteen_minutes_before_the_end() -> None:
    """Once."""
    table = calm()
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="cached", hold_for=timedelta(hours=2)))
    table.passes(104)
    assert [] == bodies(table, ExpiryNear)

    table.passes(1)
    end = START + timedelta(hours=2)
    assert [ExpiryNear(FLAG, end)] == bodies(table, ExpiryNear)
    table.passes(15)
    kept = ExpiryReached(FLAG, "kept until somebody releases it", end + timedelta(hours=4), asked=True)
    assert [kept] == bodies(table, ExpiryReached)
    assert () == table.steps[-1].effects


def test_people_are_asked_in_the_last_quarter_of_a_short_time() -> None:
    """With twenty minutes, not after five."""
    table = calm()
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="cached", hold_for=timedelta(minutes=20)))
    table.passes(14)
    assert [] == bodies(table, ExpiryNear)
    table.passes(1)
    assert 1 == len(bodies(table, ExpiryNear))


def test_people_are_asked_again_about_an_extended_end() -> None:
    """Counted from the previous end."""
    table = calm()
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="cached", hold_for=timedelta(hours=1)))
    table.passes(50)
    table.send(s.ExtendFlag(BOB, flag=FLAG, lasts=timedelta(hours=2), asked=START + timedelta(hours=1)))
    table.passes(114)
    assert [] == bodies(table, ExpiryReached)
    table.passes(2)

    ends = [START + timedelta(hours=1), START + timedelta(hours=3)]
    assert [ExpiryNear(FLAG, end) for end in ends] == bodies(table, ExpiryNear)


def test_second_press_does_not_extend_again() -> None:
    """The button counts for the end that it asks about."""
    table = calm()
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="cached", hold_for=timedelta(hours=1)))
    press = s.ExtendFlag(BOB, flag=FLAG, lasts=timedelta(hours=2), asked=START + timedelta(hours=1))
    table.send(press)

    assert fa.ExtendedAlready(flag=FLAG, until=START + timedelta(hours=3), now=START) == table.send(press).answer


# --- asking first


def test_plan_changes_nothing_and_shows_the_effect() -> None:
    """Readers, shares, the health of both sides, and obstacles."""
    table = calm()
    table.sees(API, Level.DEGRADED)
    table.send(s.PinFlag(ANA, flag=FLAG))
    step = table.send(s.PlanSwitch(ANA, flag=FLAG, share=25, readers=12))

    expected = fa.Planned(
        flag=FLAG, serves="claude", share_now=100, variant="gpt", share=25, default="claude", readers=12,
        healths=("Claude API is degraded", "OpenAI API is operational"), hands_off="it is pinned by ana",
    )  # fmt: skip
    assert expected == step.answer
    assert () == step.facts


def priced(**prices: PromptPrice) -> Table:
    """The desk's table, on which OpenAI has a price."""
    table = calm()
    table.policy = replace(table.policy, prices={name.replace("_", "."): price for name, price in prices.items()})
    return table


def rebuild(table: Table, **asked: int) -> fa.CacheRebuild | None:
    plan = table.send(s.PlanSwitch(ANA, flag=FLAG, variant="gpt", **asked)).answer
    assert isinstance(plan, fa.Planned)
    return plan.rebuild


def test_plan_shows_the_cost_of_the_other_providers_empty_cache() -> None:
    """For the moved share; with a thousand prompt tokens each, $1.12 per thousand requests."""
    table = priced(openai_api=PromptPrice(1.25, 0.13))
    found = rebuild(table, share=25, requests=4_000)
    assert fa.CacheRebuild("OpenAI API", 1.25, 0.13, 1_000) == found
    assert found is not None
    assert 1.12 == pytest.approx(found.more_per_thousand)


@pytest.mark.parametrize("prices", [{}, {"anthropic_api": PromptPrice(3, 0.3)}, {"openai_api": PromptPrice(1.25, 1.25)}])
def test_plan_shows_no_unknown_cost(prices: dict[str, PromptPrice]) -> None:
    """Without a price, with another component's, or if a cache saves nothing."""
    assert rebuild(priced(**prices), requests=4_000) is None


def test_plan_says_why_the_switch_would_be_refused() -> None:
    """As the switch itself would."""
    table = calm()
    table.sees(API, Level.DOWN)
    table.sees(OPENAI, Level.DOWN)
    plan = table.send(s.PlanSwitch(ANA, flag=FLAG, variant="gpt")).answer
    real = table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt")).answer

    assert isinstance(plan, fa.Planned)
    assert real == plan.refused
