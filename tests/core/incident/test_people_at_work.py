"""What people do with an incident: what is written down, and what they are answered."""

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


def test_acknowledging_is_answered_with_its_incident() -> None:
    """So that a face can point there."""
    said = outage().send(s.Acknowledge(actor=ANA, incident=1)).answer

    assert a.Acknowledged(incident=1, changed=True) == said


def test_acknowledging_leaves_triage_in_the_name_of_who_did() -> None:
    """The record says who, as its reason and as its actor."""
    table = outage()
    table.send(s.Acknowledge(actor=ANA, incident=1))
    body = PhaseChanged(Phase.TRIAGE, Phase.INVESTIGATING, "forward", "acknowledged by ana")

    assert [Written(body, 1, ANA)] == table.written(PhaseChanged)


def test_acknowledging_is_announced_once() -> None:
    """One line that ana has taken it, and none that the phase moved for that reason."""
    table = outage()
    table.send(s.Acknowledge(actor=ANA, incident=1))

    assert 1 == len(sent(table, PostLine))


def test_acknowledging_moves_no_later_phase_back() -> None:
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
def test_what_is_over_is_refused_with_its_phase(signal: s.Signal, wanted: a.Wanted) -> None:
    """And with what was wanted, so that the face can say what to do instead."""
    assert a.Over(incident=1, phase=Phase.RESOLVED, wanted=wanted) == over().send(signal).answer


def test_a_note_is_taken_after_the_end() -> None:
    """People remember things afterwards."""
    table = over()
    said = table.send(s.AddNote(actor=BOB, incident=1, text="  it was DNS  ")).answer

    assert a.NoteAdded(incident=1, changed=True) == said
    assert [Written(NoteAdded("it was DNS"), 1, BOB)] == table.written(NoteAdded)


# --- words


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_update_without_words_is_refused(text: str) -> None:
    """Everybody would be pinged for nothing."""
    assert base.NoWords(of=base.Words.UPDATE) == outage().send(s.WriteUpdate(actor=ANA, incident=1, text=text)).answer


def test_a_note_without_words_is_refused() -> None:
    """An empty line helps nobody."""
    assert base.NoWords(of=base.Words.NOTE) == outage().send(s.AddNote(actor=ANA, incident=1, text=" ")).answer


def test_an_update_is_the_persons_and_counts_up() -> None:
    """Its number is in the answer, and nothing was missed because a person spoke."""
    table = outage()
    table.send(s.WriteUpdate(actor=ANA, incident=1, text="We look"))
    said = table.send(s.WriteUpdate(actor=BOB, incident=1, text=" We found it ")).answer

    assert a.UpdateWritten(incident=1, slot=2, changed=True) == said
    assert [Written(UpdateWritten(1, "We look", 0), 1, ANA), Written(UpdateWritten(2, "We found it", 0), 1, BOB)] == (
        table.written(UpdateWritten)
    )


def test_the_first_update_tells_of_everything_since_the_declaration() -> None:
    """Everything that a person writes waits for Slack, also behind a newer one."""
    table = outage()
    table.passes(7)
    table.send(s.WriteUpdate(actor=ANA, incident=1, text="We look"))

    assert [PostUpdate(START, 1, newest_only=False)] == sent(table, PostUpdate)


def test_the_next_update_tells_of_everything_since_the_one_before() -> None:
    """The bot's own gives way to a newer one while Slack is away."""
    table = outage()
    table.passes(7)
    table.send(s.WriteUpdate(actor=ANA, incident=1, text="We look"))
    table.passes(60)

    assert [PostUpdate(START + timedelta(minutes=7), 2, newest_only=True)] == sent(table, PostUpdate)


def test_the_bots_update_names_its_rule() -> None:
    """Whoever wonders why it speaks every hour reads it there."""
    table = outage()
    table.passes(60)

    assert ["update every 60 min"] == [one.actor.name or one.actor.id for one in table.written(UpdateWritten)]


# --- severity


def test_a_severity_is_set_with_what_it_was_and_why() -> None:
    """By the person who set it."""
    table = outage()
    said = table.send(s.SetSeverity(actor=ANA, incident=1, severity=Severity.SEV1, reason="the shop is down")).answer

    assert a.SeveritySet(incident=1, severity=Severity.SEV1, changed=True) == said
    assert [Written(SeverityChanged(Severity.SEV2, Severity.SEV1, "the shop is down"), 1, ANA)] == (
        table.written(SeverityChanged)
    )


def test_the_severity_that_it_has_is_refused() -> None:
    """Nothing changed, and nobody is told that it did."""
    said = outage().send(s.SetSeverity(actor=ANA, incident=1, severity=Severity.SEV2)).answer

    assert a.SeverityAlready(incident=1, severity=Severity.SEV2) == said


# --- the timeline as a file


@pytest.mark.parametrize("format", ["md", "json", "csv"])
def test_an_export_goes_to_the_incidents_channel(format: str) -> None:
    """In the format that was asked for; the record says who has it."""
    table = outage()
    table.send(s.EffectDone(actor=RULE, key="k", kind=OpenChannel, incident=1, channel="C7", name="inc-1"))
    said = table.send(s.AskExport(actor=ANA, incident=1, format=format)).answer

    assert a.Exported(incident=1, where="its channel", changed=True) == said
    assert [UploadExport(format)] == sent(table, UploadExport)
    assert [Written(Exported(format, "its channel"), 1, ANA)] == table.written(Exported)


def test_an_export_goes_to_the_alerts_thread_where_there_is_no_channel() -> None:
    """And the answer says so, or people would look in vain."""
    table = outage()
    table.send(s.EffectRefused(actor=RULE, key="k", kind=OpenChannel, incident=1, reason="restricted_action"))
    said = table.send(s.AskExport(actor=ANA, incident=1, format="md")).answer

    assert a.Exported(incident=1, where="the thread under its alert", changed=True) == said


def test_an_unknown_format_is_refused_with_those_that_there_are() -> None:
    """Nothing is uploaded."""
    said = outage().send(s.AskExport(actor=ANA, incident=1, format="pdf")).answer

    assert a.NoFormat(incident=1, format="pdf", known=("md", "json", "csv")) == said


# --- where one cannot go


def test_a_move_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    """From resolved one reopens or closes; mitigated is no way back."""
    said = over().send(s.SetPhase(actor=ANA, incident=1, phase=Phase.MITIGATED)).answer

    assert a.NoWay(incident=1, phase=Phase.RESOLVED, to=Phase.MITIGATED, ways=(Phase.INVESTIGATING, Phase.CLOSED)) == said
