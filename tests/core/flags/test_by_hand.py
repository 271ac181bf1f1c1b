"""Switches by people, their plans and their ends: what is answered, and what is recorded."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.answers import flags as fa
from bot.core.answers.base import NoFlag
from bot.core.answers.rehearsals import Unrehearsed
from bot.core.model import Level
from bot.core.policy import PromptPrice, RehearsePolicy, SinkPolicy
from bot.core.record.course.mitigation_facts import MitigationLost
from bot.core.record.flag_facts import Released
from bot.core.scope import MOST_AT_ONCE
from tests.core.flags.steered import API, FLAG, OPENAI, calm, engaged, handing_back, share
from tests.desk import ANA, BOB, Table

EU = f"{FLAG}@env=eu"
NEVER = "it was never rehearsed"


def failed_over(**changes: object) -> Table:
    """Claude is down in INC-1, and everybody is on GPT."""
    table = calm(**changes)
    table.sees(API, Level.DOWN)
    return table


def plan(table: Table, flag: str = FLAG, **asked: object) -> fa.Planned:
    found = table.send(s.PlanSwitch(ANA, flag=flag, **asked)).answer  # type: ignore[arg-type] # fields of a plan
    assert isinstance(found, fa.Planned)
    return found


# --- engaging


def test_new_share_with_a_time_limit_counts_from_now() -> None:
    """Not from the first switch."""
    table = share(calm(), 25)
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", share=50, hold_for=timedelta(hours=2)))

    assert table.now + timedelta(hours=2) == engaged(table).expires_at


def test_forced_return_of_half_the_readers_ends_the_mitigation() -> None:
    """The incident says so at once."""
    table = failed_over()
    done = table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", share=50, force=True)).answer

    assert fa.ShareSet(flag=FLAG, incident=1, changed=True, share=50, variant="gpt", default="claude") == done
    assert "mitigated" != table.incident().phase


def test_share_may_return_from_a_slow_fallback_without_force() -> None:
    """GPT is slow, Claude is well: half of the readers are better off."""
    table = share(calm(automation="off"), 100)
    table.sees(OPENAI, Level.DEGRADED)

    assert fa.ShareSet is type(table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", share=50)).answer)


def test_readers_may_leave_a_slow_fallback_for_another_without_force() -> None:
    """The same number: nobody joins GPT, and nobody returns to Claude."""
    table = share(calm(automation="off"), 50)
    table.sees(OPENAI, Level.DEGRADED)

    assert fa.Switched is type(table.send(s.EngageFlag(ANA, flag=FLAG, variant="cached", share=50)).answer)


@pytest.mark.parametrize("percent", [50, 100])
def test_adding_readers_to_a_slow_fallback_needs_force(percent: int) -> None:
    """As with `ramp`; the refusal and the plan both say so."""
    table = share(calm(automation="off"), 25)
    table.sees(OPENAI, Level.DEGRADED)
    asked = s.EngageFlag(ANA, flag=FLAG, variant="gpt", share=percent)
    unwell = fa.ShareUnwell(flag=FLAG, share=percent, unwell="OpenAI API is degraded", variant="gpt")

    assert unwell == plan(table, variant="gpt", share=percent).refused
    assert unwell == table.send(asked).answer
    assert table.send(replace(asked, force=True)).answer.ok
    assert percent == engaged(table).share
    assert "(forced although OpenAI API is degraded)" in table.facts[-1].body.reason  # type: ignore[attr-defined]


def test_remaining_readers_may_join_a_slow_fallback_if_the_default_is_down() -> None:
    """It is compared with Claude, not with itself."""
    table = share(calm(automation="off"), 50)
    table.sees(API, Level.DOWN)
    table.sees(OPENAI, Level.DEGRADED)

    assert table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt")).answer.ok
    assert 100 == engaged(table).share


def test_remaining_readers_are_switched_for_the_outage() -> None:
    """Not for the earlier trial's reason: incident and hand-back use it."""
    table = share(calm(automation="off"), 50)
    table.sees(API, Level.DOWN)
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt"))

    assert ("Claude API is down", (API,)) == (engaged(table).reason, engaged(table).because)


@pytest.mark.parametrize(
    ("automation", "level", "reason"),
    [
        ("off", Level.OPERATIONAL, "no reason given"),
        ("off", Level.DOWN, "Claude API is down"),
        ("propose", Level.DOWN, "Claude API is down"),
    ],
)
def test_switch_without_a_reason_names_the_failing_component(automation: str, level: Level, reason: str) -> None:
    """Or says that none was given."""
    table = calm(automation=automation)
    table.sees(API, level)
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt"))

    assert reason == engaged(table).reason


def test_approval_keeps_the_proposals_reason() -> None:
    """Even if the default has recovered by then."""
    table = calm()
    table.send(s.FreezeFlags(ANA))
    table.sees(API, Level.DOWN)
    table.send(s.EngageFlag(BOB, flag=FLAG, variant="gpt", approves=True))

    assert "Claude API is down, and automation is frozen by ana" == engaged(table).reason


def test_approval_of_an_unrehearsed_variant_switches_and_says_so() -> None:
    """Nothing else serves, and the approver was told."""
    only_gpt = calm().policy.flags[FLAG].fallbacks[:1]
    table = failed_over(automation="propose", rehearse=RehearsePolicy(), fallbacks=only_gpt)
    table.send(s.EngageFlag(BOB, flag=FLAG, variant="gpt", approves=True))

    assert f"Claude API is down (approved although {NEVER})" == engaged(table).reason


def test_forced_switch_records_everything_it_overrides() -> None:
    """Never rehearsed, and for fewer readers than now."""
    table = failed_over()
    flag = replace(table.policy.flags[FLAG], rehearse=RehearsePolicy())
    table.policy = replace(table.policy, flags={FLAG: flag})
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="cached"))
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", share=50, reason="a test", force=True))

    assert f"a test (forced although {NEVER} and Claude API is down)" == engaged(table).reason


def test_switch_ends_within_a_year() -> None:
    """To the day."""
    most, flag = timedelta(days=366), {"flag": FLAG, "variant": "gpt"}

    assert fa.TooFar(flag=FLAG, most_days=366) == calm().send(s.EngageFlag(ANA, hold_for=most * 1.01, **flag)).answer
    assert calm().send(s.EngageFlag(ANA, hold_for=most, **flag)).answer.ok


# --- asking first


def test_plan_for_an_unknown_flag_is_refused() -> None:
    """With the flags that there are."""
    assert NoFlag(key="nope", known=(FLAG,)) == calm().send(s.PlanSwitch(ANA, flag="nope")).answer


def test_plan_shows_the_current_state_and_the_incident() -> None:
    """A quarter is back already."""
    found = plan(handing_back(), variant="cached")
    assert ("gpt", 75, "cached", 100, 1) == (found.serves, found.share_now, found.variant, found.share, found.incident)


def test_plan_says_that_a_rehearsal_is_missing() -> None:
    """As the switch would."""
    table = calm(rehearse=RehearsePolicy())
    assert Unrehearsed(flag=FLAG, variant="gpt", reason=NEVER) == plan(table, variant="gpt").refused


def test_plan_names_the_most_important_obstacle() -> None:
    """A failing variant before a missing rehearsal, and before any share."""
    table = failed_over(rehearse=RehearsePolicy())
    table.sees(OPENAI, Level.DOWN)
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="cached"))

    assert fa.Unfit is type(plan(table, variant="gpt", share=50).refused)


def test_plan_for_one_scope_too_many_says_so() -> None:
    """Sixteen are switched."""
    table = calm()
    for number in range(MOST_AT_ONCE):
        table.send(s.EngageFlag(ANA, flag=f"{FLAG}@tenant={number}", variant="gpt"))

    assert fa.TooManyScopes(flag=FLAG, most=MOST_AT_ONCE) == plan(table, EU, variant="gpt").refused


@pytest.mark.parametrize(("flag", "left_out"), [(FLAG, ()), (EU, ("gateway",))])
def test_plan_names_sinks_that_support_no_scopes(flag: str, left_out: tuple[str, ...]) -> None:
    """They follow the whole flag."""
    table = calm(sinks=(SinkPolicy("webhook:x#1", "gateway"),))
    assert left_out == plan(table, flag, variant="gpt").left_out


def test_plan_shows_the_component_of_its_variant_only() -> None:
    """Cached answers need none."""
    assert ("Claude API is operational",) == plan(calm(), variant="cached").healths


def priced() -> Table:
    table = calm()
    table.policy = replace(table.policy, prices={OPENAI: PromptPrice(1.25, 0.13)})
    return table


def test_refused_plan_shows_no_cost() -> None:
    """It would not come to that."""
    table = priced()
    table.sees(OPENAI, Level.DOWN)

    assert plan(table, variant="gpt", requests=4_000).rebuild is None


def test_variant_without_a_model_has_no_cache_cost() -> None:
    """Whatever another one would cost."""
    assert plan(priced(), variant="cached", requests=4_000).rebuild is None


def test_plan_for_a_scope_shows_the_price_without_a_number_of_requests() -> None:
    """So the price stands there without a count."""
    found = plan(priced(), EU, variant="gpt", requests=4_000).rebuild
    assert found is not None and 0 == found.requests


# --- the way back


def test_starting_a_halted_hand_back_continues_it() -> None:
    """Whoever says it means that it goes on."""
    table = handing_back()
    table.send(s.HoldHandBack(ANA, flag=FLAG))
    done = table.send(s.StepBack(BOB, flag=FLAG)).answer

    assert (True, 50) == (done.ok, engaged(table).share_back)


def test_last_step_answers_that_the_switch_has_ended() -> None:
    """With its incident."""
    table = handing_back(steps=(25, 100), hold=timedelta(minutes=30))
    table.send(s.HoldHandBack(ANA, flag=FLAG))
    done = table.send(s.StepBack(BOB, flag=FLAG)).answer

    assert fa.Released(flag=FLAG, incident=1, changed=True, default="claude") == done


def test_scope_that_is_not_switched_cannot_be_released() -> None:
    """The whole flag is not meant."""
    assert fa.NotEngaged(flag=EU) == failed_over().send(s.ReleaseFlag(ANA, flag=EU)).answer


def test_removed_flag_is_released_to_the_readers_own_default() -> None:
    """Nothing is claimed about how well that works."""
    table = failed_over()
    table.policy = replace(table.policy, flags={})
    done = table.send(s.ReleaseFlag(ANA, flag=FLAG, reason="it is gone")).answer

    assert fa.Released(flag=FLAG, incident=1, changed=True, default="") == done
    assert [Released(FLAG, "the default of the code that reads it", "it is gone")] == table.kinds(Released)


def test_release_to_a_healthy_default_keeps_customers_served() -> None:
    """Nothing was lost by it."""
    table = failed_over()
    table.sees(API, Level.OPERATIONAL)
    table.send(s.ReleaseFlag(ANA, flag=FLAG))

    assert [] == table.kinds(MitigationLost)


def test_forced_release_without_a_mitigation_ends_none() -> None:
    """A quarter of the readers was none."""
    table = calm(automation="off")
    table.sees(API, Level.DOWN)
    share(table, 25)
    table.send(s.ReleaseFlag(ANA, flag=FLAG, force=True))

    assert ([], "no reason given (forced although Claude API is down)") == (
        table.kinds(MitigationLost),
        table.kinds(Released)[-1].reason,  # type: ignore[attr-defined] # a release
    )


# --- many parts


def sixteen() -> Table:
    """As many parts are switched as may be at once."""
    table = calm()
    for number in range(MOST_AT_ONCE):
        table.send(s.EngageFlag(ANA, flag=f"{FLAG}@tenant={number}", variant="gpt"))
    return table


def test_whole_flag_can_be_switched_beside_any_number_of_scopes() -> None:
    """It is none of them."""
    assert sixteen().send(s.EngageFlag(ANA, flag=FLAG, variant="cached")).answer.ok


def test_switched_scope_does_not_count_again() -> None:
    """Its share can be changed."""
    assert sixteen().send(s.EngageFlag(ANA, flag=f"{FLAG}@tenant=3", variant="gpt", share=50)).answer.ok


def test_limit_of_scopes_applies_per_flag() -> None:
    """Sixteen each."""
    table = sixteen()
    other = replace(table.policy.flags[FLAG], key="search.llm")
    table.policy = replace(table.policy, flags={**table.policy.flags, other.key: other})

    assert table.send(s.EngageFlag(ANA, flag=f"{other.key}@env=eu", variant="gpt")).answer.ok
