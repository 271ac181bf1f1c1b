"""Automation that holds still says why in every outage, and no longer when it is over."""

from bot.core import signals as s
from bot.core.model import Actor, Level, Phase
from bot.core.policy import Fallback
from bot.core.record.flag_facts import Held, HoldEnded
from tests.desk import ANA, CHAT_FLAG, Table, Written, policy

FLAG = CHAT_FLAG.key
API, GPT = "anthropic.api", "openai.api"
RULE = Actor.rule("fallback automation")
WHY = "no fallback is healthy: gpt needs OpenAI API, which is down"


def without_a_fallback() -> Table:
    """Claude fails in incident 2, while GPT, the only other provider, is down in incident 1."""
    table = Table(policy(fallbacks=(Fallback("gpt", GPT),))).all_well()
    table.sees(GPT, Level.DOWN)
    table.sees(API, Level.DOWN)
    return table


def why(table: Table) -> str:
    return table.world.flag(FLAG).held


def test_automation_holds_still_no_longer_when_the_default_is_well() -> None:
    """Nothing is to be switched any more: neither the board nor `/fallback` goes on saying so."""
    table = without_a_fallback()
    before = why(table)
    table.sees(API, Level.OPERATIONAL)

    assert [WHY, ""] == [before, why(table)]


def test_the_end_of_holding_still_is_on_record_in_its_incident() -> None:
    """By the rule; the incident's card is drawn anew without it."""
    table = without_a_fallback()
    table.sees(API, Level.OPERATIONAL)

    assert [Written(HoldEnded(FLAG), 2, RULE)] == table.written(HoldEnded)


def test_the_next_outage_is_told_why_nothing_was_switched() -> None:
    """The same reason as the last time, in another incident: its people have not read it yet."""
    table = without_a_fallback()
    table.sees(API, Level.OPERATIONAL)
    table.send(s.SetPhase(actor=ANA, incident=2, phase=Phase.RESOLVED))
    table.sees(API, Level.DOWN)

    assert [
        Written(Held(FLAG, WHY, unserved=True), 2, RULE),
        Written(Held(FLAG, WHY, unserved=True), 3, RULE),
    ] == table.written(Held)


def test_a_fallback_that_is_slow_again_is_told_again() -> None:
    """Kept although it was slow, well for a while, slow again: who looks at the channel learns both times why it stays."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    for level in (Level.DEGRADED, Level.OPERATIONAL, Level.DEGRADED):
        table.sees(GPT, level)

    kept = Written(Held(FLAG, "OpenAI API is degraded too; staying on gpt (cached would be worse)"), 1, RULE)
    assert [kept, kept] == table.written(Held)


def test_holding_still_ends_once() -> None:
    """Time alone writes nothing more."""
    table = without_a_fallback()
    table.sees(API, Level.OPERATIONAL)
    table.passes(10)

    assert 1 == len(table.kinds(HoldEnded))
