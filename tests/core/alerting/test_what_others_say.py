"""What others say of a component, whole: what is heard of it, what is written down, and what the sender is answered."""

from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.answers import base
from bot.core.answers import components as ca
from bot.core.decide.alerting.corroboration import FORGETTING, MOST_ALERTS, MOST_OF_A_SOURCE, STATES, hear
from bot.core.detection.verdict import SourceReport
from bot.core.effects import PostLine
from bot.core.model import Actor, AlertState, FeedReport, FeedState, Level, Notice
from bot.core.record.component_facts import REPORT_LASTS, AlertHeard, ReportHeard
from tests.desk import ANA, BOB, START, Table, Written, policy

API = "anthropic.api"
MONITOR = Actor("operator", "grafana", "grafana")  # type: ignore[arg-type]
MINUTE = timedelta(minutes=1)


def fires(table: Table, key: str = "k1", source: str = "grafana", state: str = "firing", component: str = API) -> base.Answer:
    signal = s.Alerted(actor=MONITOR, source=source, key=key, component=component, state=state, title="5xx above 2 %")
    return table.send(signal).answer


def reports(table: Table, text: str, actor: Actor = ANA, component: str = API) -> base.Answer:
    return table.send(s.Reported(actor=actor, component=component, text=text)).answer


def lines(table: Table) -> int:
    return sum(isinstance(effect.body, PostLine) for effect in table.steps[-1].effects)


def outage() -> Table:
    table = Table(policy(automation="off")).all_well()
    table.sees(API, Level.DOWN)
    return table


# --- what is heard


@pytest.mark.parametrize(
    ("impact", "status", "heard"),
    [("major", "investigating", True), ("maintenance", "investigating", False), ("major", "in_progress", False)],
)
def test_a_notice_is_heard_in_its_words_unless_it_is_maintenance(impact: str, status: str, heard: bool) -> None:
    """By what the page calls it, or by a stage that only plans have."""
    table = Table().all_well()
    notice = Notice("anthropic", "n1", "u1", "Elevated errors", "", status, impact, START, components=(API,))
    report = FeedReport("anthropic", table.now, FeedState.FRESH, notices=(notice,))
    table.send(s.FeedRead(actor=Actor.vendor("anthropic"), report=report))
    voice = SourceReport("feed", Level.DEGRADED, "Elevated errors (investigating)", START)

    assert ((voice,) if heard else ()) == hear(table.world, API, table.now)


def test_what_the_page_calls_a_component_is_heard_from_now_on() -> None:
    """The page says down, and not since when."""
    table = Table().all_well()
    table.send(s.FeedRead(actor=Actor.vendor("anthropic"), report=FeedReport("anthropic", table.now, FeedState.FRESH)))
    now = table.now + MINUTE

    assert (SourceReport("feed", Level.DOWN, "the component is called down", now),) == hear(
        table.world, API, now, {API: Level.DOWN}
    )


def test_an_alert_is_heard_with_its_title_its_sender_and_its_time() -> None:
    """As it came in."""
    table = Table().all_well()
    fires(table)

    assert (SourceReport("alert", Level.DEGRADED, "5xx above 2 % (grafana)", START),) == hear(
        table.world, API, table.now + MINUTE
    )


@pytest.mark.parametrize(
    ("words", "reason"), [(["it hangs"], "ana: it hangs"), (["slow", "odd", "it hangs"], "ana and 2 more: it hangs")]
)
def test_people_are_heard_by_the_newest_word_since_the_first(words: list[str], reason: str) -> None:
    """One person, or three with one voice."""
    table = Table().all_well()
    for text in words:
        reports(table, text)
        table.now += MINUTE

    assert (SourceReport("report", Level.DEGRADED, reason, START),) == hear(table.world, API, table.now)


@pytest.mark.parametrize(("after", "voices"), [(REPORT_LASTS - MINUTE, 1), (REPORT_LASTS, 0)])
def test_a_report_is_heard_for_its_time_and_no_longer(after: timedelta, voices: int) -> None:
    """To the moment."""
    table = Table().all_well()
    reports(table, "it hangs")

    assert voices == len(hear(table.world, API, START + after))


# --- what is written down, and answered


def test_an_alert_without_an_incident_is_on_record_and_told_to_nobody() -> None:
    """It corroborates."""
    table = Table().all_well()
    answer = fires(table)
    body = AlertHeard(API, "grafana", "k1", AlertState.FIRING, "5xx above 2 %")

    assert [Written(body, None, MONITOR)] == table.written(AlertHeard)
    assert ca.AlertTaken(incident=None, changed=True) == answer
    assert 0 == lines(table)


def test_an_alert_beside_an_incident_is_told_in_its_channel() -> None:
    """And its sender is told which one it is."""
    table = outage()
    answer = fires(table)
    body = AlertHeard(API, "grafana", "k1", AlertState.FIRING, "5xx above 2 %")

    assert [Written(body, 1, MONITOR)] == table.written(AlertHeard)
    assert ca.AlertTaken(incident=1, changed=True) == answer
    assert 1 == lines(table)


def test_a_report_is_on_record_and_answered_with_what_our_checks_say() -> None:
    """Its level and the reason of the newest verdict."""
    table = outage()
    answer = reports(table, " it hangs ", BOB)
    reason = "3 of 5 checks failed: HTTP 502"

    assert [Written(ReportHeard(API, "it hangs"), 1, BOB)] == table.written(ReportHeard)
    assert ca.ReportHeard(incident=1, component="Claude API", level=Level.DOWN, reason=reason, changed=True) == answer


def test_what_is_refused_is_refused_by_name() -> None:
    """So that the sender can mend it."""
    table = Table().all_well()

    assert ca.AlertAboutNothing(component="a.b") == fires(table, component="a.b")
    assert ca.NoAlertState(state="perhaps", known=STATES) == fires(table, state="perhaps")
    assert base.NoComponent(component="a.b", known=tuple(sorted(table.policy.components))) == reports(
        table, "it hangs", component="a.b"
    )
    assert base.NoWords(of=base.Words.REPORT) == reports(table, " ")


def test_more_alerts_than_anybody_reads_are_refused_with_the_cap() -> None:
    """Of whichever monitors."""
    table = Table().all_well()
    for number in range(MOST_ALERTS):
        fires(table, source=f"m{number}")

    assert ca.TooManyAlerts(component="Claude API", most=MOST_ALERTS) == fires(table, source="one more")


def test_alerts_of_yesterday_are_resolved_on_record_by_a_rule() -> None:
    """Nobody in a channel is told, also where an incident is open."""
    table = outage()
    for number in range(MOST_OF_A_SOURCE):
        fires(table, f"k{number}")
    table.now += timedelta(hours=24)
    fires(table, "new")
    gone = [AlertHeard(API, "grafana", f"k{n}", AlertState.RESOLVED, "5xx above 2 %") for n in range(MOST_OF_A_SOURCE)]

    assert [Written(body, None, FORGETTING) for body in gone] == table.written(AlertHeard)[MOST_OF_A_SOURCE:-1]
    assert 1 == lines(table)


def test_a_voice_belongs_to_one_component() -> None:
    """The site hears nothing of what is said of the API."""
    table = Table().all_well()
    fires(table)
    reports(table, "it hangs")

    assert () == hear(table.world, "anthropic.web", table.now)
