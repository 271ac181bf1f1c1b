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


def test_what_is_open_is_not_reopened() -> None:
    """Who watches it recover and doubts is told how to move it; a word is no relapse."""
    table = outage()
    table.sees("anthropic.api", Level.OPERATIONAL)
    before = table.incident()
    said = table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.INVESTIGATING, reopens=True)).answer

    assert "INC-1 is open, monitoring: there is nothing to reopen. Use phase to move it." == told(said).replace("`", "")
    assert before == table.incident()


def test_a_component_that_goes_down_opens_an_incident() -> None:
    """One alert, one channel, one card; the severity is the configured one."""
    table = outage()

    assert Severity.SEV2 == table.incident().severity
    assert "Claude API is down" == table.incident().title
    assert 1 == len(table.effects(PostAlert)) == len(table.effects(OpenChannel)) == len(table.effects(PostCard))


def test_a_degraded_component_opens_a_quiet_thread_only() -> None:
    """`degraded: thread` makes no incident and no channel."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DEGRADED)

    assert {} == table.world.incidents
    assert 1 == len(table.effects(OpenThread))


def test_a_second_component_of_the_provider_joins_the_incident() -> None:
    """Web and API of one provider fail into one incident."""
    table = outage()
    table.sees("anthropic.web", Level.DOWN)

    assert [1] == list(table.world.incidents)
    assert {"anthropic.api", "anthropic.web"} == set(table.incident().affected)


def test_another_provider_gets_an_incident_of_its_own() -> None:
    """Dedup is by provider."""
    table = outage()
    table.sees("openai.api", Level.DOWN)

    assert [1, 2] == sorted(table.world.incidents)


def test_the_same_verdict_again_changes_nothing() -> None:
    """The watch may repeat itself as often as it likes."""
    table = outage()
    before = len(table.facts)
    table.sees("anthropic.api", Level.DOWN)

    assert before == len(table.facts)


@pytest.mark.parametrize(("here", "there"), [(h, t) for h, t in product(Phase, Phase) if h is not t])
def test_only_legal_moves_are_made(here: Phase, there: Phase) -> None:
    """LEGAL is the whole law; a refusal carries a reason and leaves the state alone."""
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


def test_cancel_is_refused_without_a_known_reason() -> None:
    """False alarm, duplicate, external or drill."""
    table = outage()

    said = set_phase(table, Phase.CANCELED, "because")

    assert not said.ok
    assert "Cancel needs a reason: one of false-alarm, duplicate, external, drill." == told(said)


def test_reopening_is_refused_while_another_incident_of_the_provider_is_open() -> None:
    """At most one open incident per dedup key."""
    table = outage()
    set_phase(table, Phase.RESOLVED)
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.passes(1)
    table.sees("anthropic.api", Level.DOWN)

    said = set_phase(table, Phase.INVESTIGATING)

    assert not said.ok
    assert "INC-2 is open for the same provider; continue there." == told(said)


def test_a_reopened_incident_learns_what_its_components_did_meanwhile() -> None:
    """Resolved while down, recovered later, reopened: it is well."""
    table = outage()
    set_phase(table, Phase.RESOLVED)
    table.sees("anthropic.api", Level.OPERATIONAL)
    set_phase(table, Phase.INVESTIGATING)

    assert table.incident().well


def test_recovery_of_every_component_moves_to_monitoring_and_a_relapse_back() -> None:
    """Staged recovery: one of two well is not enough."""
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


def test_an_update_is_due_every_hour_and_a_person_resets_the_clock() -> None:
    """SEV2 speaks hourly; slots count up whoever speaks."""
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


def test_updates_missed_while_away_are_said_in_one() -> None:
    """Three hours without power: one update that says that two slots passed."""
    table = outage()
    table.now += timedelta(hours=3, minutes=10)
    table.send(s.TimePassed(actor=RULE))

    updates = table.kinds(UpdateWritten)
    assert [(1, 2)] == [(u.slot, u.missed) for u in updates if isinstance(u, UpdateWritten)]


def test_nothing_was_missed_under_a_severity_that_speaks_on_change() -> None:
    """Two silent hours of SEV4, then SEV2: an update at once, and none called missed."""
    table = outage()
    table.send(s.SetSeverity(actor=ANA, incident=1, severity=Severity.SEV4, reason="so we see it"))
    table.passes(150)
    silent = len(table.kinds(UpdateWritten))
    table.send(s.SetSeverity(actor=ANA, incident=1, severity=Severity.SEV2, reason="so we see it"))
    table.passes(1)

    assert 0 == silent
    assert [(1, 0)] == [(u.slot, u.missed) for u in table.kinds(UpdateWritten) if isinstance(u, UpdateWritten)]


def test_resolution_is_asked_once_after_half_an_hour_of_health() -> None:
    """`resolve: ask` asks; it never resolves by itself."""
    table = outage()
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.passes(29)
    early = len(table.kinds(ResolveAsked))
    table.passes(90)

    assert 0 == early
    assert 1 == len(table.kinds(ResolveAsked))
    assert Phase.MONITORING == table.incident().phase


def test_resolution_posts_the_summary_and_the_timeline() -> None:
    """What people get at the end."""
    table = outage()
    set_phase(table, Phase.RESOLVED)

    assert 1 == len(table.effects(PostSummary))
    assert 1 == len(table.effects(UploadExport))


def test_acknowledging_twice_names_who_has_it() -> None:
    """Two people press at once: the second learns who was first."""
    table = outage()
    table.send(s.Acknowledge(actor=ANA, incident=1))
    said = table.send(s.Acknowledge(actor=BOB, incident=1)).answer

    assert not said.ok
    assert "ana has already acknowledged INC-1." == told(said)


def test_a_taken_channel_name_gets_the_next_suffix() -> None:
    """The next name is written down before it is asked for; a late repetition changes nothing."""
    table = outage()
    first = table.incident().room.name
    table.send(s.NameTaken(actor=RULE, incident=1, name=first))
    table.send(s.NameTaken(actor=RULE, incident=1, name=first))

    assert f"{first}-2" == table.incident().room.name
    assert 2 == table.incident().room.attempt


def test_a_refused_channel_is_told_to_ops_and_to_who_declared() -> None:
    """The incident goes on in a thread; nobody is left without a word."""
    table = Table()
    table.send(s.Declare(actor=ANA, title="Chat is slow"))
    table.send(s.EffectRefused(actor=RULE, key="k", kind=OpenChannel, incident=1, reason="restricted_action"))

    assert "restricted_action" == table.incident().room.refused
    assert 1 == len(table.effects(PostRefusal))
    assert 1 == len(table.effects(TellPerson))


def test_a_given_up_edit_is_said_once() -> None:
    """An edit that fails for ever must not fill the channel with words about itself."""
    table = outage()
    edits = len(table.effects(EditCard))
    table.send(s.EffectRefused(actor=RULE, key="INC-1/card/x", kind=EditCard, incident=1, reason="message_not_found"))

    assert edits == len(table.effects(EditCard))
    assert 1 == len(table.kinds(GivenUp))


def test_a_reopened_incident_is_not_resolved_again_at_once() -> None:
    """Somebody doubts that it is over: half an hour of health is counted anew."""
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


def test_a_component_outside_the_incident_does_not_make_it_relapse() -> None:
    """`open_on: none` keeps a component out of incidents, and out of their phases."""
    base = policy(automation="off")
    mobile = replace(base.components["anthropic.mobile"], open_on={})
    table = outage(Table(replace(base, components={**base.components, mobile.id: mobile})))
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.sees("anthropic.mobile", Level.DEGRADED)

    assert Phase.MONITORING == table.incident().phase
    assert {"anthropic.api"} == set(table.incident().affected)


def test_only_commanders_command_where_they_are_named() -> None:
    """people.commanders, when given, is enforced by the core and not by a face."""
    base = policy()
    table = outage(Table(replace(base, incidents=replace(base.incidents, commanders=("U0BOB",)))))

    assert not set_phase(table, Phase.MONITORING).ok
    assert table.send(s.SetPhase(actor=BOB, incident=1, phase=Phase.MONITORING)).answer.ok


def test_declaring_for_an_open_provider_points_to_it() -> None:
    """Nobody opens a second incident for the same thing."""
    table = outage()
    said = table.send(s.Declare(actor=ANA, title="Claude is broken", components=("anthropic.web",))).answer

    assert not said.ok
    assert 1 == said.incident


def test_a_rule_leaves_the_severity_that_a_person_chose() -> None:
    """Whoever called it SEV3 is not overruled when the component joins again as down."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.send(s.SetSeverity(actor=ANA, incident=1, severity=Severity.SEV3, reason="nobody feels it"))
    table.sees("anthropic.web", Level.DOWN)

    assert Severity.SEV3 is table.incident().severity


def test_a_rule_raises_the_severity_that_a_rule_chose() -> None:
    """Nobody has to watch whether it gets worse."""
    base = policy()
    worse = replace(base.components["anthropic.web"], open_on={Level.DOWN: "SEV1"})
    table = Table(replace(base, components={**base.components, worse.id: worse})).all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.sees("anthropic.web", Level.DOWN)

    assert Severity.SEV1 is table.incident().severity


def test_who_acknowledges_is_invited() -> None:
    """They need not look for the channel."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    step = table.send(s.Acknowledge(actor=ANA, incident=1))

    assert InvitePeople in [type(effect.body) for effect in step.effects]
