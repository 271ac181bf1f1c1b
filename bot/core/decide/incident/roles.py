"""Who has which part in an incident: given and taken back by a commander. A role gives no rights; it says whom to ask."""

from dataclasses import dataclass

from bot.core.answers.base import Done, Refused
from bot.core.answers.incident import Over, Wanted
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.effects import InvitePeople
from bot.core.model import Actor, IncidentRole
from bot.core.record.incident_facts import RoleChanged
from bot.core.signals import GiveRole


@dataclass(frozen=True, kw_only=True)
class RoleGiven(Done):
    """Somebody has the role now."""

    KIND = "role_given"
    role: IncidentRole
    to: Actor


@dataclass(frozen=True, kw_only=True)
class RoleTaken(Done):
    """Nobody has the role any more."""

    KIND = "role_taken"
    role: IncidentRole


@dataclass(frozen=True, kw_only=True)
class RoleAlready(Refused):
    """It is so already: that person has the role, or nobody has."""

    KIND = "role_already"
    role: IncidentRole
    to: Actor | None


def on_give_role(draft: Draft, signal: GiveRole) -> Step:
    """One person has a role; who had it before has it no longer. Whoever gets one is invited."""
    incident, role, to = draft.incident(signal.incident), signal.role, signal.to
    if not incident.phase.open:
        return draft.refuse(Over(incident=incident.number, phase=incident.phase, wanted=Wanted.ROLE))
    held = incident.people.roles.get(role)
    if (held.id if held else "") == (to.id if to else ""):
        return draft.refuse(RoleAlready(incident=incident.number, role=role, to=held))
    fact = draft.add(incident.stream, RoleChanged(role, held, to))
    if to is None:
        return draft.done(RoleTaken(incident=incident.number, role=role))
    draft.send(InvitePeople(), fact)
    return draft.done(RoleGiven(incident=incident.number, role=role, to=to))


HANDLERS: Handlers = {GiveRole: on_give_role}
