"""Rehearsals of fallbacks: when one is due, what is reported, and which fallbacks cannot be relied on."""

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


def test_each_fallback_with_a_component_is_rehearsed_every_six_hours(table: Table) -> None:
    """The first time at once; cached answers have nothing to rehearse."""
    found = [due(table)]
    ended(table, GOOD)
    found.append(due(table))
    table.passes(6 * 60 - 1)
    found.append(due(table))
    table.passes(1)
    found.append(due(table))

    assert [[GPT.variant], [], [], [GPT.variant]] == found


def test_failed_rehearsal_is_repeated_soon(table: Table) -> None:
    """Somebody may be fixing it."""
    ended(table, BAD)
    table.passes(30)

    assert [GPT.variant] == due(table)


def test_no_scheduled_rehearsal_while_the_component_fails(table: Table) -> None:
    """It would cost money and block the fallback for hours; people may still request one."""
    table.sees(GPT.needs or "", Level.DOWN)
    by_time = due(table)
    table.send(s.RehearseFlag(ANA, flag=FLAG))

    assert ([], [GPT.variant]) == (by_time, due(table))


def test_requested_rehearsal_is_due_until_it_ended(table: Table) -> None:
    """Even right after another one, and even if it is skipped."""
    ended(table, GOOD)
    table.passes(1)
    answer = table.send(s.RehearseFlag(ANA, flag=FLAG)).answer
    asked = (due(table), waits(table.world.flag(FLAG), GPT.variant))
    table.passes(1)
    ended(table, skipped="it would exceed the day's $0.50")

    assert RehearsalBegun(flag=FLAG, variants=(GPT.variant,), changed=True) == answer
    assert (([GPT.variant], True), []) == (asked, due(table))


def test_flag_without_rehearsals_counts_as_before() -> None:
    """And counts as before."""
    table = Table().all_well()

    assert NothingToRehearse(flag=FLAG, configured=False) == table.send(s.RehearseFlag(ANA, flag=FLAG)).answer
    assert ([], "") == (due(table), why(table))


def test_only_a_passed_rehearsal_counts(table: Table) -> None:
    """Never rehearsed, failed and passed, as people read it."""
    found = [why(table)]
    ended(table, GOOD, BAD)
    found.append(why(table))
    ended(table, GOOD)
    found.append(why(table))

    assert ["it was never rehearsed", "its rehearsal failed: tools: it called no tool", ""] == found


def test_only_news_is_reported(table: Table) -> None:
    """A new failure and the first pass after it; a reason shared by several needs once."""
    both = (BAD, NeedResult("json", Mark.FAILED, "it called no tool"))
    assert [0, 1, 0, 1, 0] == [told(ended(table, *results)) for results in ((GOOD,), both, both, (GOOD,), (GOOD,))]
    ended(table, *both)
    assert "its rehearsal failed: tools, json: it called no tool" == why(table)


def test_other_model_than_last_time_is_reported(table: Table) -> None:
    """A newer version with the same name passes, and behaves differently."""
    ended(table, GOOD, answered="gpt-5-2025-06-01")
    step = ended(table, GOOD, answered="gpt-5-2025-08-07")

    assert (1, "gpt-5-2025-06-01") == (told(step), step.facts[0].body.before)  # type: ignore[attr-defined] # it is a Rehearsed


def test_skipped_rehearsal_is_reported_once_and_changes_nothing(table: Table) -> None:
    """An exhausted budget makes no fallback worse."""
    ended(table, GOOD)
    spent = "it would exceed the day's $0.50"

    assert [1, 0] == [told(ended(table, skipped=spent)), told(ended(table, skipped=spent))]
    assert "" == why(table)


def test_daily_cost_is_recorded(table: Table) -> None:
    """Until midnight UTC."""
    ended(table, GOOD, dollars=0.25)
    ended(table, dollars=0.125, skipped="we could not ask: no network")
    known = table.world.flag(FLAG).rehearsals
    tomorrow = f"{table.now + timedelta(days=1):%Y-%m-%d}"

    assert (0.375, 0.0) == (known.spent(f"{table.now:%Y-%m-%d}"), known.spent(tomorrow))


def engaged(table: Table) -> list[str]:
    return [body.variant for body in table.kinds(Engaged) if isinstance(body, Engaged)]


def test_switch_to_a_fallback_that_did_not_pass_needs_force(table: Table) -> None:
    """The answer says why; with force the reason does."""
    refused = table.send(s.EngageFlag(ANA, flag=FLAG, variant=GPT.variant, reason="slow")).answer
    forced = table.send(s.EngageFlag(ANA, flag=FLAG, variant=GPT.variant, reason="slow", force=True))

    assert Unrehearsed(flag=FLAG, variant=GPT.variant, reason="it was never rehearsed") == refused
    assert "slow (forced although it was never rehearsed)" == forced.facts[0].body.reason  # type: ignore[attr-defined] # Engaged


def test_pin_to_a_fallback_that_did_not_pass_is_refused(table: Table) -> None:
    """It has to be engaged by force first."""
    refused = table.send(s.PinFlag(ANA, flag=FLAG, variant=GPT.variant)).answer
    table.send(s.EngageFlag(ANA, flag=FLAG, variant=GPT.variant, reason="slow", force=True))

    assert Unrehearsed(flag=FLAG, variant=GPT.variant, reason="it was never rehearsed") == refused
    assert table.send(s.PinFlag(ANA, flag=FLAG, variant=GPT.variant)).answer.ok


def test_switch_without_a_variant_uses_one_that_passed(table: Table) -> None:
    """Cached answers need no rehearsal; once the model passed, it is better."""
    table.send(s.EngageFlag(ANA, flag=FLAG, reason="slow"))
    table.send(s.ReleaseFlag(ANA, flag=FLAG))
    ended(table, GOOD)
    table.send(s.EngageFlag(ANA, flag=FLAG, reason="slow"))

    assert ["cached", GPT.variant] == engaged(table)


def test_rule_uses_a_fallback_that_passed(table: Table) -> None:
    """As without rehearsals."""
    ended(table, GOOD)
    table.sees(API, Level.DOWN)

    assert [GPT.variant] == engaged(table)


def test_rule_skips_a_fallback_that_did_not_pass(table: Table) -> None:
    """Cached answers serve; once the model passes, the rule goes up to it."""
    ended(table, BAD)
    table.sees(API, Level.DOWN)
    before = engaged(table)
    table.passes(30)
    ended(table, GOOD)
    table.passes(1)

    assert (["cached"], ["cached", GPT.variant]) == (before, engaged(table))


def test_rule_uses_a_fallback_that_did_not_pass_if_nothing_else_serves() -> None:
    """The default certainly fails; the fallback only perhaps."""
    table = rehearsing(fallbacks=(Fallback(GPT.variant, GPT.needs),))
    table.sees(API, Level.DOWN)

    assert [GPT.variant] == engaged(table)


def test_rule_keeps_a_serving_default_if_no_fallback_passed() -> None:
    """A slow model is better than one that may not work; once one passes, the switch is immediate."""
    table = rehearsing(fallbacks=(Fallback(GPT.variant, GPT.needs),), engage_on=Level.DEGRADED)
    table.sees(API, Level.DEGRADED)
    held = (engaged(table), table.world.flag(FLAG).held)
    ended(table, GOOD)

    assert ([], f"no fallback is better: {GPT.variant} may not work, since it was never rehearsed") == held
    assert [GPT.variant] == engaged(table)


def test_due_rehearsal_names_its_component(table: Table) -> None:
    """Whoever runs it knows which model to ask."""
    assert [DueRehearsal(FLAG, "gpt", "openai.api")] == list(due_now(table.world, table.policy, table.now))


def test_skipped_rehearsal_is_repeated_soon(table: Table) -> None:
    """Nothing is known yet, and there may be budget again."""
    ended(table, GOOD)
    ended(table, skipped="we could not ask: no network")
    table.passes(29)
    before = due(table)
    table.passes(1)

    assert ([], [GPT.variant]) == (before, due(table))


def test_rehearsal_of_an_unknown_flag_is_refused(table: Table) -> None:
    """With the known flags."""
    assert NoFlag(key="nope", known=(FLAG,)) == table.send(s.RehearseFlag(ANA, flag="nope")).answer


def test_result_for_a_removed_flag_is_ignored(table: Table) -> None:
    """Or for a flag without rehearsals by now."""
    known = table.policy
    table.policy = replace(known, flags={})
    gone = ended(table, BAD)
    table.policy = policy()
    unrehearsed = ended(table, BAD)

    assert ((), (), True) == (gone.facts, unrehearsed.facts, unrehearsed.answer.ok)


@pytest.mark.parametrize(("first", "then"), [("", "gpt-5-2025-08-07"), ("gpt-5-2025-06-01", "")])
def test_missing_model_name_is_no_change_of_model(table: Table, first: str, then: str) -> None:
    """A change is only reported if it was seen."""
    ended(table, GOOD, answered=first)
    assert 0 == told(ended(table, GOOD, answered=then))


def test_request_at_the_moment_a_rehearsal_ended_is_satisfied(table: Table) -> None:
    """The result is as new as the request."""
    table.send(s.RehearseFlag(ANA, flag=FLAG))
    ended(table, GOOD)

    assert [] == due(table)
