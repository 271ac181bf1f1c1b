"""Who may do what: each kind of signal defines who may send it (`by=`), and this module judges it. Pure.

`step` asks for every signal, so buttons, slash commands, forms, the terminal and the API are all judged alike.
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
    """Somebody may not do that: the role they have and the role they need; None = no person may.

    `named` are the ids of people and user groups configured for it.
    """

    KIND = "denied"
    role: Role
    needs: Role | None = None
    named: tuple[str, ...] = ()


def role_of(actor: Actor, policy: IncidentPolicy) -> Role:
    """An actor's role. An unknown kind of actor has no rights."""
    if actor.kind is ActorKind.PERSON:
        return _level(actor.id, policy)
    return ROLES_BY_KIND.get(actor.kind, Role.OUTSIDER)


def denied(kind: type[Signal], actor: Actor, policy: IncidentPolicy) -> Denied | None:
    """Why this actor may not send a signal of that kind; None if they may. A kind without senders is for nobody."""
    return denied_to(kind.BY, actor, policy)


def denied_to(roles: Roles, actor: Actor, policy: IncidentPolicy) -> Denied | None:
    """Why this actor may not do what only these roles may; None if they may."""
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
    """Why a person admitted to the workspace may not even look: viewers are listed, and they are in no list."""
    return denied_to(ASKING, Actor.person(user), policy)


def _level(user: str, policy: IncidentPolicy) -> Role:
    """A person's level: the highest list that names them, raised over any empty lists directly above it."""
    people = _lists(policy)
    at = max((index for index, users in enumerate(people) if user in users), default=-1)
    while at + 1 < len(LEVELS) and not people[at + 1]:
        at += 1
    return LEVELS[at] if at >= 0 else Role.MEMBER


def _beneath(role: Role, needs: Role, policy: IncidentPolicy) -> Denied:
    """The denial, by the nearest list with names: an empty list admits everybody whom the one below it admits.

    It names everybody who may: those of that level, then those above.
    """
    people = _lists(policy)
    at = LEVELS.index(needs)
    while at > 0 and not people[at]:
        at -= 1
    may = [id for level in LEVELS[at:] for id in policy.lists.get(f"{level}s", ())]
    return Denied(role=role, needs=LEVELS[at], named=tuple(dict.fromkeys(may)))


def _lists(policy: IncidentPolicy) -> tuple[Collection[str], ...]:
    """The people named for each level, lowest first."""
    return policy.viewers, policy.responders, policy.commanders, policy.admins
