"""When a fallback is engaged, how traffic goes back, and when automation holds still."""

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


def test_the_first_healthy_fallback_is_engaged_when_the_default_goes_down() -> None:
    """automation: auto switches within the same step as the verdict, and the incident is mitigated."""
    table = down(Table())

    assert "gpt" == variant(table)
    assert Phase.MITIGATED == table.incident().phase


def test_a_fallback_whose_component_is_unwell_is_passed_over() -> None:
    """`needs` is respected, also when nobody knows how it is."""
    table = Table().all_well()
    table.sees("openai.api", Level.UNKNOWN)
    table.sees("anthropic.api", Level.DOWN)

    assert "cached" == variant(table)


def test_degraded_is_not_enough_for_a_flag_that_engages_on_down() -> None:
    """engage_on: down."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DEGRADED)

    assert "claude" == variant(table)


def test_a_proposal_waits_for_a_person_and_is_dropped_when_the_trouble_ends() -> None:
    """automation: propose asks."""
    table = down(Table(policy(automation="propose")))
    served, asked = variant(table), len(table.kinds(EngageProposed))
    table.sees("anthropic.api", Level.OPERATIONAL)

    assert "claude" == served
    assert 1 == asked
    assert 1 == len(table.kinds(ProposalDropped))


def test_an_approved_proposal_is_engaged_as_proposed() -> None:
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


def test_the_hand_back_waits_for_min_hold_and_then_asks() -> None:
    """Ten minutes at least; the first step is a person's."""
    table = down(Table())
    table.passes(2)
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.passes(5)
    early = len(table.kinds(HandBackAsked))
    table.passes(10)

    assert 0 == early
    assert 1 == len(table.kinds(HandBackAsked))
    assert "gpt" == variant(table)


def test_the_hand_back_goes_step_by_step_to_the_default() -> None:
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


def test_a_relapse_on_the_way_back_returns_everybody_to_the_fallback() -> None:
    """And the first step is asked for again."""
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


def test_a_sick_fallback_is_left_for_the_next_one() -> None:
    """The fallback fails too: the next healthy one takes over."""
    table = down(Table())
    table.sees("openai.api", Level.DOWN)

    assert "cached" == variant(table)


def test_automation_rests_after_a_person_released_during_the_trouble() -> None:
    """A forced release is not fought by the rule, until the default was well once."""
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


def test_an_incident_is_mitigated_no_longer_when_customers_go_back_to_an_unwell_default() -> None:
    """A forced release is a relapse: the fallback carries nobody any more."""
    table = down(Table())
    before = table.incident().phase
    table.send(s.ReleaseFlag(actor=ANA, flag=FLAG, force=True))

    assert Phase.MITIGATED == before
    assert Phase.INVESTIGATING == table.incident().phase


def test_an_expired_engagement_is_kept_and_asked_about() -> None:
    """on_expiry: hold."""
    table = down(Table())
    table.passes(4 * 60 + 1)

    assert "gpt" == variant(table)
    assert 1 == len(table.kinds(ExpiryReached))


def test_an_expired_engagement_is_not_released_onto_an_unwell_default() -> None:
    """on_expiry: release waits for the default to be well."""
    table = down(Table(policy(on_expiry="release", first_step="ask")))
    table.passes(4 * 60 + 1)
    kept = variant(table)
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.passes(4 * 60 + 1)

    assert "gpt" == kept
    assert "claude" == variant(table)


def test_a_switch_by_hand_without_trouble_stays_until_it_is_released() -> None:
    """A person's own reasons are not undone by the hand-back rule."""
    table = Table().all_well()
    table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant="cached", reason="cost", hold_for=timedelta(hours=2)))
    table.passes(60)
    held = variant(table)
    said = table.send(s.ReleaseFlag(actor=ANA, flag=FLAG)).answer

    assert "cached" == held
    assert said.ok
    assert "claude" == variant(table)


def test_engaging_onto_an_unwell_variant_is_refused() -> None:
    """Nobody is sent from one fire into another."""
    table = Table().all_well()
    table.sees("openai.api", Level.DOWN)
    said = table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant="gpt", reason="test")).answer

    assert not said.ok
    assert "gpt needs OpenAI API, which is down" in told(said)


def test_no_fit_fallback_is_held_and_said_once() -> None:
    """Nothing healthy to switch to: stay put, say why, once."""
    table = Table(policy(fallbacks=(Fallback("gpt", "openai.api"),))).all_well()
    table.sees("openai.api", Level.DOWN)
    table.sees("anthropic.api", Level.DOWN)
    table.passes(5)

    assert 1 == len(table.kinds(Held))
    assert "claude" == variant(table)


def test_each_engagement_has_a_number_of_its_own() -> None:
    """It seeds who is handed back first: otherwise the same people would be first every time."""
    table = Table(policy(automation="off")).all_well()
    for _ in range(2):
        table.send(s.EngageFlag(actor=ANA, flag="support-chat.llm", variant="gpt"))
        table.send(s.ReleaseFlag(actor=ANA, flag="support-chat.llm"))

    assert ["support-chat.llm#1", "support-chat.llm#2"] == [
        body.engagement for body in table.kinds(Engaged) if isinstance(body, Engaged)
    ]


def test_an_incident_takes_over_the_flag_that_an_earlier_one_switched() -> None:
    """Resolved by hand while Claude is down; the incident that opens again tells that the chat is on GPT, and since when."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    began = table.now
    table.passes(5)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.passes(30)
    table.send(s.ReleaseFlag(actor=ANA, flag=FLAG, force=True))
    about = [fact for fact in table.facts if fact.incident == 2]

    assert (Away(FLAG, "gpt", began, table.now),) == durations(table.incident(2), about).away


def test_an_incident_takes_over_a_flag_that_was_switched_for_another_reason() -> None:
    """On cached answers for a load test when Claude fails: the incident says so once."""
    table = Table(policy(automation="off")).all_well()
    table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant="cached", reason="a load test"))
    table.sees("anthropic.api", Level.DOWN)
    table.passes(3)

    assert [1] == [fact.incident for fact in table.facts if isinstance(fact.body, CarriedOver)]
