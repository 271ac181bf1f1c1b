"""Ending an incident: it asks while something still fails, and whatever still fails afterwards opens another one."""

from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.answers.base import Answer
from bot.core.answers.incident import Failing, Moved, NeedsReason, NoWay, StillFailing
from bot.core.decide.due import next_due
from bot.core.decide.phases import CANCEL_REASONS
from bot.core.decide.warned import warned_unwell
from bot.core.effects import EditCard, OpenThread, PostAlert, PostLine, PostSummary, To, UploadExport
from bot.core.model import Fault, Level, Phase, Verdict
from bot.core.record.flag_facts import HandBackAsked
from bot.core.record.incident_facts import ComponentMoved, Declared, PhaseChanged
from tests.desk import ANA, CHAT_FLAG, RULE, Table, policy, told

API, FLAG = "anthropic.api", CHAT_FLAG.key


def outage(**changes: object) -> Table:
    table = Table(policy(**changes)).all_well()
    table.sees(API, Level.DOWN)
    return table


def resolve(table: Table, *, force: bool = False) -> Answer:
    return table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=force)).answer


def declared(table: Table) -> list[int]:
    return [body.number for body in table.kinds(Declared) if isinstance(body, Declared)]


def test_resolving_asks_while_a_component_still_fails() -> None:
    """By any command: nothing changes, and the answer says what still fails."""
    table = outage(automation="off")
    said = resolve(table)

    marks = warned_unwell({API: Level.DOWN})
    assert StillFailing(incident=1, failing=(Failing("Claude API", Level.DOWN),), away=(), warned=marks) == said
    assert "INC-1 is not over: Claude API is down. Nothing was changed." == told(said)


def test_resolving_asks_while_a_flag_is_still_switched() -> None:
    """All is well, but customers are on the fallback."""
    table = outage()
    table.sees(API, Level.OPERATIONAL)
    said = resolve(table)

    assert "INC-1 is not over: support chat is still on gpt. Nothing was changed." == told(said)


def test_resolving_does_not_ask_if_all_is_well() -> None:
    """No question for its own sake."""
    table = outage(automation="off")
    table.sees(API, Level.OPERATIONAL)

    assert resolve(table).ok


def test_forced_resolution_says_when_another_incident_would_open() -> None:
    """Whoever resolves early knows what follows."""
    said = resolve(outage(), force=True)

    assert "INC-1 is resolved now. Claude API still fails: unless it recovers, a new incident opens at 12:30 UTC." == told(said)


def test_ongoing_failure_opens_another_incident_after_resolve_after() -> None:
    """Half an hour later, with a new alert."""
    table = outage()
    resolve(table, force=True)
    table.passes(29)
    early = declared(table)
    table.passes(1)

    assert [1] == early
    assert [1, 2] == declared(table)
    assert 2 == len(table.effects(PostAlert))


def test_next_incident_is_due_at_its_exact_time() -> None:
    """Nothing else has to happen."""
    table = outage(automation="off")
    resolve(table, force=True)

    assert table.now + timedelta(minutes=30) == next_due(table.world, table.policy)


def test_recovery_in_time_opens_no_other_incident() -> None:
    """The person was right."""
    table = outage()
    resolve(table, force=True)
    table.passes(10)
    table.sees(API, Level.OPERATIONAL)
    table.passes(60)

    assert [1] == declared(table)


def test_new_failure_after_a_resolution_opens_an_incident_at_once() -> None:
    """It was well in between."""
    table = outage()
    resolve(table, force=True)
    table.sees(API, Level.OPERATIONAL)
    table.passes(2)
    table.sees(API, Level.DOWN)

    assert [1, 2] == declared(table)


def test_worse_failure_after_a_resolution_opens_an_incident_at_once() -> None:
    """Resolved while slow, then it went down."""
    table = outage()
    table.sees(API, Level.DEGRADED)
    resolve(table, force=True)
    table.sees(API, Level.DOWN)

    assert [1, 2] == declared(table)


def test_degraded_component_gets_its_quiet_thread_after_a_resolution() -> None:
    """As configured, only later."""
    table = outage()
    table.sees(API, Level.DEGRADED)
    resolve(table, force=True)
    table.passes(31)

    assert [1] == declared(table)
    assert 1 == len(table.effects(OpenThread))


@pytest.mark.parametrize("reason", ["false-alarm", "external"])
def test_canceled_incident_is_followed_only_by_something_new(reason: str) -> None:
    """People said that it is none."""
    table = outage()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.CANCELED, reason=reason))
    table.passes(120)
    quiet = declared(table)
    table.sees(API, Level.OPERATIONAL)
    table.sees(API, Level.DOWN)

    assert [1] == quiet
    assert [1, 2] == declared(table)


def test_canceling_says_that_ongoing_failures_alert_nobody() -> None:
    """A mistake must not silence an outage unnoticed."""
    table = outage()
    said = table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.CANCELED, reason="false-alarm")).answer

    silent = "Claude API still fails: nobody is alerted again until it recovers or gets worse."
    assert f"INC-1 is canceled now. {silent}" == told(said)


def test_two_failing_components_are_worded_in_the_plural() -> None:
    """The sentence is read at three in the morning."""
    table = outage()
    table.sees("anthropic.web", Level.DOWN)
    said = resolve(table, force=True)

    assert "Claude API, claude.ai still fail: unless they recover, a new incident opens at 12:30 UTC." in told(said)


def test_earliest_time_of_the_next_incident_is_named() -> None:
    """claude.ai is muted for an hour, Claude API is not."""
    table = outage()
    table.sees("anthropic.web", Level.DOWN)
    table.send(s.Mute(actor=ANA, component="anthropic.web", lasts=timedelta(hours=1)))
    said = resolve(table, force=True)

    assert told(said).endswith("a new incident opens at 12:30 UTC.")


def test_muted_component_waits_for_the_end_of_its_mute_after_a_resolution() -> None:
    """A resolution ends no mute."""
    table = outage()
    table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=1)))
    resolve(table, force=True)
    table.passes(59)
    muted = declared(table)
    table.passes(2)

    assert [1] == muted
    assert [1, 2] == declared(table)


def test_hand_back_is_requested_in_ops_after_the_incident() -> None:
    """Nobody reads the channel any more."""
    table = outage()
    resolve(table, force=True)
    table.sees(API, Level.OPERATIONAL)
    table.passes(11)

    asked = next(fact for fact in table.facts if isinstance(fact.body, HandBackAsked))
    line = next(e for done in table.steps for e in done.effects if e.key == f"{asked.stream}/{asked.seq}/line")
    assert "ops" == line.lane
    assert PostLine(To.OPS) == line.body


def test_flag_of_another_provider_does_not_concern_the_resolution() -> None:
    """OpenAI's incident ends without a question although the chat, which needs Claude, is on cached answers."""
    table = Table(policy(automation="off")).all_well()
    table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant="cached", reason="a test"))
    table.sees("openai.api", Level.DOWN)
    table.sees("openai.api", Level.OPERATIONAL)

    assert resolve(table).ok


def test_hand_back_is_requested_in_the_next_incident() -> None:
    """The flag switched in INC-1; its people are in INC-2 now."""
    table = outage()
    resolve(table, force=True)
    table.passes(31)
    table.sees(API, Level.OPERATIONAL)
    table.passes(11)

    assert [2] == [fact.incident for fact in table.facts if isinstance(fact.body, HandBackAsked)]


def test_reopened_incident_reports_changes_of_its_components() -> None:
    """The API recovered three minutes earlier: from what, why, and since when."""
    table = outage()
    resolve(table, force=True)
    table.sees(API, Level.OPERATIONAL, "5 of 5 checks passed")
    well_at = table.now
    table.passes(3)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.INVESTIGATING))
    said = "5 of 5 checks passed"

    assert ComponentMoved(API, Level.DOWN, Level.OPERATIONAL, said, well_at) == table.kinds(ComponentMoved)[-1]


def test_open_incident_has_no_next_opening() -> None:
    """Identified while the API fails."""
    table = outage(automation="off")
    said = table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.IDENTIFIED)).answer

    assert Moved(incident=1, phase=Phase.IDENTIFIED, failing=(), until=None, changed=True) == said


def test_impossible_phase_change_is_named() -> None:
    """From where, and to where."""
    said = outage().send(s.SetPhase(actor=ANA, incident=1, phase=Phase.CLOSED)).answer

    assert isinstance(said, NoWay)
    assert Phase.CLOSED is said.to


def test_request_for_a_cancel_reason_names_the_incident() -> None:
    """Its button needs it."""
    said = outage().send(s.SetPhase(actor=ANA, incident=1, phase=Phase.CANCELED)).answer

    assert NeedsReason(incident=1, reasons=CANCEL_REASONS) == said


def test_phase_change_is_recorded_with_person_and_reason() -> None:
    """The timeline names the person and repeats the words."""
    table = outage(automation="off")
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.IDENTIFIED, reason="the vendor rolled out"))
    [fact] = [fact for fact in table.facts if isinstance(fact.body, PhaseChanged) and fact.body.phase is Phase.IDENTIFIED]

    assert ANA == fact.actor
    assert "the vendor rolled out" == fact.body.reason


def test_resolving_asks_if_our_key_hides_a_failing_component() -> None:
    """It expired during the outage, so nobody knows that it is over."""
    table = outage(automation="off")
    refused = Verdict(API, Level.UNKNOWN, "HTTP 401: our key is refused", Fault.OURS_KEY, (), table.now)
    table.send(s.VerdictReached(actor=RULE, verdict=refused))

    assert "INC-1 is not over: Claude API is unknown. Nothing was changed." == told(resolve(table))


def test_resolving_a_providers_incident_asks_about_all_its_components() -> None:
    """`Claude is broken`, and the API is down behind a mute."""
    table = Table(policy(automation="off")).all_well()
    table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=1)))
    table.sees(API, Level.DOWN)
    table.send(s.Declare(actor=ANA, title="Claude is broken"))

    assert "INC-1 is not over: Claude API is down. Nothing was changed." == told(resolve(table))


def test_resolving_does_not_ask_about_unchecked_providers() -> None:
    """No check of OpenAI is on: there is nothing to say against it."""
    table = Table()
    table.send(s.Declare(actor=ANA, title="OpenAI is slow", components=("openai.api",)))

    assert resolve(table).ok


def test_resolution_does_not_wait_for_the_upload() -> None:
    """Summary and card come before the timeline's file."""
    table = outage(automation="off")
    table.sees(API, Level.OPERATIONAL)
    resolve(table)
    kinds = [type(one.body) for one in table.steps[-1].effects]

    assert {PostSummary, EditCard} <= set(kinds)
    assert UploadExport is kinds[-1]
