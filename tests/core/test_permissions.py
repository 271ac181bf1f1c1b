"""Who may do what: every signal says who may send it, and they say what an SRE expects of them."""

from dataclasses import MISSING, fields, replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core import signals as s
from bot.core.decide.permissions import Denied, denied, role_of
from bot.core.effects import PostAlert, PostLine
from bot.core.model import LEAD, Actor, FeedReport, FeedState, Level, Phase, Severity, Verdict
from bot.core.record.incident import SourceMessage
from bot.core.record.sight import Sight
from bot.core.signals.base import SIGNALS, Role
from tests.core.test_handlers import every_signal
from tests.desk import ANA, BOB, RULE, START, Table, policy, told

MAY = {kind: kind.BY for kind in SIGNALS}

ACTORS: dict[Role, Actor] = {
    Role.OUTSIDER: Actor.outsider("U0GUEST", "guest"),
    Role.MEMBER: ANA,
    Role.COMMANDER: BOB,
    Role.OPERATOR: Actor.operator("ben"),
    Role.RULE: RULE,
    Role.VENDOR: Actor.vendor("anthropic"),
}
COMMANDED = replace(policy().incidents, commanders=(BOB.id,))
FLAG, API = "support-chat.llm", "anthropic.api"

# What a signal needs besides its sender; what is not here has a default.
VALUES: dict[str, Any] = {
    "verdict": Verdict(API, Level.DOWN, "HTTP 500"), "report": FeedReport("anthropic", START, FeedState.FRESH),
    "sight": Sight(True, "no network"), "source": "grafana", "component": API, "state": "firing", "text": "words",
    "lasts": timedelta(hours=1), "title": "Chat is slow", "incident": 1, "severity": Severity.SEV3,
    "phase": Phase.IDENTIFIED, "flag": FLAG, "format": "md", "key": "k", "kind": PostLine, "reason": "because",
    "role": LEAD, "to": BOB, "user": BOB.id, "name": "inc-1", "what": PostAlert, "ts": "1.2",
    "message": SourceMessage("C1", "1.2", BOB, "words", START), "edited_ts": "2.1", "entry": 1,
}  # fmt: skip

SWITCHES_ENDS_OR_HIDES = [
    s.Declare, s.WriteUpdate, s.SetSeverity, s.Rename, s.GiveRole, s.SetPhase, s.EngageFlag, s.StepBack, s.ReleaseFlag,
    s.Mute, s.Unmute, s.SnoozeReminders, s.ResumeReminders,
]  # fmt: skip
HELPS = [s.Acknowledge, s.Join, s.AddNote, s.AskExport, s.Repair, s.Reported]
HELPS += [s.AddMessage, s.UnpinMessage, s.CorrectEntry, s.HideEntry]
OF_NO_PERSON = [kind for kind in MAY if kind not in (*SWITCHES_ENDS_OR_HIDES, *HELPS)]
MACHINES = {s.Alerted: {Role.OPERATOR, Role.RULE}, s.FeedRead: {Role.VENDOR, Role.RULE}}


def signal(kind: type[s.Signal], actor: Actor) -> s.Signal:
    """One of that kind, with values that could be anybody's."""
    needed = [x.name for x in fields(kind) if x.name not in ("actor", "id") and x.default is MISSING]
    return kind(actor=actor, **{name: VALUES[name] for name in needed})


def outage_with_commanders() -> Table:
    """INC-1 is open for Claude, its flag is on the fallback, and only Bob commands."""
    table = Table(replace(policy(), incidents=COMMANDED))
    table.sees(API, Level.DOWN)
    return table


def test_every_signal_says_who_may_send_it() -> None:
    """A new verb cannot be forgotten: one that names nobody would be for nobody."""
    assert set(every_signal()) == set(MAY)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("kind", MAY, ids=lambda kind: kind.__name__)
def test_step_lets_exactly_those_through_whom_the_table_names(kind: type[s.Signal], role: Role) -> None:
    """Whoever may not is told so, and nothing comes of it, not even a word in a channel."""
    table = outage_with_commanders()
    step = table.send(signal(kind, ACTORS[role]))

    assert (role not in MAY[kind]) == isinstance(step.answer, Denied)
    if isinstance(step.answer, Denied):
        assert not step.answer.ok
        assert () == step.facts
        assert () == step.effects


@pytest.mark.parametrize("kind", SWITCHES_ENDS_OR_HIDES, ids=lambda kind: kind.__name__)
def test_what_switches_ends_or_hides_is_for_commanders_and_operators(kind: type[s.Signal]) -> None:
    """Muting hides an outage, stepping back moves customers: neither is for everybody."""
    assert {Role.COMMANDER, Role.OPERATOR} == MAY[kind]


@pytest.mark.parametrize("kind", HELPS, ids=lambda kind: kind.__name__)
def test_whoever_can_help_may(kind: type[s.Signal]) -> None:
    """At three in the morning every member may take an incident and note what they know."""
    assert {Role.MEMBER, Role.COMMANDER, Role.OPERATOR} == MAY[kind]


@pytest.mark.parametrize("kind", OF_NO_PERSON, ids=lambda kind: kind.__name__)
def test_what_no_person_sends_is_for_machines_alone(kind: type[s.Signal]) -> None:
    """A verdict, a lost channel, a done effect: nobody makes the bot believe one by hand."""
    assert MACHINES.get(kind, {Role.RULE}) == MAY[kind]


@pytest.mark.parametrize("role", Role)
def test_a_signal_that_names_nobody_is_for_nobody(role: Role) -> None:
    """The base of all signals has none, as a new one that somebody forgot."""
    assert denied(s.Signal, ACTORS[role], COMMANDED) is not None


def test_an_outsider_may_send_nothing() -> None:
    """Guests, people of other organizations and bots change nothing at all."""
    assert [] == [kind.__name__ for kind, may in MAY.items() if Role.OUTSIDER in may]


def test_every_member_commands_where_no_commanders_are_configured() -> None:
    """The smallest configuration works for a team of three."""
    assert Role.COMMANDER is role_of(ANA, policy().incidents)


def test_a_kind_of_actor_that_nobody_knows_has_no_rights() -> None:
    """A ledger or a caller of another version must not grant anything by a word of its own."""
    assert Role.OUTSIDER is role_of(Actor("admin", "root"), policy().incidents)


def test_a_member_is_told_who_may() -> None:
    """The answer names the setting, so that it can be looked up who is meant."""
    said = outage_with_commanders().send(s.StepBack(actor=ANA, flag=FLAG)).answer

    assert "Only commanders may do that here (people.commanders in the configuration). Ask one of them." == told(said)


def test_who_may_not_is_not_told_what_exists() -> None:
    """Rights come before everything else: an outsider does not learn which incidents there are."""
    said = outage_with_commanders().send(s.Acknowledge(actor=ACTORS[Role.OUTSIDER], incident=99)).answer

    assert "Only full members of this workspace may do that. Nothing was changed. Ask one of them." == told(said)
