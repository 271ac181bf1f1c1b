"""Automation that waits says why in every outage, and no longer afterwards."""

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


def test_waiting_ends_when_the_default_recovers() -> None:
    """Neither the board nor `/fallback` mentions it any more."""
    table = without_a_fallback()
    before = why(table)
    table.sees(API, Level.OPERATIONAL)

    assert [WHY, ""] == [before, why(table)]


def test_end_of_waiting_is_recorded_in_its_incident() -> None:
    """By the rule; the incident's card is updated."""
    table = without_a_fallback()
    table.sees(API, Level.OPERATIONAL)

    assert [Written(HoldEnded(FLAG), 2, RULE)] == table.written(HoldEnded)


def test_next_outage_is_told_again_why_nothing_is_switched() -> None:
    """For the same reason, but its people have not read it yet."""
    table = without_a_fallback()
    table.sees(API, Level.OPERATIONAL)
    table.send(s.SetPhase(actor=ANA, incident=2, phase=Phase.RESOLVED))
    table.sees(API, Level.DOWN)

    assert [
        Written(Held(FLAG, WHY, unserved=True), 2, RULE),
        Written(Held(FLAG, WHY, unserved=True), 3, RULE),
    ] == table.written(Held)


def test_fallback_that_is_slow_again_is_reported_again() -> None:
    """It was kept although slow, recovered, and is slow again."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    for level in (Level.DEGRADED, Level.OPERATIONAL, Level.DEGRADED):
        table.sees(GPT, level)

    kept = Written(Held(FLAG, "OpenAI API is degraded too; staying on gpt (cached would be worse)"), 1, RULE)
    assert [kept, kept] == table.written(Held)


def test_end_of_waiting_is_recorded_once() -> None:
    """Time alone writes nothing more."""
    table = without_a_fallback()
    table.sees(API, Level.OPERATIONAL)
    table.passes(10)

    assert 1 == len(table.kinds(HoldEnded))
