"""What opens an incident, how it moves, and what is refused."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from bot.core import signals as s
from bot.core.answers.base import Answer
from bot.core.decide.phases import CANCEL_REASONS, LEGAL
from bot.core.effects import (
    EditCard,
    InvitePeople,
    OpenChannel,
    OpenThread,
    PostAlert,
    PostCard,
    PostRefusal,
    PostSummary,
    PostUpdate,
    TellPerson,
    UploadExport,
)
from bot.core.model import Level, Phase, Severity
from bot.core.record.incident_facts import ResolveAsked, UpdateWritten
from bot.core.record.room.room_facts import GivenUp
from tests.desk import ANA, BOB, RULE, Table, policy, told


def set_phase(table: Table, phase: Phase, reason: str = "") -> Answer:
    force = phase is Phase.RESOLVED  # what is asked before stands in test_ending
    return table.send(s.SetPhase(actor=ANA, incident=1, phase=phase, reason=reason, force=force)).answer


def outage(table: Table | None = None) -> Table:
    table = (table or Table()).all_well()
    table.sees("anthropic.api", Level.DOWN)
    return table


def test_open_incident_cannot_be_reopened() -> None:
    """Whoever doubts a recovery is told how to change the phase."""
    table = outage()
    table.sees("anthropic.api", Level.OPERATIONAL)
    before = table.incident()
    said = table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.INVESTIGATING, reopens=True)).answer

    assert "INC-1 is open, monitoring: there is nothing to reopen. Use phase to move it." == told(said).replace("`", "")
    assert before == table.incident()


def test_component_that_goes_down_opens_an_incident() -> None:
    """One alert, one channel, one card, with the configured severity."""
    table = outage()

    assert Severity.SEV2 == table.incident().severity
    assert "Claude API is down" == table.incident().title
    assert 1 == len(table.effects(PostAlert)) == len(table.effects(OpenChannel)) == len(table.effects(PostCard))


def test_degraded_component_opens_a_quiet_thread_only() -> None:
    """`degraded: thread`."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DEGRADED)

    assert {} == table.world.incidents
    assert 1 == len(table.effects(OpenThread))


def test_second_component_of_a_provider_joins_the_incident() -> None:
    """Web and API of one provider fail into one incident."""
    table = outage()
    table.sees("anthropic.web", Level.DOWN)

    assert [1] == list(table.world.incidents)
    assert {"anthropic.api", "anthropic.web"} == set(table.incident().affected)


def test_another_provider_gets_its_own_incident() -> None:
    """Dedup is by provider."""
    table = outage()
    table.sees("openai.api", Level.DOWN)

    assert [1, 2] == sorted(table.world.incidents)


def test_repeated_verdict_changes_nothing() -> None:
    """The watch may repeat itself as often as it likes."""
    table = outage()
    before = len(table.facts)
    table.sees("anthropic.api", Level.DOWN)

    assert before == len(table.facts)


@pytest.mark.parametrize(("here", "there"), [(h, t) for h, t in product(Phase, Phase) if h is not t])
def test_only_legal_phase_changes_happen(here: Phase, there: Phase) -> None:
    """By LEGAL; a refusal has a reason and changes nothing."""
    table = Table()
    table.send(s.Declare(actor=ANA, title="Something"))
    if here is Phase.MERGED:
        table.send(s.Declare(actor=ANA, title="The same", separate=True))
        table.send(s.Merge(actor=ANA, incident=1, into=2))
    for phase in path_to(here):
        assert set_phase(table, phase, CANCEL_REASONS[0] if phase is Phase.CANCELED else "").ok
    reason = CANCEL_REASONS[0] if there is Phase.CANCELED else ""

    said = set_phase(table, there, reason)

    assert ((here, there) in LEGAL) == said.ok
    assert (there if said.ok else here) == table.incident().phase
    assert told(said)


def path_to(phase: Phase) -> list[Phase]:
    match phase:
        case Phase.TRIAGE | Phase.MERGED:
            return []
        case Phase.CLOSED:
            return [Phase.RESOLVED, Phase.CLOSED]
    return [phase]


def test_cancel_needs_a_known_reason() -> None:
    """False alarm, duplicate, external or drill."""
    table = outage()

    said = set_phase(table, Phase.CANCELED, "because")

    assert not said.ok
    assert "Cancel needs a reason: one of false-alarm, duplicate, external, drill." == told(said)


def test_reopening_is_refused_if_another_incident_of_the_provider_is_open() -> None:
    """At most one per dedup key."""
    table = outage()
    set_phase(table, Phase.RESOLVED)
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.passes(1)
    table.sees("anthropic.api", Level.DOWN)

    said = set_phase(table, Phase.INVESTIGATING)

    assert not said.ok
    assert "INC-2 is open for the same provider; continue there." == told(said)


def test_reopened_incident_has_the_current_state_of_its_components() -> None:
    """Resolved while down, recovered later, reopened."""
    table = outage()
    set_phase(table, Phase.RESOLVED)
    table.sees("anthropic.api", Level.OPERATIONAL)
    set_phase(table, Phase.INVESTIGATING)

    assert table.incident().well


def test_recovery_of_all_components_moves_to_monitoring_and_a_relapse_back() -> None:
    """One of two is not enough."""
    table = outage(Table(policy(automation="off")))
    table.sees("anthropic.web", Level.DOWN)
    table.sees("anthropic.api", Level.OPERATIONAL)
    still = table.incident().phase
    table.sees("anthropic.web", Level.OPERATIONAL)
    well = table.incident().phase
    table.sees("anthropic.web", Level.DOWN)

    assert Phase.TRIAGE == still
    assert Phase.MONITORING == well
    assert Phase.INVESTIGATING == table.incident().phase
    assert 1 == table.incident().relapses


def test_update_is_due_every_hour_after_the_last_one() -> None:
    """Also after a person's; numbers count up for both."""
    table = outage()
    table.passes(61)
    table.passes(30)
    table.send(s.WriteUpdate(actor=ANA, incident=1, text="We serve from the fallback"))
    table.passes(45)
    quiet = len(table.kinds(UpdateWritten))
    table.passes(15)

    assert 2 == quiet
    assert 3 == len(table.kinds(UpdateWritten))
    assert ["INC-1/update/1", "INC-1/update/2", "INC-1/update/3"] == table.effects(PostUpdate)


def test_missed_updates_are_combined_into_one() -> None:
    """After three hours without power it says that two were missed."""
    table = outage()
    table.now += timedelta(hours=3, minutes=10)
    table.send(s.TimePassed(actor=RULE))

    updates = table.kinds(UpdateWritten)
    assert [(1, 2)] == [(u.slot, u.missed) for u in updates if isinstance(u, UpdateWritten)]


def test_no_update_is_missed_under_a_severity_without_a_cadence() -> None:
    """Two silent hours of SEV4, then SEV2: an update at once, and none counted as missed."""
    table = outage()
    table.send(s.SetSeverity(actor=ANA, incident=1, severity=Severity.SEV4, reason="so we see it"))
    table.passes(150)
    silent = len(table.kinds(UpdateWritten))
    table.send(s.SetSeverity(actor=ANA, incident=1, severity=Severity.SEV2, reason="so we see it"))
    table.passes(1)

    assert 0 == silent
    assert [(1, 0)] == [(u.slot, u.missed) for u in table.kinds(UpdateWritten) if isinstance(u, UpdateWritten)]


def test_resolution_is_requested_once_after_half_an_hour_of_health() -> None:
    """`resolve: ask` never resolves by itself."""
    table = outage()
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.passes(29)
    early = len(table.kinds(ResolveAsked))
    table.passes(90)

    assert 0 == early
    assert 1 == len(table.kinds(ResolveAsked))
    assert Phase.MONITORING == table.incident().phase


def test_resolution_posts_summary_and_timeline() -> None:
    """What people get at the end."""
    table = outage()
    set_phase(table, Phase.RESOLVED)

    assert 1 == len(table.effects(PostSummary))
    assert 1 == len(table.effects(UploadExport))


def test_second_acknowledgement_names_the_first_person() -> None:
    """Two people press at once: the second learns who was first."""
    table = outage()
    table.send(s.Acknowledge(actor=ANA, incident=1))
    said = table.send(s.Acknowledge(actor=BOB, incident=1)).answer

    assert not said.ok
    assert "ana has already acknowledged INC-1." == told(said)


def test_taken_channel_name_gets_the_next_suffix() -> None:
    """Recorded before it is requested; a late repetition changes nothing."""
    table = outage()
    first = table.incident().room.name
    table.send(s.NameTaken(actor=RULE, incident=1, name=first))
    table.send(s.NameTaken(actor=RULE, incident=1, name=first))

    assert f"{first}-2" == table.incident().room.name
    assert 2 == table.incident().room.attempt


def test_refused_channel_is_reported_in_ops_and_to_the_declarer() -> None:
    """The incident goes on in a thread."""
    table = Table()
    table.send(s.Declare(actor=ANA, title="Chat is slow"))
    table.send(s.EffectRefused(actor=RULE, key="k", kind=OpenChannel, incident=1, reason="restricted_action"))

    assert "restricted_action" == table.incident().room.refused
    assert 1 == len(table.effects(PostRefusal))
    assert 1 == len(table.effects(TellPerson))


def test_abandoned_edit_is_reported_once() -> None:
    """An edit that fails for ever must not fill the channel with words about itself."""
    table = outage()
    edits = len(table.effects(EditCard))
    table.send(s.EffectRefused(actor=RULE, key="INC-1/card/x", kind=EditCard, incident=1, reason="message_not_found"))

    assert edits == len(table.effects(EditCard))
    assert 1 == len(table.kinds(GivenUp))


def test_reopened_incident_is_not_resolved_at_once() -> None:
    """Its half hour of health starts again."""
    base = policy()
    table = outage(Table(replace(base, incidents=replace(base.incidents, resolve="auto"))))
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.passes(31)
    resolved = table.incident().phase
    set_phase(table, Phase.INVESTIGATING)
    table.passes(20)
    still = table.incident().phase
    table.passes(11)

    assert Phase.RESOLVED == resolved
    assert Phase.INVESTIGATING == still
    assert Phase.RESOLVED == table.incident().phase


def test_component_outside_the_incident_causes_no_relapse() -> None:
    """`open_on: none` keeps it out of incidents and their phases."""
    base = policy(automation="off")
    mobile = replace(base.components["anthropic.mobile"], open_on={})
    table = outage(Table(replace(base, components={**base.components, mobile.id: mobile})))
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.sees("anthropic.mobile", Level.DEGRADED)

    assert Phase.MONITORING == table.incident().phase
    assert {"anthropic.api"} == set(table.incident().affected)


def test_only_named_commanders_may_command() -> None:
    """The core enforces people.commanders, not an interface."""
    base = policy()
    table = outage(Table(replace(base, incidents=replace(base.incidents, commanders=("U0BOB",)))))

    assert not set_phase(table, Phase.MONITORING).ok
    assert table.send(s.SetPhase(actor=BOB, incident=1, phase=Phase.MONITORING)).answer.ok


def test_declaring_for_a_provider_with_an_open_incident_points_to_it() -> None:
    """Nobody opens a second incident for the same thing."""
    table = outage()
    said = table.send(s.Declare(actor=ANA, title="Claude is broken", components=("anthropic.web",))).answer

    assert not said.ok
    assert 1 == said.incident


def test_rule_keeps_a_severity_chosen_by_a_person() -> None:
    """Even if the component joins again as down."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.send(s.SetSeverity(actor=ANA, incident=1, severity=Severity.SEV3, reason="nobody feels it"))
    table.sees("anthropic.web", Level.DOWN)

    assert Severity.SEV3 is table.incident().severity


def test_rule_raises_a_severity_chosen_by_a_rule() -> None:
    """Nobody has to watch whether it gets worse."""
    base = policy()
    worse = replace(base.components["anthropic.web"], open_on={Level.DOWN: "SEV1"})
    table = Table(replace(base, components={**base.components, worse.id: worse})).all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.sees("anthropic.web", Level.DOWN)

    assert Severity.SEV1 is table.incident().severity


def test_acknowledging_person_is_invited() -> None:
    """They need not look for the channel."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    step = table.send(s.Acknowledge(actor=ANA, incident=1))

    assert InvitePeople in [type(effect.body) for effect in step.effects]
