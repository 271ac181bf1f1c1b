"""Who may do what: every signal says who may send it, and they say what an SRE expects of them."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core import signals as s
from bot.core.decide.permissions import Denied, denied, denied_to, not_asking, role_of
from bot.core.effects import PostAlert, PostLine
from bot.core.model import LEAD, Actor, FeedReport, FeedState, Level, Phase, Severity, Verdict
from bot.core.outcomes.served import Served
from bot.core.policy import IncidentPolicy
from bot.core.record.incident import SourceMessage
from bot.core.record.sight import Sight
from bot.core.signals.base import ADMINS, LEVELS, SIGNALS, Role
from tests.core.test_handlers import every_signal
from tests.desk import ANA, BOB, RULE, START, Table, policy, told

MAY = {kind: kind.BY for kind in SIGNALS}

VIC, RIA, ADA = Actor.person("U0VIC", "vic"), Actor.person("U0RIA", "ria"), Actor.person("U0ADA", "ada")
ACTORS: dict[Role, Actor] = {
    Role.OUTSIDER: Actor.outsider("U0GUEST", "guest"),
    Role.MEMBER: ANA,
    Role.VIEWER: VIC,
    Role.RESPONDER: RIA,
    Role.COMMANDER: BOB,
    Role.ADMIN: ADA,
    Role.OPERATOR: Actor.operator("ben"),
    Role.RULE: RULE,
    Role.VENDOR: Actor.vendor("anthropic"),
}
LEVELLED = replace(
    policy().incidents, viewers=(VIC.id,), responders=(RIA.id,), commanders=(BOB.id,), admins=(ADA.id,),
    lists={"viewers": (VIC.id,), "responders": ("S0HELP", "U0X"), "commanders": ("S0SRE",), "admins": (ADA.id,)},
)  # fmt: skip
COMMANDED = replace(policy().incidents, commanders=(BOB.id,))
FLAG, API = "support-chat.llm", "anthropic.api"

# What a signal needs besides its sender; what is not here has a default.
VALUES: dict[str, Any] = {
    "verdict": Verdict(API, Level.DOWN, "HTTP 500"), "report": FeedReport("anthropic", START, FeedState.FRESH),
    "sight": Sight(True, "no network"), "source": "grafana", "component": API, "state": "firing", "text": "words",
    "lasts": timedelta(hours=1), "title": "Chat is slow", "incident": 1, "severity": Severity.SEV3,
    "phase": Phase.IDENTIFIED, "flag": FLAG, "format": "md", "key": "k", "kind": PostLine, "reason": "because",
    "role": LEAD, "to": BOB, "into": 1, "user": BOB.id, "name": "inc-1", "what": PostAlert, "ts": "1.2",
    "message": SourceMessage("C1", "1.2", BOB, "words", START), "edited_ts": "2.1", "entry": 1, "task": 1, "step": 1,
    "components": (API,), "sink": "webhook:hooks.example.com#1",
    "changed": ("flags.chat.default",), "changed_at": START, "by": 1, "of": 1,
    "served": Served(START, ()), "engagement": "chat#1", "share": 10, "requests": 100, "failed": 9,
    "variant": "gpt", "owner": BOB, "due_at": START + timedelta(hours=1),
}  # fmt: skip

SWITCHES_ENDS_OR_HIDES = [
    s.Declare, s.WriteUpdate, s.SetSeverity, s.Rename, s.GiveRole, s.SetPhase, s.SayMitigated, s.Merge, s.Unmerge,
    s.EngageFlag, s.RejectProposal, s.StepBack,
    s.ReleaseFlag, s.RampFlag, s.HoldHandBack, s.ResumeHandBack, s.ExtendFlag, s.PinFlag, s.UnpinFlag, s.FreezeFlags,
    s.ThawFlags, s.Mute, s.Unmute, s.SnoozeReminders, s.ResumeReminders, s.StartDrill, s.StopDrill,
]  # fmt: skip
HELPS = [s.RehearseFlag, s.TickStep, s.Acknowledge, s.Join, s.AddNote, s.AskExport, s.Repair, s.Reported]
HELPS += [s.AddMessage, s.UnpinMessage, s.CorrectEntry, s.HideEntry]
HELPS += [s.AddTask, s.ChangeTask, s.GiveTask, s.FinishTask, s.ReopenTask, s.DropTask]
OF_NO_PERSON = [kind for kind in MAY if kind not in (*SWITCHES_ENDS_OR_HIDES, *HELPS, s.PlanSwitch)]
MACHINES = {
    s.Alerted: {Role.OPERATOR, Role.RULE},
    s.ConfigurationChanged: {Role.OPERATOR, Role.RULE},
    s.FeedRead: {Role.VENDOR, Role.RULE},
}


def signal(kind: type[s.Signal], actor: Actor) -> s.Signal:
    """One of that kind, with values that could be anybody's."""
    needed = [x.name for x in fields(kind) if x.name not in ("actor", "id") and x.default is MISSING]
    return kind(actor=actor, **{name: VALUES[name] for name in needed})


def outage(who: IncidentPolicy = LEVELLED) -> Table:
    """INC-1 is open for Claude, its flag is on the fallback, and each level has one person."""
    table = Table(replace(policy(), incidents=who))
    table.sees(API, Level.DOWN)
    return table


def test_every_signal_says_who_may_send_it() -> None:
    """A new verb cannot be forgotten: one that names nobody would be for nobody."""
    assert set(every_signal()) == set(MAY)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("kind", MAY, ids=lambda kind: kind.__name__)
def test_step_lets_exactly_those_through_whom_the_table_names(kind: type[s.Signal], role: Role) -> None:
    """Whoever may not is told so, and nothing comes of it, not even a word in a channel."""
    table = outage()
    step = table.send(signal(kind, ACTORS[role]))

    assert (role not in MAY[kind]) == isinstance(step.answer, Denied)
    if isinstance(step.answer, Denied):
        assert not step.answer.ok
        assert () == step.facts
        assert () == step.effects


@pytest.mark.parametrize("role", Role)
def test_each_person_has_the_level_of_their_list(role: Role) -> None:
    """One person in each list, and one in none."""
    assert role is role_of(ACTORS[role], LEVELLED)


@pytest.mark.parametrize("kind", MAY, ids=lambda kind: kind.__name__)
def test_whoever_stands_higher_may_what_the_lower_may(kind: type[s.Signal]) -> None:
    """An admin is not locked out of an incident."""
    may = [level in MAY[kind] for level in LEVELS]

    assert sorted(may) == may


@pytest.mark.parametrize("kind", SWITCHES_ENDS_OR_HIDES, ids=lambda kind: kind.__name__)
def test_what_switches_ends_or_hides_is_for_commanders_and_above(kind: type[s.Signal]) -> None:
    """Muting hides an outage, stepping back moves customers: neither is for everybody."""
    assert {Role.COMMANDER, Role.ADMIN, Role.OPERATOR} == MAY[kind]


@pytest.mark.parametrize("kind", HELPS, ids=lambda kind: kind.__name__)
def test_whoever_can_help_may(kind: type[s.Signal]) -> None:
    """At three in the morning every responder may take an incident and note what they know."""
    assert {Role.RESPONDER, Role.COMMANDER, Role.ADMIN, Role.OPERATOR} == MAY[kind]


@pytest.mark.parametrize("kind", OF_NO_PERSON, ids=lambda kind: kind.__name__)
def test_what_no_person_sends_is_for_machines_alone(kind: type[s.Signal]) -> None:
    """A verdict, a lost channel, a done effect: nobody makes the bot believe one by hand."""
    assert MACHINES.get(kind, {Role.RULE}) == MAY[kind]


@pytest.mark.parametrize("role", Role)
def test_a_signal_that_names_nobody_is_for_nobody(role: Role) -> None:
    """The base of all signals has none, as a new one that somebody forgot."""
    assert denied(s.Signal, ACTORS[role], LEVELLED) is not None


def test_an_outsider_may_send_nothing() -> None:
    """Guests, people of other organizations and bots change nothing at all."""
    assert [] == [kind.__name__ for kind, may in MAY.items() if Role.OUTSIDER in may]


@pytest.mark.parametrize(
    ("lists", "levels"),
    [
        ({}, (Role.ADMIN, Role.ADMIN)),
        ({"commanders": (BOB.id,)}, (Role.RESPONDER, Role.ADMIN)),
        ({"admins": (BOB.id,)}, (Role.COMMANDER, Role.ADMIN)),
        ({"responders": (BOB.id,)}, (Role.VIEWER, Role.ADMIN)),
        ({"viewers": (BOB.id,)}, (Role.MEMBER, Role.ADMIN)),
        ({"viewers": (ANA.id,), "commanders": (BOB.id,)}, (Role.RESPONDER, Role.ADMIN)),
        ({"viewers": (ANA.id,), "responders": (BOB.id,), "admins": (ADA.id,)}, (Role.VIEWER, Role.COMMANDER)),
        ({"viewers": (ANA.id, BOB.id), "responders": (ANA.id,), "commanders": (ANA.id, BOB.id)}, (Role.ADMIN, Role.ADMIN)),
    ],
    ids=["no lists", "commanders", "admins", "responders", "viewers", "a viewer helps", "three lists", "named twice"],
)
def test_an_empty_list_is_open_to_whoever_has_the_level_before_it(
    lists: Mapping[str, tuple[str, ...]], levels: tuple[Role, Role]
) -> None:
    """What Ana and Bob are where only some lists name anybody. With commanders alone it is as it always was."""
    who = replace(policy().incidents, **lists)

    assert levels == (role_of(ANA, who), role_of(BOB, who))


def test_every_member_commands_where_no_commanders_are_configured() -> None:
    """The smallest configuration works for a team of three."""
    assert None is denied(s.Declare, ANA, policy().incidents)


def test_a_kind_of_actor_that_nobody_knows_has_no_rights() -> None:
    """A ledger or a caller of another version must not grant anything by a word of its own."""
    assert Role.OUTSIDER is role_of(Actor("admin", "root"), policy().incidents)


def test_a_member_is_told_who_may() -> None:
    """The answer names the setting, so that it can be looked up who is meant."""
    said = outage(COMMANDED).send(s.StepBack(actor=ANA, flag=FLAG)).answer

    assert "Only commanders may do that here (people.commanders in the configuration). Ask one of them." == told(said)


def test_the_answer_carries_those_whom_the_configuration_names() -> None:
    """Groups by their ids: a hundred members help nobody."""
    said = outage().send(s.StepBack(actor=RIA, flag=FLAG)).answer

    assert Denied(role=Role.RESPONDER, needs=Role.COMMANDER, named=("S0SRE", ADA.id)) == said


def test_the_list_that_refuses_is_named() -> None:
    """Responders are named and commanders are not, so whoever may help commands: the others are sent to the responders."""
    who = replace(policy().incidents, responders=(RIA.id,), lists={"responders": (RIA.id,)})

    assert Denied(role=Role.VIEWER, needs=Role.RESPONDER, named=(RIA.id,)) == denied(s.Declare, ANA, who)


def test_only_viewers_and_above_may_ask_where_viewers_are_named() -> None:
    """A board that not everybody should see. Whoever stands higher may too, and is named as well."""
    asks = [role for role in (Role.MEMBER, *LEVELS) if not_asking(ACTORS[role].id, LEVELLED) is None]

    assert (list(LEVELS), Denied(role=Role.MEMBER, needs=Role.VIEWER, named=(VIC.id, "S0HELP", "U0X", "S0SRE", ADA.id))) == (
        asks, not_asking(ANA.id, LEVELLED),
    )  # fmt: skip


def test_what_concerns_the_bot_itself_is_for_admins_and_operators() -> None:
    """Who was refused what names people."""
    assert [Role.ADMIN, Role.OPERATOR] == [role for role in Role if denied_to(ADMINS, ACTORS[role], LEVELLED) is None]


def test_who_may_not_is_not_told_what_exists() -> None:
    """Rights come before everything else: an outsider does not learn which incidents there are."""
    said = outage().send(s.Acknowledge(actor=ACTORS[Role.OUTSIDER], incident=99)).answer

    assert "Only full members of this workspace may do that. Nothing was changed. Ask one of them." == told(said)


def test_what_no_person_may_names_no_level_to_anybody() -> None:
    """An outsider who is told to ask a member would ask in vain."""
    assert Denied(role=Role.OUTSIDER) == denied_to(s.VerdictReached.BY, ACTORS[Role.OUTSIDER], LEVELLED)


def test_whoever_is_in_no_list_hears_of_the_nearest_list_that_names_anybody() -> None:
    """Viewers alone are named, so whoever is one may help: that is what is missing."""
    viewed = replace(policy().incidents, viewers=(VIC.id,), lists={"viewers": (VIC.id,)})

    assert Denied(role=Role.MEMBER, needs=Role.VIEWER, named=(VIC.id,)) == denied(s.AddNote, ANA, viewed)
