"""Who may do what: each kind of signal says who may send it (`by=` in its definition), and here it is judged. Pure.

`step` asks for every signal, so a button, a slash word, a form, the terminal and the API are all judged here and alike.
"""

from collections.abc import Collection

from bot.core.answers.base import Refused
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, ActorKind
from bot.core.policy import IncidentPolicy
from bot.core.signals.base import ASKING, LEVELS, Role, Roles, Signal

ROLES_BY_KIND = {ActorKind.OPERATOR: Role.OPERATOR, ActorKind.RULE: Role.RULE, ActorKind.VENDOR: Role.VENDOR}


@dataclass(frozen=True, kw_only=True)
class Denied(Refused):
    """Somebody may not do that: what they are to us, and what they would have to be; None = no person may.

    `named` are the ids of people and user groups that the configuration names for it.
    """

    KIND = "denied"
    role: Role
    needs: Role | None = None
    named: tuple[str, ...] = ()


def role_of(actor: Actor, policy: IncidentPolicy) -> Role:
    """What an actor is to us. A kind that nobody knows has no rights."""
    if actor.kind is ActorKind.PERSON:
        return _level(actor.id, policy)
    return ROLES_BY_KIND.get(actor.kind, Role.OUTSIDER)


def denied(kind: type[Signal], actor: Actor, policy: IncidentPolicy) -> Denied | None:
    """Why this actor may not send a signal of that kind; None where they may. A kind that names nobody is for nobody."""
    return denied_to(kind.BY, actor, policy)


def denied_to(roles: Roles, actor: Actor, policy: IncidentPolicy) -> Denied | None:
    """Why this actor may not do what only these roles may; None where they may."""
    role = role_of(actor, policy)
    if role in roles:
        return None
    needs = next((level for level in LEVELS if level in roles), None)
    if needs and role is Role.OUTSIDER:
        return Denied(role=role, needs=Role.MEMBER)
    if needs and role in (Role.MEMBER, *LEVELS):
        return _beneath(role, needs, policy)
    return Denied(role=role)


def not_asking(user: str, policy: IncidentPolicy) -> Denied | None:
    """Why somebody who is let in may not even ask: viewers are named, and they are not among them nor above."""
    return denied_to(ASKING, Actor.person(user), policy)


def _level(user: str, policy: IncidentPolicy) -> Role:
    """The highest level whose list names them, and from there on what is open to everybody of that level."""
    people = _lists(policy)
    at = max((index for index, users in enumerate(people) if user in users), default=-1)
    while at + 1 < len(LEVELS) and not people[at + 1]:
        at += 1
    return LEVELS[at] if at >= 0 else Role.MEMBER


def _beneath(role: Role, needs: Role, policy: IncidentPolicy) -> Denied:
    """Refused by the nearest list that names anybody: an empty one lets in whoever the one before it lets in.

    Named is everybody who may: those of that level, then those above.
    """
    people = _lists(policy)
    at = LEVELS.index(needs)
    while at > 0 and not people[at]:
        at -= 1
    may = [id for level in LEVELS[at:] for id in policy.lists.get(f"{level}s", ())]
    return Denied(role=role, needs=LEVELS[at], named=tuple(dict.fromkeys(may)))


def _lists(policy: IncidentPolicy) -> tuple[Collection[str], ...]:
    """Who has each of the levels by name, the lowest first."""
    return policy.viewers, policy.responders, policy.commanders, policy.admins
