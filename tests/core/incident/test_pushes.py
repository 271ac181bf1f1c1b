"""What is big enough for a reply under the alert (an edit reaches no phone), and what the evidence there is drawn anew for."""

import pytest

from bot.core import signals as s
from bot.core.effects import EditEvidence, PostEvidence, PostLine, To
from bot.core.model import Level, Phase, Severity
from bot.core.policy import Fallback
from tests.desk import ANA, Table, policy

API, WEB, GPT = "anthropic.api", "anthropic.web", "openai.api"


def outage(automation: str = "off") -> Table:
    table = Table(policy(automation=automation)).all_well()
    table.sees(API, Level.DOWN)
    return table


def pushed(table: Table) -> list[str]:
    """The kinds of facts that the last step queued a reply under the alert for."""
    step = table.steps[-1]
    kinds = {(fact.stream, fact.seq): fact.kind for fact in step.facts}
    replies = [e for e in step.effects if isinstance(e.body, PostLine) and e.body.to is To.THREAD]
    return [kinds[e.stream, e.seq] for e in replies]


def evidence(table: Table) -> list[object]:
    """What the last step does with the evidence."""
    return [e.body for e in table.steps[-1].effects if isinstance(e.body, PostEvidence | EditEvidence)]


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        (Severity.SEV2, Severity.SEV1, ["incident.severity_changed"]),
        (Severity.SEV2, Severity.SEV3, []),
    ],
)
def test_only_a_higher_severity_is_pushed(before: Severity, after: Severity, kinds: list[str]) -> None:
    """Nobody is woken to hear that it is less bad."""
    table = outage()
    table.send(s.SetSeverity(actor=ANA, incident=1, severity=after, reason="so we see it"))

    assert kinds == pushed(table)


@pytest.mark.parametrize(
    ("phase", "reason", "kinds"),
    [
        (Phase.RESOLVED, "", ["incident.phase_changed"]),
        (Phase.CANCELED, "false-alarm", ["incident.phase_changed"]),
        (Phase.IDENTIFIED, "", []),
    ],
)
def test_the_end_is_pushed_and_a_step_on_the_way_is_not(phase: Phase, reason: str, kinds: list[str]) -> None:
    """Who follows the alert learns that it is over."""
    table = outage()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=phase, reason=reason, force=True))

    assert kinds == pushed(table)


def test_a_component_that_joins_after_all_was_well_is_pushed_under_a_chosen_phase() -> None:
    """No relapse says it: the phase is theirs, and everybody had stopped to look."""
    table = outage()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.IDENTIFIED))
    table.sees(API, Level.OPERATIONAL)
    table.sees(WEB, Level.DOWN)

    assert ["incident.component_joined"] == pushed(table)


def test_a_component_that_joins_while_something_fails_is_not_pushed() -> None:
    """The alert is drawn anew."""
    table = outage()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.IDENTIFIED))
    table.sees(WEB, Level.DOWN)

    assert [] == pushed(table)


def test_a_reopened_incident_is_pushed() -> None:
    """They had turned over and slept."""
    table = outage()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.INVESTIGATING))

    assert ["incident.phase_changed"] == pushed(table)


def test_a_switch_that_waits_for_a_yes_is_pushed() -> None:
    """Customers wait for it."""
    assert ["flag.proposed"] == pushed(outage("propose"))


def test_customers_whom_nothing_serves_are_pushed() -> None:
    """The default fails, and so does its only fallback."""
    table = Table(policy(fallbacks=(Fallback("gpt", GPT),))).all_well()
    table.sees(GPT, Level.DOWN)
    table.sees(API, Level.DOWN)

    assert ["flag.held"] == pushed(table)


def test_a_slow_fallback_that_is_kept_is_not_pushed() -> None:
    """Customers are served all the same."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    table.sees(GPT, Level.DEGRADED)

    assert [] == pushed(table)


def test_a_switch_by_itself_is_not_pushed() -> None:
    """The alert says it from the start."""
    assert [] == pushed(outage("auto"))


def test_the_evidence_is_posted_with_the_alert() -> None:
    """As its first reply, so it stands right below."""
    assert [PostEvidence()] == evidence(outage())


def test_the_evidence_is_drawn_anew_when_a_component_joins() -> None:
    """In place: nobody is called for it."""
    table = outage()
    table.sees(WEB, Level.DOWN)

    assert [EditEvidence()] == evidence(table)


def test_the_evidence_stays_as_it_is_when_people_talk() -> None:
    """Slack takes few edits a minute; those are for what changed."""
    table = outage()
    table.send(s.AddNote(actor=ANA, incident=1, text="called the vendor"))

    assert [] == evidence(table)
