"""Phases belong to people; whether customers are served is recorded separately, by rules or people."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.effects import PostLine, To
from bot.core.model import Level, Phase, Severity
from bot.core.paging import PageStep, PagingPolicy
from bot.core.policy import Automation, Fallback, ResolveMode
from bot.core.record.course.mitigation_facts import Mitigated, MitigationLost
from bot.core.record.fact import Body
from bot.core.record.incident_facts import ComponentMoved, PhaseChanged, ResolveAsked
from bot.core.record.paging_facts import Paged
from bot.timeline.durations import durations
from tests.core.test_next_due import goes_on, settle, story
from tests.desk import ANA, Table, policy, told

FLAG, API, GPT = "support-chat.llm", "anthropic.api", "openai.api"


def down(**flag: object) -> Table:
    """Claude API is down, and the chat is on its fallback unless `flag` says otherwise."""
    table = Table(policy(**flag)).all_well()
    table.sees(API, Level.DOWN)
    return table


def phase(table: Table, to: Phase, reason: str = "") -> None:
    assert table.send(s.SetPhase(actor=ANA, incident=1, phase=to, reason=reason)).answer.ok


def lines(table: Table, kind: type[Body]) -> int:
    """How many lines the channel has about facts of a kind."""
    facts = {(fact.stream, fact.seq) for fact in table.facts if isinstance(fact.body, kind)}
    effects = [one for done in table.steps for one in done.effects if one.body == PostLine(To.INCIDENT)]
    return sum((one.stream, one.seq) in facts for one in effects)


# --- the law


@pytest.mark.parametrize("seed", range(120))
def test_rules_do_not_change_a_phase_chosen_by_a_person(seed: int) -> None:
    """Except for a relapse under `monitoring`, which nobody chose."""
    dice, table = story(seed)
    for _ in range(12):
        goes_on(dice, table)
        settle(table)
        open_ones = table.world.open_incidents()
        if open_ones:
            to = dice.choice([Phase.INVESTIGATING, Phase.IDENTIFIED, Phase.MITIGATED, Phase.MONITORING])
            table.send(s.SetPhase(actor=ANA, incident=dice.choice(open_ones).number, phase=to, reason="we know better"))
    chosen: dict[int, bool] = {}
    for fact in table.facts:
        body = fact.body
        if isinstance(body, PhaseChanged) and fact.incident is not None:
            taken = chosen.get(fact.incident, False) and fact.actor.kind == "rule" and body.move != "relapse"
            assert not taken, f"{fact.actor.name} took {body.previous} from a person: {body.phase}"
            chosen[fact.incident] = body.chosen


# --- beside the phase


def test_mitigated_incident_may_be_identified() -> None:
    """The cause is found while a fallback serves."""
    table = down()
    phase(table, Phase.IDENTIFIED, "their database")
    table.passes(3)

    assert Phase.IDENTIFIED is table.incident().phase
    assert table.incident().mitigation is not None


def test_switch_mitigates_without_changing_a_chosen_phase() -> None:
    """Posted in one line by the rule, with the flag's name."""
    table = down(automation=Automation.PROPOSE)
    phase(table, Phase.IDENTIFIED)
    table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant="gpt", reason="now"))

    assert Phase.IDENTIFIED is table.incident().phase
    assert [Mitigated("support chat switched to gpt")] == table.kinds(Mitigated)
    assert 1 == lines(table, Mitigated)


def test_recovery_does_not_change_a_chosen_phase() -> None:
    """People are asked, even where incidents end automatically."""
    base = policy()
    table = Table(replace(base, incidents=replace(base.incidents, resolve=ResolveMode.AUTO))).all_well()
    table.sees(API, Level.DOWN)
    phase(table, Phase.IDENTIFIED)
    table.all_well().passes(40)

    assert Phase.IDENTIFIED is table.incident().phase
    assert 1 == len(table.kinds(ResolveAsked))


def test_failure_under_monitoring_is_a_relapse_even_if_a_person_chose_it() -> None:
    """Nobody watches what is down."""
    table = down()
    phase(table, Phase.MONITORING)
    table.all_well()
    table.sees(API, Level.DOWN)

    assert "relapse" in [body.move for body in table.kinds(PhaseChanged)]  # type: ignore[attr-defined]


def test_failure_under_a_chosen_phase_is_posted_once() -> None:
    """In the channel and under the alert; the phase stays."""
    table = down()
    phase(table, Phase.IDENTIFIED)
    table.all_well()
    again = table.sees(API, Level.DOWN)
    later = table.passes(5)
    told_ = [one.body for one in (*again.effects, *later.effects) if isinstance(one.body, PostLine)]

    assert Phase.IDENTIFIED is table.incident().phase
    assert [PostLine(To.INCIDENT), PostLine(To.THREAD)] == told_


def test_failure_under_a_chosen_phase_pages_if_unacknowledged() -> None:
    """As the policy says."""
    steps = PagingPolicy({Severity.SEV2: tuple(PageStep(timedelta(minutes=m), mention=("S0ONCALL",)) for m in (0, 30))})
    table = Table(replace(policy(), paging=steps)).all_well()
    table.sees(API, Level.DOWN)
    phase(table, Phase.IDENTIFIED)
    table.all_well()
    table.passes(40)
    held = len(table.kinds(Paged))
    table.sees(API, Level.DOWN)
    table.passes(1)

    assert (1, 2) == (held, len(table.kinds(Paged)))


def test_reopened_incident_follows_its_checks_again() -> None:
    """Reopening says that it is not over, not how far it is."""
    table = down()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.INVESTIGATING))
    table.all_well()

    assert Phase.MONITORING is table.incident().phase


# --- gone


def test_failing_fallback_ends_the_mitigation() -> None:
    """Posted under the alert, which reaches phones, and once in the channel."""
    table = down(fallbacks=(Fallback("gpt", GPT),))
    table.sees(GPT, Level.DOWN)

    assert [MitigationLost("OpenAI API is down too, and support chat is on gpt")] == table.kinds(MitigationLost)
    assert (None, Phase.INVESTIGATING) == (table.incident().mitigation, table.incident().phase)
    assert 1 == lines(table, MitigationLost)
    assert 1 == lines(table, PhaseChanged)  # that it was mitigated; that it is not is said above


def test_recovered_fallback_mitigates_again() -> None:
    """Durations count from the first time."""
    table = down(fallbacks=(Fallback("gpt", GPT),))
    first = table.incident().mitigated_at
    table.sees(GPT, Level.DOWN)
    table.passes(5)
    table.sees(GPT, Level.OPERATIONAL)

    assert Phase.MITIGATED is table.incident().phase
    assert first == table.incident().mitigated_at


def test_lost_mitigation_keeps_a_chosen_phase() -> None:
    """The cause is known whether customers are served or not."""
    table = down(fallbacks=(Fallback("gpt", GPT),))
    phase(table, Phase.IDENTIFIED)
    table.sees(GPT, Level.DOWN)

    assert (None, Phase.IDENTIFIED) == (table.incident().mitigation, table.incident().phase)


# --- by word


def test_person_may_say_that_customers_are_served() -> None:
    """By other means than our flags; the phase stays, and the time counts."""
    table = down(automation=Automation.OFF)
    table.passes(7)
    said = table.send(s.SayMitigated(actor=ANA, incident=1, reason="the old key works")).answer

    assert "INC-1: customers are served again. Its phase is triage." == told(said)
    assert Phase.TRIAGE is table.incident().phase
    assert table.now == durations(table.incident(), table.facts).mitigated_at


def test_rule_does_not_revoke_a_persons_mitigation() -> None:
    """They know of a way that no check sees."""
    table = down(automation=Automation.OFF)
    table.send(s.SayMitigated(actor=ANA, incident=1))
    table.sees(GPT, Level.DOWN)
    table.passes(10)

    assert table.incident().mitigation is not None


def test_person_may_revoke_the_mitigation() -> None:
    """The record keeps that it was so."""
    table = down()
    said = table.send(s.SayMitigated(actor=ANA, incident=1, reason="the answers are nonsense", over=True)).answer

    assert "INC-1: customers are no longer served. Its phase is investigating." == told(said)
    assert [MitigationLost("the answers are nonsense")] == table.kinds(MitigationLost)


@pytest.mark.parametrize("by_person", [True, False])
def test_unrelated_events_do_not_overrule_a_person(by_person: bool) -> None:
    """Nobody is served by nonsense, however slow a page of another matter is."""
    table = down()
    if by_person:
        phase(table, Phase.IDENTIFIED)
    table.send(s.SayMitigated(actor=ANA, incident=1, reason="the answers are nonsense", over=True))
    table.send(s.Declare(actor=ANA, title="Mail is late", separate=True))
    table.sees("mistral.api", Level.DOWN)

    assert table.incident().mitigation is None


def test_revoked_mitigation_also_changes_the_phase_mitigated() -> None:
    """Even if a person chose it."""
    table = down(automation=Automation.OFF)
    phase(table, Phase.MITIGATED)
    said = table.send(s.SayMitigated(actor=ANA, incident=1, over=True)).answer

    assert "INC-1: customers are no longer served. Its phase is investigating." == told(said)


def test_improvement_under_monitoring_is_no_relapse() -> None:
    """Somebody watches how it gets better."""
    table = down()
    phase(table, Phase.MONITORING)
    table.sees(API, Level.DEGRADED)

    assert (Phase.MONITORING, 0) == (table.incident().phase, table.incident().relapses)
    assert 1 == lines(table, ComponentMoved)


def test_repeated_mitigation_is_refused() -> None:
    """And so is revoking none."""
    table = down()
    twice = table.send(s.SayMitigated(actor=ANA, incident=1)).answer
    table.send(s.SayMitigated(actor=ANA, incident=1, over=True))
    nothing = table.send(s.SayMitigated(actor=ANA, incident=1, over=True)).answer

    assert "It is already on record that customers of INC-1 are served (automatic)." == told(twice)
    assert "Nothing on record says that customers of INC-1 are served." == told(nothing)
