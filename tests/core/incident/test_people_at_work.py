"""What people do with an incident: what is recorded, and what they are answered."""

from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.answers import base
from bot.core.answers import incident as a
from bot.core.effects import EffectBody, OpenChannel, PostLine, PostUpdate, UploadExport
from bot.core.model import Level, Phase, Severity
from bot.core.record.incident_facts import Exported, NoteAdded, PhaseChanged, SeverityChanged, UpdateWritten
from tests.desk import ANA, BOB, RULE, START, Table, Written


def outage() -> Table:
    table = Table().all_well()
    table.sees("anthropic.web", Level.DOWN)  # no flag depends on it, so that the incident stays in triage
    return table


def over() -> Table:
    table = outage()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    return table


def sent(table: Table, kind: type[EffectBody]) -> list[EffectBody]:
    return [effect.body for effect in table.steps[-1].effects if type(effect.body) is kind]


# --- acknowledging


def test_answer_to_an_acknowledgement_names_the_incident() -> None:
    """So that a face can point there."""
    said = outage().send(s.Acknowledge(actor=ANA, incident=1)).answer

    assert a.Acknowledged(incident=1, changed=True) == said


def test_acknowledgement_ends_triage_for_the_person() -> None:
    """Recorded as reason and actor."""
    table = outage()
    table.send(s.Acknowledge(actor=ANA, incident=1))
    body = PhaseChanged(Phase.TRIAGE, Phase.INVESTIGATING, "forward", "acknowledged by ana")

    assert [Written(body, 1, ANA)] == table.written(PhaseChanged)


def test_acknowledgement_is_posted_once() -> None:
    """Without another line for the phase."""
    table = outage()
    table.send(s.Acknowledge(actor=ANA, incident=1))

    assert 1 == len(sent(table, PostLine))


def test_acknowledgement_does_not_change_a_later_phase() -> None:
    """Somebody called it identified before anybody had taken it."""
    table = outage()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.IDENTIFIED))
    table.send(s.Acknowledge(actor=BOB, incident=1))

    assert Phase.IDENTIFIED is table.incident().phase


# --- what is over


@pytest.mark.parametrize(
    ("signal", "wanted"),
    [
        (s.Acknowledge(actor=ANA, incident=1), a.Wanted.ACKNOWLEDGE),
        (s.WriteUpdate(actor=ANA, incident=1, text="We are back"), a.Wanted.UPDATE),
        (s.SetSeverity(actor=ANA, incident=1, severity=Severity.SEV1), a.Wanted.SEVERITY),
    ],
    ids=["acknowledge", "update", "severity"],
)
def test_command_on_an_ended_incident_is_refused_with_its_phase(signal: s.Signal, wanted: a.Wanted) -> None:
    """And with the command, so that the interface can say what to do."""
    assert a.Over(incident=1, phase=Phase.RESOLVED, wanted=wanted) == over().send(signal).answer


def test_note_is_accepted_after_the_end() -> None:
    """People remember things afterwards."""
    table = over()
    said = table.send(s.AddNote(actor=BOB, incident=1, text="  it was DNS  ")).answer

    assert a.NoteAdded(incident=1, changed=True) == said
    assert [Written(NoteAdded("it was DNS"), 1, BOB)] == table.written(NoteAdded)


# --- words


@pytest.mark.parametrize("text", ["", "  \n"])
def test_empty_update_is_refused(text: str) -> None:
    """Everybody would be pinged for nothing."""
    assert base.NoWords(of=base.Words.UPDATE) == outage().send(s.WriteUpdate(actor=ANA, incident=1, text=text)).answer


def test_empty_note_is_refused() -> None:
    """An empty line helps nobody."""
    assert base.NoWords(of=base.Words.NOTE) == outage().send(s.AddNote(actor=ANA, incident=1, text=" ")).answer


def test_update_by_a_person_gets_the_next_number() -> None:
    """It is in the answer, and none counts as missed."""
    table = outage()
    table.send(s.WriteUpdate(actor=ANA, incident=1, text="We look"))
    said = table.send(s.WriteUpdate(actor=BOB, incident=1, text=" We found it ")).answer

    assert a.UpdateWritten(incident=1, slot=2, changed=True) == said
    assert [Written(UpdateWritten(1, "We look", 0), 1, ANA), Written(UpdateWritten(2, "We found it", 0), 1, BOB)] == (
        table.written(UpdateWritten)
    )


def test_first_update_covers_everything_since_the_declaration() -> None:
    """A person's update waits for Slack, even behind a newer one."""
    table = outage()
    table.passes(7)
    table.send(s.WriteUpdate(actor=ANA, incident=1, text="We look"))

    assert [PostUpdate(START, 1, newest_only=False)] == sent(table, PostUpdate)


def test_next_update_covers_everything_since_the_previous_one() -> None:
    """An automatic one is replaced by a newer one while Slack is away."""
    table = outage()
    table.passes(7)
    table.send(s.WriteUpdate(actor=ANA, incident=1, text="We look"))
    table.passes(60)

    assert [PostUpdate(START + timedelta(minutes=7), 2, newest_only=True)] == sent(table, PostUpdate)


def test_automatic_update_names_the_rule() -> None:
    """Whoever wonders why it speaks every hour reads it there."""
    table = outage()
    table.passes(60)

    assert ["update every 60 min"] == [one.actor.name or one.actor.id for one in table.written(UpdateWritten)]


# --- severity


def test_severity_change_records_old_value_and_reason() -> None:
    """For the person."""
    table = outage()
    said = table.send(s.SetSeverity(actor=ANA, incident=1, severity=Severity.SEV1, reason="the shop is down")).answer

    assert a.SeveritySet(incident=1, severity=Severity.SEV1, changed=True) == said
    assert [Written(SeverityChanged(Severity.SEV2, Severity.SEV1, "the shop is down"), 1, ANA)] == (
        table.written(SeverityChanged)
    )


def test_unchanged_severity_is_refused() -> None:
    """Nothing changed, and nobody is told that it did."""
    said = outage().send(s.SetSeverity(actor=ANA, incident=1, severity=Severity.SEV2)).answer

    assert a.SeverityAlready(incident=1, severity=Severity.SEV2) == said


# --- the timeline as a file


@pytest.mark.parametrize("format", ["md", "json", "csv"])
def test_export_goes_to_the_incidents_channel(format: str) -> None:
    """In the requested format; the record says who got it."""
    table = outage()
    table.send(s.EffectDone(actor=RULE, key="k", kind=OpenChannel, incident=1, channel="C7", name="inc-1"))
    said = table.send(s.AskExport(actor=ANA, incident=1, format=format)).answer

    assert a.Exported(incident=1, where="its channel", changed=True) == said
    assert [UploadExport(format)] == sent(table, UploadExport)
    assert [Written(Exported(format, "its channel"), 1, ANA)] == table.written(Exported)


def test_export_without_a_channel_goes_to_the_alerts_thread() -> None:
    """The answer says so."""
    table = outage()
    table.send(s.EffectRefused(actor=RULE, key="k", kind=OpenChannel, incident=1, reason="restricted_action"))
    said = table.send(s.AskExport(actor=ANA, incident=1, format="md")).answer

    assert a.Exported(incident=1, where="the thread under its alert", changed=True) == said


def test_unknown_export_format_is_refused_with_the_known_ones() -> None:
    """Nothing is uploaded."""
    said = outage().send(s.AskExport(actor=ANA, incident=1, format="pdf")).answer

    assert a.NoFormat(incident=1, format="pdf", known=("md", "json", "csv")) == said


# --- where one cannot go


def test_illegal_phase_change_is_refused_with_the_legal_ones() -> None:
    """From resolved one may reopen or close, but not go back to mitigated."""
    said = over().send(s.SetPhase(actor=ANA, incident=1, phase=Phase.MITIGATED)).answer

    assert a.NoWay(incident=1, phase=Phase.RESOLVED, to=Phase.MITIGATED, ways=(Phase.INVESTIGATING, Phase.CLOSED)) == said
