"""Who has which part in an incident: claimed, given, handed over, given up. A role gives no rights; it says whom to ask."""

from dataclasses import dataclass

from bot.core.answers.base import Done, Refused
from bot.core.answers.incident import Over, Wanted
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.effects import InvitePeople
from bot.core.model import LEAD, Actor
from bot.core.record.incident_facts import RoleChanged
from bot.core.signals import GiveRole


@dataclass(frozen=True, kw_only=True)
class RoleGiven(Done):
    """Somebody has the role now. Roles are called as configured, here and in the answers below."""

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
    """It is so already: somebody has the role, or nobody has."""

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
    """One person has a role; who had it before has it no longer. Whoever gets one is invited."""
    incident, role, to, policy = draft.incident(signal.incident), signal.role, signal.to, draft.policy.incidents
    name, leads, held = policy.role_name(role), role == LEAD, incident.people.roles.get(role)
    if not incident.phase.open:
        return draft.refuse(Over(incident=incident.number, phase=incident.phase, wanted=Wanted.ROLE))
    if name not in policy.roles and held is None:  # one that has left the configuration can be given up
        return draft.refuse(NoRole(incident=incident.number, role=name, known=policy.roles))
    if (held.id if held else "") == (to.id if to else "") or (held and signal.free):
        return draft.refuse(RoleAlready(incident=incident.number, role=name, to=held, leads=leads))
    fact = draft.add(incident.stream, RoleChanged(role, held, to))
    if to is None:
        return draft.done(RoleTaken(incident=incident.number, role=name, leads=leads))
    draft.send(InvitePeople(), fact)
    return draft.done(RoleGiven(incident=incident.number, role=name, to=to, leads=leads))


HANDLERS: Handlers = {GiveRole: on_give_role}
