"""Reminding the lead that no person has written an update: when, how often, and how one is rid of it."""

from dataclasses import replace
from datetime import time, timedelta

import pytest

from bot.core import signals as s
from bot.core.answers import incident as a
from bot.core.decide.incident.reminders import NoReminders, NoSuchSnooze, Resumed, Snoozed, SnoozedNot
from bot.core.effects import PostLine
from bot.core.model import Level, Phase, Severity
from bot.core.paging import PagingPolicy, QuietHours
from bot.core.record.fact import Body
from bot.core.record.incident_facts import UpdateWritten
from bot.core.record.reminder_facts import UpdateOverdue
from tests.desk import ANA, BOB, START, Table, policy


def outage(*, quiet: tuple[int, int] | None = None) -> Table:
    """Claude is down since 12:00, and ana leads; `quiet` are the hours that hold a SEV2."""
    hours = QuietHours(frozenset({Severity.SEV2}), time(quiet[0]), time(quiet[1])) if quiet else None
    table = Table(replace(policy(), paging=PagingPolicy(quiet=hours))).all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.send(s.Acknowledge(actor=ANA, incident=1))
    return table


def reminded(table: Table) -> list[int]:
    """After how many minutes."""
    return [int((f.at - START) / timedelta(minutes=1)) for f in table.facts if isinstance(f.body, UpdateOverdue)]


def spoken(table: Table) -> list[int]:
    return [int((f.at - START) / timedelta(minutes=1)) for f in table.facts if isinstance(f.body, UpdateWritten)]


def lines(table: Table, kind: type[Body]) -> int:
    every = [effect for step in table.steps for effect in step.effects]
    told = {(effect.stream, effect.seq) for effect in every if isinstance(effect.body, PostLine)}
    return len([f for f in table.facts if isinstance(f.body, kind) and (f.stream, f.seq) in told])


def snooze(table: Table, minutes: float | None) -> object:
    lasts = None if minutes is None else timedelta(minutes=minutes)
    return table.send(s.SnoozeReminders(actor=ANA, incident=1, lasts=lasts)).answer


def test_the_lead_is_reminded_each_hour_in_which_no_person_wrote() -> None:
    """The bot's own updates tell what checks see; they are no person's words."""
    table = outage()
    table.passes(125)

    assert [60, 120] == reminded(table)
    assert [60, 120] == spoken(table)


def test_a_reminder_and_an_update_of_one_minute_are_one_message() -> None:
    """Ana acknowledged it two minutes after it was declared: what is due then goes with the hourly update."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.passes(2)
    table.send(s.Acknowledge(actor=ANA, incident=1))
    table.passes(60)

    assert ([60], [60]) == (spoken(table), reminded(table))
    assert 0 == lines(table, UpdateOverdue)
    assert [START] == [body.overdue for body in table.kinds(UpdateWritten) if isinstance(body, UpdateWritten)]


def test_a_reminder_between_two_updates_has_a_message_of_its_own() -> None:
    """Nobody waits half an hour for it."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.passes(30)
    table.send(s.Acknowledge(actor=ANA, incident=1))
    table.passes(60)

    assert ([60], [90]) == (spoken(table), reminded(table))
    assert 1 == lines(table, UpdateOverdue)


def test_an_update_by_a_person_begins_the_hour_anew() -> None:
    """Whoever writes hears nothing for an hour."""
    table = outage()
    table.passes(45)
    table.send(s.WriteUpdate(actor=BOB, incident=1, text="The fallback is fine"))
    table.passes(61)

    assert [105] == reminded(table)
    assert UpdateOverdue(START + timedelta(minutes=45)) == table.kinds(UpdateOverdue)[-1]


def test_nobody_is_reminded_while_nobody_leads() -> None:
    """That somebody has to come is for paging to say."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.passes(100)
    led = len(reminded(table))
    table.send(s.Acknowledge(actor=ANA, incident=1))
    table.passes(60)

    assert 0 == led
    assert [160] == reminded(table)


def test_nobody_is_reminded_once_all_is_well() -> None:
    """What waits then is whether it is over."""
    table = outage()
    table.passes(30)
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.passes(200)

    assert [] == reminded(table)


def test_nobody_is_reminded_at_a_severity_without_cadence() -> None:
    """`never`: no update is due, so none is overdue. Raised again, a whole hour counts from then."""
    table = outage()
    table.send(s.SetSeverity(actor=ANA, incident=1, severity=Severity.SEV4, reason="so we see it"))
    table.passes(300)
    quiet = reminded(table)
    table.send(s.SetSeverity(actor=ANA, incident=1, severity=Severity.SEV2, reason="so we see it"))
    table.passes(61)

    assert [] == quiet
    assert [360] == reminded(table)


def test_a_time_away_is_one_reminder() -> None:
    """Five hours without power are no five reminders."""
    table = outage()
    table.now += timedelta(hours=5)
    table.passes(30)

    assert [300] == reminded(table)


# --- snooze


def test_a_snoozed_reminder_comes_when_the_snooze_is_over() -> None:
    """And an hour later again, as if nobody had snoozed."""
    table = outage()
    table.passes(61)
    said = snooze(table, 30)
    table.passes(100)

    assert Snoozed(incident=1, changed=True, until=START + timedelta(minutes=91)) == said
    assert [60, 91, 151] == reminded(table)


def test_a_snooze_brings_no_reminder_forward() -> None:
    """Ten minutes in the middle of the hour change nothing."""
    table = outage()
    table.passes(20)
    snooze(table, 10)
    table.passes(41)

    assert [60] == reminded(table)


@pytest.mark.parametrize("minutes", [None, 600])
def test_an_update_by_a_person_ends_a_snooze(minutes: float | None) -> None:
    """Be it for good: who writes once is asked for the next one too."""
    table = outage()
    snooze(table, minutes)
    table.passes(300)
    held = reminded(table)
    table.send(s.WriteUpdate(actor=ANA, incident=1, text="words"))
    table.passes(60)

    assert [] == held
    assert [360] == reminded(table)


def test_reminders_that_are_turned_on_again_come_when_they_are_due() -> None:
    """At once, where one is overdue."""
    table = outage()
    snooze(table, None)
    table.passes(90)
    said = table.send(s.ResumeReminders(actor=BOB, incident=1)).answer
    table.passes(1)

    assert Resumed(incident=1, changed=True) == said
    assert [90] == reminded(table)


def test_a_snooze_is_over_with_the_incident() -> None:
    """Reopened, it is another matter."""
    table = outage()
    snooze(table, None)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.INVESTIGATING))
    table.passes(61)

    assert [60] == reminded(table)


def test_what_cannot_be_snoozed_is_refused_with_its_reason() -> None:
    """No cadence, no sensible length, no snooze, no incident any more."""
    table = outage()
    resumed = table.send(s.ResumeReminders(actor=ANA, incident=1)).answer
    lengths = [snooze(table, minutes) for minutes in (0.5, 24 * 60 + 1)]
    table.send(s.SetSeverity(actor=ANA, incident=1, severity=Severity.SEV4, reason="so we see it"))
    never = snooze(table, 30)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))

    assert SnoozedNot(incident=1) == resumed
    assert [NoSuchSnooze(incident=1, least_minutes=1, most_hours=24)] * 2 == lengths
    assert NoReminders(incident=1, severity=Severity.SEV4) == never
    over = a.Over(incident=1, phase=Phase.RESOLVED, wanted=a.Wanted.SNOOZE)
    assert [over, over] == [snooze(table, 30), table.send(s.ResumeReminders(actor=ANA, incident=1)).answer]


# --- quiet hours


def test_updates_and_reminders_wait_for_the_end_of_quiet_hours() -> None:
    """From 13 to 17 o'clock nothing is due; at their end one of each comes, and nothing is called missed."""
    table = outage(quiet=(13, 17))
    table.passes(301)

    assert [300] == spoken(table)
    assert [300] == reminded(table)
    assert [0] == [fact.missed for fact in table.kinds(UpdateWritten) if isinstance(fact, UpdateWritten)]


def test_quiet_hours_hold_only_their_severities() -> None:
    """Raised to SEV1 in the night, it speaks at once."""
    table = outage(quiet=(13, 17))
    table.passes(120)
    table.send(s.SetSeverity(actor=ANA, incident=1, severity=Severity.SEV1, reason="so we see it"))
    table.passes(1)

    assert [120] == spoken(table)


def test_a_person_writes_in_quiet_hours_too() -> None:
    """They hold back what nobody asked for."""
    table = outage(quiet=(13, 17))
    table.passes(90)
    table.send(s.WriteUpdate(actor=ANA, incident=1, text="words"))

    assert [90] == spoken(table)


def test_slots_of_quiet_hours_are_not_missed() -> None:
    """Without power from 12 to 18:30, quiet from 13 to 17: of the hours, 18 o'clock alone was missed."""
    table = outage(quiet=(13, 17))
    table.now += timedelta(hours=6, minutes=30)
    table.passes(0)

    assert [1] == [fact.missed for fact in table.kinds(UpdateWritten) if isinstance(fact, UpdateWritten)]
