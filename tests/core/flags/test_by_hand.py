"""What a person's switch, its plan and its end come to: what is answered, and what is written down of it."""

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


def test_another_share_for_two_hours_ends_in_two_hours() -> None:
    """Counted from now, not from when the first readers went."""
    table = share(calm(), 25)
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", share=50, hold_for=timedelta(hours=2)))

    assert table.now + timedelta(hours=2) == engaged(table).expires_at


def test_customers_are_not_served_any_more_when_half_of_them_go_back_by_force() -> None:
    """The incident says so at once."""
    table = failed_over()
    done = table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", share=50, force=True)).answer

    assert fa.ShareSet(flag=FLAG, incident=1, changed=True, share=50, variant="gpt", default="claude") == done
    assert "mitigated" != table.incident().phase


def test_a_share_of_the_slow_fallback_that_serves_goes_back_without_force() -> None:
    """GPT is slow, Claude is well: half of the readers are better off for it."""
    table = share(calm(automation="off"), 100)
    table.sees(OPENAI, Level.DEGRADED)

    assert fa.ShareSet is type(table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", share=50)).answer)


def test_readers_leave_the_slow_fallback_for_another_without_force() -> None:
    """As many as before: nobody joins GPT, and nobody goes back to Claude."""
    table = share(calm(automation="off"), 50)
    table.sees(OPENAI, Level.DEGRADED)

    assert fa.Switched is type(table.send(s.EngageFlag(ANA, flag=FLAG, variant="cached", share=50)).answer)


@pytest.mark.parametrize("percent", [50, 100])
def test_more_readers_join_the_slow_fallback_by_force_alone(percent: int) -> None:
    """As with `ramp`; in so many words, and a plan says it too."""
    table = share(calm(automation="off"), 25)
    table.sees(OPENAI, Level.DEGRADED)
    asked = s.EngageFlag(ANA, flag=FLAG, variant="gpt", share=percent)
    unwell = fa.ShareUnwell(flag=FLAG, share=percent, unwell="OpenAI API is degraded", variant="gpt")

    assert unwell == plan(table, variant="gpt", share=percent).refused
    assert unwell == table.send(asked).answer
    assert table.send(replace(asked, force=True)).answer.ok
    assert percent == engaged(table).share
    assert "(forced although OpenAI API is degraded)" in table.facts[-1].body.reason  # type: ignore[attr-defined]


def test_the_rest_leaves_a_default_that_is_down_for_the_slow_fallback_of_the_others() -> None:
    """It is judged against Claude, not against itself."""
    table = share(calm(automation="off"), 50)
    table.sees(API, Level.DOWN)
    table.sees(OPENAI, Level.DEGRADED)

    assert table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt")).answer.ok
    assert 100 == engaged(table).share


def test_the_rest_that_follows_in_an_outage_is_switched_for_that_reason() -> None:
    """Not for the one of those who tried it before: what the incident says, and what the way back waits for."""
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
def test_whoever_gives_no_reason_has_the_one_that_everybody_sees(automation: str, level: Level, reason: str) -> None:
    """What is in trouble; else that none was given."""
    table = calm(automation=automation)
    table.sees(API, level)
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt"))

    assert reason == engaged(table).reason


def test_a_yes_has_the_reason_of_what_was_proposed() -> None:
    """Also where the default is well again by the time that somebody says it."""
    table = calm()
    table.send(s.FreezeFlags(ANA))
    table.sees(API, Level.DOWN)
    table.send(s.EngageFlag(BOB, flag=FLAG, variant="gpt", approves=True))

    assert "Claude API is down, and automation is frozen by ana" == engaged(table).reason


def test_a_yes_to_what_was_never_rehearsed_switches_and_says_so() -> None:
    """Nothing else serves, and whoever said yes was told."""
    only_gpt = calm().policy.flags[FLAG].fallbacks[:1]
    table = failed_over(automation="propose", rehearse=RehearsePolicy(), fallbacks=only_gpt)
    table.send(s.EngageFlag(BOB, flag=FLAG, variant="gpt", approves=True))

    assert f"Claude API is down (approved although {NEVER})" == engaged(table).reason


def test_both_things_that_were_known_stand_in_a_forced_switch() -> None:
    """Never rehearsed, and for fewer readers than are on a fallback now."""
    table = failed_over()
    flag = replace(table.policy.flags[FLAG], rehearse=RehearsePolicy())
    table.policy = replace(table.policy, flags={FLAG: flag})
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="cached"))
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", share=50, reason="a test", force=True))

    assert f"a test (forced although {NEVER} and Claude API is down)" == engaged(table).reason


def test_a_switch_ends_within_a_year() -> None:
    """To the day."""
    most, flag = timedelta(days=366), {"flag": FLAG, "variant": "gpt"}

    assert fa.TooFar(flag=FLAG, most_days=366) == calm().send(s.EngageFlag(ANA, hold_for=most * 1.01, **flag)).answer
    assert calm().send(s.EngageFlag(ANA, hold_for=most, **flag)).answer.ok


# --- asking first


def test_a_plan_for_a_flag_that_nobody_knows_is_refused() -> None:
    """With the flags that there are."""
    assert NoFlag(key="nope", known=(FLAG,)) == calm().send(s.PlanSwitch(ANA, flag="nope")).answer


def test_a_plan_says_what_is_now_and_in_which_incident() -> None:
    """A quarter is back already."""
    found = plan(handing_back(), variant="cached")
    assert ("gpt", 75, "cached", 100, 1) == (found.serves, found.share_now, found.variant, found.share, found.incident)


def test_a_plan_says_that_a_rehearsal_is_missing() -> None:
    """As the switch would."""
    table = calm(rehearse=RehearsePolicy())
    assert Unrehearsed(flag=FLAG, variant="gpt", reason=NEVER) == plan(table, variant="gpt").refused


def test_the_first_thing_in_the_way_is_the_one_that_a_plan_names() -> None:
    """A variant that fails is worse than one that was not rehearsed, and no share makes up for it."""
    table = failed_over(rehearse=RehearsePolicy())
    table.sees(OPENAI, Level.DOWN)
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="cached"))

    assert fa.Unfit is type(plan(table, variant="gpt", share=50).refused)


def test_a_plan_for_one_part_too_many_says_so() -> None:
    """Sixteen are switched."""
    table = calm()
    for number in range(MOST_AT_ONCE):
        table.send(s.EngageFlag(ANA, flag=f"{FLAG}@tenant={number}", variant="gpt"))

    assert fa.TooManyScopes(flag=FLAG, most=MOST_AT_ONCE) == plan(table, EU, variant="gpt").refused


@pytest.mark.parametrize(("flag", "left_out"), [(FLAG, ()), (EU, ("gateway",))])
def test_a_plan_names_the_sinks_that_know_no_parts(flag: str, left_out: tuple[str, ...]) -> None:
    """They are told of the whole."""
    table = calm(sinks=(SinkPolicy("webhook:x#1", "gateway"),))
    assert left_out == plan(table, flag, variant="gpt").left_out


def test_a_plan_tells_of_the_component_of_its_variant_alone() -> None:
    """Cached answers need none."""
    assert ("Claude API is operational",) == plan(calm(), variant="cached").healths


def priced() -> Table:
    table = calm()
    table.policy = replace(table.policy, prices={OPENAI: PromptPrice(1.25, 0.13)})
    return table


def test_a_plan_says_nothing_of_the_cost_of_what_is_refused() -> None:
    """It would not come to that."""
    table = priced()
    table.sees(OPENAI, Level.DOWN)

    assert plan(table, variant="gpt", requests=4_000).rebuild is None


def test_a_variant_without_a_model_has_no_cache_to_fill() -> None:
    """Whatever another one would cost."""
    assert plan(priced(), variant="cached", requests=4_000).rebuild is None


def test_nobody_knows_how_many_requests_are_of_a_part() -> None:
    """So the price stands there without a count."""
    found = plan(priced(), EU, variant="gpt", requests=4_000).rebuild
    assert found is not None and 0 == found.requests


# --- the way back


def test_a_hand_back_that_was_halted_is_begun_anew_by_the_same_word() -> None:
    """Whoever says it means that it goes on."""
    table = handing_back()
    table.send(s.HoldHandBack(ANA, flag=FLAG))
    done = table.send(s.StepBack(BOB, flag=FLAG)).answer

    assert (True, 50) == (done.ok, engaged(table).share_back)


def test_the_last_step_answers_that_the_switch_is_over() -> None:
    """With the incident that it was for."""
    table = handing_back(steps=(25, 100), hold=timedelta(minutes=30))
    table.send(s.HoldHandBack(ANA, flag=FLAG))
    done = table.send(s.StepBack(BOB, flag=FLAG)).answer

    assert fa.Released(flag=FLAG, incident=1, changed=True, default="claude") == done


def test_a_part_that_is_not_switched_has_nothing_to_release() -> None:
    """The whole is not meant."""
    assert fa.NotEngaged(flag=EU) == failed_over().send(s.ReleaseFlag(ANA, flag=EU)).answer


def test_a_flag_that_left_the_configuration_is_released_to_what_its_readers_have() -> None:
    """Nobody here knows what that is, so nothing is claimed of how well it does."""
    table = failed_over()
    table.policy = replace(table.policy, flags={})
    done = table.send(s.ReleaseFlag(ANA, flag=FLAG, reason="it is gone")).answer

    assert fa.Released(flag=FLAG, incident=1, changed=True, default="") == done
    assert [Released(FLAG, "the default of the code that reads it", "it is gone")] == table.kinds(Released)


def test_a_release_onto_a_default_that_is_well_leaves_customers_served() -> None:
    """Nothing was lost by it."""
    table = failed_over()
    table.sees(API, Level.OPERATIONAL)
    table.send(s.ReleaseFlag(ANA, flag=FLAG))

    assert [] == table.kinds(MitigationLost)


def test_a_forced_release_before_anybody_was_served_takes_nothing_back() -> None:
    """A quarter of the readers was no mitigation."""
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


def test_the_whole_is_switched_however_many_parts_are() -> None:
    """It is none of them."""
    assert sixteen().send(s.EngageFlag(ANA, flag=FLAG, variant="cached")).answer.ok


def test_a_part_that_is_switched_already_is_no_further_one() -> None:
    """Its share is set as ever."""
    assert sixteen().send(s.EngageFlag(ANA, flag=f"{FLAG}@tenant=3", variant="gpt", share=50)).answer.ok


def test_parts_of_one_flag_take_no_place_of_another_ones() -> None:
    """Sixteen of each."""
    table = sixteen()
    other = replace(table.policy.flags[FLAG], key="search.llm")
    table.policy = replace(table.policy, flags={**table.policy.flags, other.key: other})

    assert table.send(s.EngageFlag(ANA, flag=f"{other.key}@env=eu", variant="gpt")).answer.ok
