"""Who has which role in an incident: claimed, given, handed over, given up. A role gives no rights; it says whom to ask.

An acknowledged incident that customers feel needs a lead: while nobody is, the channel is asked once.
"""

from collections.abc import Iterator
from datetime import datetime

from bot.core.answers.base import Done, Noted, Refused
from bot.core.answers.incident import Over, Wanted
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.incident.tasks import let_go
from bot.core.effects import InvitePeople
from bot.core.lazy_dataclass import dataclass
from bot.core.model import LEAD, Actor, ActorKind, Severity
from bot.core.policy import IncidentPolicy, Policy
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import LeadAsked, RoleChanged
from bot.core.record.world import World
from bot.core.signals import GiveRole, HolderGone

WANT_A_LEAD = (Severity.SEV1, Severity.SEV2)
NO_LEAD = Actor.rule("no lead")
GONE = Actor.rule("account deactivated")


@dataclass(frozen=True, kw_only=True)
class RoleGiven(Done):
    """Somebody has the role now. Role names here and in the answers below are as configured."""

    KIND = "role_given"
    role: str
    to: Actor
    leads: bool = False  # it is the role of the lead


@dataclass(frozen=True, kw_only=True)
class RoleTaken(Done):
    """Nobody has the role any more."""

    KIND = "role_taken"
    role: str
    leads: bool = False


@dataclass(frozen=True, kw_only=True)
class RoleAlready(Refused):
    """Nothing to change: that person already has the role, or nobody has it."""

    KIND = "role_already"
    role: str
    to: Actor | None
    leads: bool = False


@dataclass(frozen=True, kw_only=True)
class NoRole(Refused):
    """There is no such role."""

    KIND = "no_role"
    role: str
    known: tuple[str, ...]


def on_give_role(draft: Draft, signal: GiveRole) -> Step:
    """Give a role to one person, who replaces the previous holder and is invited."""
    incident, role, to, policy = draft.incident(signal.incident), signal.role, signal.to, draft.policy.incidents
    name, leads, held = policy.role_name(role), role == LEAD, incident.people.roles.get(role)
    if not incident.phase.open:
        return draft.refuse(Over(incident=incident.number, phase=incident.phase, wanted=Wanted.ROLE))
    if name not in policy.roles and held is None:  # a role that is no longer configured can still be given up
        return draft.refuse(NoRole(incident=incident.number, role=name, known=policy.roles))
    if (held.id if held else "") == (to.id if to else "") or (held and signal.free):
        return draft.refuse(RoleAlready(incident=incident.number, role=name, to=held, leads=leads))
    fact = draft.add(incident.stream, RoleChanged(role, held, to, vacant=leads and to is None))
    if to is None:
        return draft.done(RoleTaken(incident=incident.number, role=name, leads=leads))
    draft.send(InvitePeople(), fact)
    return draft.done(RoleGiven(incident=incident.number, role=name, to=to, leads=leads))


def on_holder_gone(draft: Draft, signal: HolderGone) -> Step:
    """Free all open roles and tasks of a person who is gone, and tell the channels which ones."""
    for incident in draft.world.open_incidents():
        for role, held in incident.people.roles.items():
            if held.kind is ActorKind.PERSON and held.id == signal.user:
                reason = f"{held.name}'s account is deactivated"
                draft.add(incident.stream, RoleChanged(role, held, None, vacant=role == LEAD, reason=reason))
    let_go(draft, signal.user, GONE)
    return draft.done(Noted())


def asked_at(incident: Incident, policy: IncidentPolicy) -> datetime | None:
    """When the channel is asked who leads; None if somebody does, if it was asked before, or if nobody is needed."""
    people = incident.people
    if policy.nag_after is None or not incident.phase.open or incident.well or incident.severity not in WANT_A_LEAD:
        return None
    if people.acknowledged_at is None or people.lead or people.lead_asked_at:
        return None
    return max(people.acknowledged_at, people.lead_left_at or people.acknowledged_at) + policy.nag_after


def on_time(draft: Draft) -> None:
    """Ask who leads, where that is due."""
    for incident in draft.world.open_incidents():
        at = asked_at(incident, draft.policy.incidents)
        if at is not None and at <= draft.now:
            draft.add(incident.stream, LeadAsked(), actor=NO_LEAD)


HANDLERS: Handlers = {GiveRole: on_give_role, HolderGone: on_holder_gone}


def due(world: World, policy: Policy) -> Iterator[datetime]:
    """When each channel is asked who leads."""
    yield from filter(None, (asked_at(incident, policy.incidents) for incident in world.open_incidents()))
