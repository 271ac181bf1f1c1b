"""Who may do what: each kind of signal says who may send it (`by=` in its definition), and here it is judged. Pure.

`step` asks for every signal, so a button, a slash word, a form, the terminal and the API are all judged here and alike.
"""

from dataclasses import dataclass

from bot.core.answers.base import Refused
from bot.core.model import Actor, ActorKind
from bot.core.policy import IncidentPolicy
from bot.core.signals.base import Role, Signal

ROLES_BY_KIND = {ActorKind.OPERATOR: Role.OPERATOR, ActorKind.RULE: Role.RULE, ActorKind.VENDOR: Role.VENDOR}


@dataclass(frozen=True, kw_only=True)
class Denied(Refused):
    """Somebody may not do that: what they are to us, and what they would have to be; None = no person may."""

    KIND = "denied"
    role: Role
    needs: Role | None = None


def role_of(actor: Actor, policy: IncidentPolicy) -> Role:
    """What an actor is to us. A kind that nobody knows has no rights."""
    if actor.kind is ActorKind.PERSON:
        return Role.COMMANDER if not policy.commanders or actor.id in policy.commanders else Role.MEMBER
    return ROLES_BY_KIND.get(actor.kind, Role.OUTSIDER)


def denied(kind: type[Signal], actor: Actor, policy: IncidentPolicy) -> Denied | None:
    """Why this actor may not send a signal of that kind; None where they may. A kind that names nobody is for nobody."""
    role = role_of(actor, policy)
    if role in kind.BY:
        return None
    if role is Role.MEMBER and Role.COMMANDER in kind.BY:
        return Denied(role=role, needs=Role.COMMANDER)
    if role is Role.OUTSIDER and Role.COMMANDER in kind.BY:
        return Denied(role=role, needs=Role.MEMBER)
    return Denied(role=role)
