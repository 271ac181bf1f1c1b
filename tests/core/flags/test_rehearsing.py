"""Rehearsals of fallbacks: when one is due, what is told of it, and which fallbacks cannot be counted on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.answers.base import NoFlag
from bot.core.answers.rehearsals import NothingToRehearse, RehearsalBegun, Unrehearsed
from bot.core.decide.draft import Step
from bot.core.decide.flags.readiness import unready
from bot.core.decide.flags.rehearsing import DueRehearsal, due_now, waits
from bot.core.effects import PostLine
from bot.core.model import Level
from bot.core.policy import Fallback, RehearsePolicy
from bot.core.record.flag_facts import Engaged
from bot.core.rehearsal import Mark, NeedResult
from tests.desk import ANA, CHAT_FLAG, RULE, Table, policy

FLAG, API = CHAT_FLAG.key, "anthropic.api"
GPT = next(one for one in CHAT_FLAG.fallbacks if one.needs)
GOOD, BAD = NeedResult("stream", Mark.OK), NeedResult("tools", Mark.FAILED, "it called no tool")


def rehearsing(**changes: object) -> Table:
    known = policy()
    flag = replace(known.flags[FLAG], rehearse=RehearsePolicy(), **changes)  # type: ignore[arg-type] # fields of a flag
    return Table(replace(known, flags={**known.flags, FLAG: flag})).all_well()


@pytest.fixture
def table() -> Table:
    return rehearsing()


def due(table: Table) -> list[str]:
    return [one.variant for one in due_now(table.world, table.policy, table.now)]


def ended(table: Table, *results: NeedResult, answered: str = "gpt-5", dollars: float = 0.01, skipped: str = "") -> Step:
    return table.send(
        s.RehearsalEnded(
            RULE,
            flag=FLAG,
            variant=GPT.variant,
            model="gpt-5",
            answered=answered,
            results=results,
            dollars=dollars,
            skipped=skipped,
        )
    )


def told(step: Step) -> int:
    return sum(isinstance(effect.body, PostLine) for effect in step.effects)


def why(table: Table) -> str:
    return unready(table.world, table.policy.flags[FLAG], GPT.variant)


def test_each_fallback_with_a_component_is_rehearsed_at_once_and_then_every_six_hours(table: Table) -> None:
    """What needs no component, such as cached answers, has nothing to rehearse."""
    found = [due(table)]
    ended(table, GOOD)
    found.append(due(table))
    table.passes(6 * 60 - 1)
    found.append(due(table))
    table.passes(1)
    found.append(due(table))

    assert [[GPT.variant], [], [], [GPT.variant]] == found


def test_what_failed_is_tried_again_soon(table: Table) -> None:
    """Somebody may be repairing it."""
    ended(table, BAD)
    table.passes(30)

    assert [GPT.variant] == due(table)


def test_nothing_is_rehearsed_by_time_while_its_component_is_in_trouble(table: Table) -> None:
    """What is known need not be paid for, and would bar the fallback for hours after; who asks gets one all the same."""
    table.sees(GPT.needs or "", Level.DOWN)
    by_time = due(table)
    table.send(s.RehearseFlag(ANA, flag=FLAG))

    assert ([], [GPT.variant]) == (by_time, due(table))


def test_who_asks_gets_one_until_it_ended(table: Table) -> None:
    """Also right after another one, and also where it is skipped."""
    ended(table, GOOD)
    table.passes(1)
    answer = table.send(s.RehearseFlag(ANA, flag=FLAG)).answer
    asked = (due(table), waits(table.world.flag(FLAG), GPT.variant))
    table.passes(1)
    ended(table, skipped="it would exceed the day's $0.50")

    assert RehearsalBegun(flag=FLAG, variants=(GPT.variant,), changed=True) == answer
    assert (([GPT.variant], True), []) == (asked, due(table))


def test_a_flag_that_says_nothing_of_rehearsals_has_none() -> None:
    """And counts as before."""
    table = Table().all_well()

    assert NothingToRehearse(flag=FLAG, configured=False) == table.send(s.RehearseFlag(ANA, flag=FLAG)).answer
    assert ([], "") == (due(table), why(table))


def test_only_what_passed_can_be_counted_on(table: Table) -> None:
    """Never rehearsed, failed and passed, as people read it."""
    found = [why(table)]
    ended(table, GOOD, BAD)
    found.append(why(table))
    ended(table, GOOD)
    found.append(why(table))

    assert ["it was never rehearsed", "its rehearsal failed: tools: it called no tool", ""] == found


def test_people_are_told_of_news_only(table: Table) -> None:
    """A new failure and the first pass after it; a reason that several needs share is said once."""
    both = (BAD, NeedResult("json", Mark.FAILED, "it called no tool"))
    assert [0, 1, 0, 1, 0] == [told(ended(table, *results)) for results in ((GOOD,), both, both, (GOOD,), (GOOD,))]
    ended(table, *both)
    assert "its rehearsal failed: tools, json: it called no tool" == why(table)


def test_another_model_than_last_time_is_told(table: Table) -> None:
    """A newer version of the same name passes, and behaves otherwise."""
    ended(table, GOOD, answered="gpt-5-2025-06-01")
    step = ended(table, GOOD, answered="gpt-5-2025-08-07")

    assert (1, "gpt-5-2025-06-01") == (told(step), step.facts[0].body.before)  # type: ignore[attr-defined] # it is a Rehearsed


def test_a_skip_is_told_once_and_what_was_known_stays(table: Table) -> None:
    """A budget that is spent makes no fallback worse."""
    ended(table, GOOD)
    spent = "it would exceed the day's $0.50"

    assert [1, 0] == [told(ended(table, skipped=spent)), told(ended(table, skipped=spent))]
    assert "" == why(table)


def test_what_a_day_cost_is_on_record(table: Table) -> None:
    """It is added up until midnight UTC."""
    ended(table, GOOD, dollars=0.25)
    ended(table, dollars=0.125, skipped="we could not ask: no network")
    known = table.world.flag(FLAG).rehearsals
    tomorrow = f"{table.now + timedelta(days=1):%Y-%m-%d}"

    assert (0.375, 0.0) == (known.spent(f"{table.now:%Y-%m-%d}"), known.spent(tomorrow))


def engaged(table: Table) -> list[str]:
    return [body.variant for body in table.kinds(Engaged) if isinstance(body, Engaged)]


def test_people_need_force_for_what_did_not_pass(table: Table) -> None:
    """The answer says why; with force the reason does."""
    refused = table.send(s.EngageFlag(ANA, flag=FLAG, variant=GPT.variant, reason="slow")).answer
    forced = table.send(s.EngageFlag(ANA, flag=FLAG, variant=GPT.variant, reason="slow", force=True))

    assert Unrehearsed(flag=FLAG, variant=GPT.variant, reason="it was never rehearsed") == refused
    assert "slow (forced although it was never rehearsed)" == forced.facts[0].body.reason  # type: ignore[attr-defined] # Engaged


def test_nothing_is_pinned_to_what_did_not_pass(table: Table) -> None:
    """A pin that switches is a switch; whoever wants it all the same engages it by force first."""
    refused = table.send(s.PinFlag(ANA, flag=FLAG, variant=GPT.variant)).answer
    table.send(s.EngageFlag(ANA, flag=FLAG, variant=GPT.variant, reason="slow", force=True))

    assert Unrehearsed(flag=FLAG, variant=GPT.variant, reason="it was never rehearsed") == refused
    assert table.send(s.PinFlag(ANA, flag=FLAG, variant=GPT.variant)).answer.ok


def test_who_names_no_variant_gets_one_that_passed(table: Table) -> None:
    """Cached answers need no rehearsal; once the model passed, it is the better one."""
    table.send(s.EngageFlag(ANA, flag=FLAG, reason="slow"))
    table.send(s.ReleaseFlag(ANA, flag=FLAG))
    ended(table, GOOD)
    table.send(s.EngageFlag(ANA, flag=FLAG, reason="slow"))

    assert ["cached", GPT.variant] == engaged(table)


def test_a_rule_takes_what_passed(table: Table) -> None:
    """As without rehearsals."""
    ended(table, GOOD)
    table.sees(API, Level.DOWN)

    assert [GPT.variant] == engaged(table)


def test_a_rule_passes_over_what_did_not_pass(table: Table) -> None:
    """Cached answers serve, and the model would not; once it passes, the rule goes up to it."""
    ended(table, BAD)
    table.sees(API, Level.DOWN)
    before = engaged(table)
    table.passes(30)
    ended(table, GOOD)
    table.passes(1)

    assert (["cached"], ["cached", GPT.variant]) == (before, engaged(table))


def test_a_rule_takes_what_did_not_pass_where_nothing_else_serves() -> None:
    """The default fails for certain; the fallback fails perhaps."""
    table = rehearsing(fallbacks=(Fallback(GPT.variant, GPT.needs),))
    table.sees(API, Level.DOWN)

    assert [GPT.variant] == engaged(table)


def test_a_rule_leaves_a_default_that_serves_for_nothing_that_did_not_pass() -> None:
    """A slow model is better than one that may not work; when it passes, the switch is made at once."""
    table = rehearsing(fallbacks=(Fallback(GPT.variant, GPT.needs),), engage_on=Level.DEGRADED)
    table.sees(API, Level.DEGRADED)
    held = (engaged(table), table.world.flag(FLAG).held)
    ended(table, GOOD)

    assert ([], f"no fallback is better: {GPT.variant} may not work, since it was never rehearsed") == held
    assert [GPT.variant] == engaged(table)


def test_what_is_due_names_the_component_that_is_asked(table: Table) -> None:
    """Whoever runs it knows which model to ask."""
    assert [DueRehearsal(FLAG, "gpt", "openai.api")] == list(due_now(table.world, table.policy, table.now))


def test_what_was_skipped_is_tried_again_soon(table: Table) -> None:
    """Nothing is known of it, and the budget may be there again."""
    ended(table, GOOD)
    ended(table, skipped="we could not ask: no network")
    table.passes(29)
    before = due(table)
    table.passes(1)

    assert ([], [GPT.variant]) == (before, due(table))


def test_a_rehearsal_of_a_flag_that_nobody_knows_is_refused(table: Table) -> None:
    """With the flags that there are."""
    assert NoFlag(key="nope", known=(FLAG,)) == table.send(s.RehearseFlag(ANA, flag="nope")).answer


def test_a_result_that_comes_after_the_configuration_is_left_out(table: Table) -> None:
    """The flag, or its rehearsals, are gone: nobody counts on what it says."""
    known = table.policy
    table.policy = replace(known, flags={})
    gone = ended(table, BAD)
    table.policy = policy()
    unrehearsed = ended(table, BAD)

    assert ((), (), True) == (gone.facts, unrehearsed.facts, unrehearsed.answer.ok)


@pytest.mark.parametrize(("first", "then"), [("", "gpt-5-2025-08-07"), ("gpt-5-2025-06-01", "")])
def test_a_model_that_did_not_say_its_name_is_not_another_one(table: Table, first: str, then: str) -> None:
    """Nobody is told of a change that nobody saw."""
    ended(table, GOOD, answered=first)
    assert 0 == told(ended(table, GOOD, answered=then))


def test_what_was_asked_for_in_the_moment_that_one_ended_was_done(table: Table) -> None:
    """Two in one tick: the answer is as new as the question."""
    table.send(s.RehearseFlag(ANA, flag=FLAG))
    ended(table, GOOD)

    assert [] == due(table)
