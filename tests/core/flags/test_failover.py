"""When a fallback is engaged, how traffic goes back, and when automation waits."""

from datetime import timedelta

from bot.core import signals as s
from bot.core.model import Level, Phase
from bot.core.policy import Fallback
from bot.core.record.flag import Engagement
from bot.core.record.flag_facts import (
    CarriedOver,
    Engaged,
    EngageProposed,
    ExpiryReached,
    HandBackAsked,
    HandBackReverted,
    HandBackStepped,
    Held,
    ProposalDropped,
    Released,
)
from bot.timeline.durations import Away, durations
from tests.desk import ANA, Table, policy, told

FLAG = "support-chat.llm"


def engagement(table: Table) -> Engagement | None:
    return table.world.flag(FLAG).engagement


def variant(table: Table) -> str:
    held = engagement(table)
    return held.variant if held else "claude"


def down(table: Table) -> Table:
    table.all_well()
    table.sees("anthropic.api", Level.DOWN)
    return table


def test_healthy_fallback_is_engaged_when_the_default_goes_down() -> None:
    """With automation: auto in the same step as the verdict, and the incident is mitigated."""
    table = down(Table())

    assert "gpt" == variant(table)
    assert Phase.MITIGATED == table.incident().phase


def test_fallback_with_an_unhealthy_component_is_skipped() -> None:
    """Also if its state is unknown."""
    table = Table().all_well()
    table.sees("openai.api", Level.UNKNOWN)
    table.sees("anthropic.api", Level.DOWN)

    assert "cached" == variant(table)


def test_degraded_default_does_not_engage_on_down() -> None:
    """engage_on: down."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DEGRADED)

    assert "claude" == variant(table)


def test_proposal_waits_for_a_person_and_is_dropped_after_a_recovery() -> None:
    """automation: propose."""
    table = down(Table(policy(automation="propose")))
    served, asked = variant(table), len(table.kinds(EngageProposed))
    table.sees("anthropic.api", Level.OPERATIONAL)

    assert "claude" == served
    assert 1 == asked
    assert 1 == len(table.kinds(ProposalDropped))


def test_approved_proposal_is_engaged() -> None:
    """The button engages what was proposed."""
    table = down(Table(policy(automation="propose")))
    said = table.send(s.EngageFlag(actor=ANA, flag=FLAG, approves=True)).answer
    held = engagement(table)

    assert said.ok
    assert held is not None
    assert "gpt" == held.variant
    assert "approved" == held.mode
    assert ANA == held.actor


def test_automation_off_never_switches() -> None:
    """off is a word, and it means off."""
    assert "claude" == variant(down(Table(policy(automation="off"))))


def test_hand_back_waits_for_min_hold_and_then_asks() -> None:
    """Ten minutes at least; a person takes the first step."""
    table = down(Table())
    table.passes(2)
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.passes(5)
    early = len(table.kinds(HandBackAsked))
    table.passes(10)

    assert 0 == early
    assert 1 == len(table.kinds(HandBackAsked))
    assert "gpt" == variant(table)


def test_hand_back_goes_in_steps() -> None:
    """10, 25, 50, then 100 % = released, five minutes apart."""
    table = down(Table())
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.passes(11)
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    table.passes(16)

    steps = [b.share for b in table.kinds(HandBackStepped) if isinstance(b, HandBackStepped)]
    assert [10, 25, 50] == steps
    assert 1 == len(table.kinds(Released))
    assert "claude" == variant(table)


def test_relapse_during_the_hand_back_returns_everybody_to_the_fallback() -> None:
    """And the first step is requested again."""
    table = down(Table())
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.passes(11)
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    table.sees("anthropic.api", Level.DOWN)
    held = engagement(table)

    assert held is not None
    assert 0 == held.share_back
    assert "gpt" == held.variant
    assert 1 == len(table.kinds(HandBackReverted))


def test_failing_fallback_is_left_for_the_next_one() -> None:
    """The fallback fails too: the next healthy one takes over."""
    table = down(Table())
    table.sees("openai.api", Level.DOWN)

    assert "cached" == variant(table)


def test_automation_waits_after_a_release_during_the_outage() -> None:
    """Until the default was well once."""
    table = down(Table())
    refused = table.send(s.ReleaseFlag(actor=ANA, flag=FLAG)).answer
    table.passes(1)
    forced = table.send(s.ReleaseFlag(actor=ANA, flag=FLAG, force=True)).answer
    table.passes(30)
    rested = variant(table)
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.passes(1)
    table.sees("anthropic.api", Level.DOWN)

    assert not refused.ok
    assert forced.ok
    assert "claude" == rested
    assert "gpt" == variant(table)


def test_return_to_an_unhealthy_default_ends_the_mitigation() -> None:
    """A forced release is a relapse."""
    table = down(Table())
    before = table.incident().phase
    table.send(s.ReleaseFlag(actor=ANA, flag=FLAG, force=True))

    assert Phase.MITIGATED == before
    assert Phase.INVESTIGATING == table.incident().phase


def test_expired_switch_is_kept_and_people_are_asked() -> None:
    """on_expiry: hold."""
    table = down(Table())
    table.passes(4 * 60 + 1)

    assert "gpt" == variant(table)
    assert 1 == len(table.kinds(ExpiryReached))


def test_expired_switch_is_not_released_to_an_unhealthy_default() -> None:
    """on_expiry: release."""
    table = down(Table(policy(on_expiry="release", first_step="ask")))
    table.passes(4 * 60 + 1)
    kept = variant(table)
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.passes(4 * 60 + 1)

    assert "gpt" == kept
    assert "claude" == variant(table)


def test_manual_switch_without_an_outage_stays_until_released() -> None:
    """No hand-back rule undoes it."""
    table = Table().all_well()
    table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant="cached", reason="cost", hold_for=timedelta(hours=2)))
    table.passes(60)
    held = variant(table)
    said = table.send(s.ReleaseFlag(actor=ANA, flag=FLAG)).answer

    assert "cached" == held
    assert said.ok
    assert "claude" == variant(table)


def test_switch_to_an_unhealthy_variant_is_refused() -> None:
    """Nobody is sent from one fire into another."""
    table = Table().all_well()
    table.sees("openai.api", Level.DOWN)
    said = table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant="gpt", reason="test")).answer

    assert not said.ok
    assert "gpt needs OpenAI API, which is down" in told(said)


def test_missing_fallback_is_reported_once() -> None:
    """The flag stays, with the reason."""
    table = Table(policy(fallbacks=(Fallback("gpt", "openai.api"),))).all_well()
    table.sees("openai.api", Level.DOWN)
    table.sees("anthropic.api", Level.DOWN)
    table.passes(5)

    assert 1 == len(table.kinds(Held))
    assert "claude" == variant(table)


def test_each_switch_has_its_own_number() -> None:
    """It decides who is handed back first, so that it is not always the same people."""
    table = Table(policy(automation="off")).all_well()
    for _ in range(2):
        table.send(s.EngageFlag(actor=ANA, flag="support-chat.llm", variant="gpt"))
        table.send(s.ReleaseFlag(actor=ANA, flag="support-chat.llm"))

    assert ["support-chat.llm#1", "support-chat.llm#2"] == [
        body.engagement for body in table.kinds(Engaged) if isinstance(body, Engaged)
    ]


def test_new_incident_takes_over_a_flag_switched_in_an_earlier_one() -> None:
    """The first was resolved while Claude was down; the next one says that the chat is on GPT, and since when."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    began = table.now
    table.passes(5)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.passes(30)
    table.send(s.ReleaseFlag(actor=ANA, flag=FLAG, force=True))
    about = [fact for fact in table.facts if fact.incident == 2]

    assert (Away(FLAG, "gpt", began, table.now),) == durations(table.incident(2), about).away


def test_incident_takes_over_a_flag_switched_for_another_reason() -> None:
    """It was on cached answers for a load test; the incident says so once."""
    table = Table(policy(automation="off")).all_well()
    table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant="cached", reason="a load test"))
    table.sees("anthropic.api", Level.DOWN)
    table.passes(3)

    assert [1] == [fact.incident for fact in table.facts if isinstance(fact.body, CarriedOver)]
