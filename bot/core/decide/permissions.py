"""Who may do what: one table, from each kind of signal to the roles that may send it. Pure.

`step` asks it for every signal, so a button, a slash word, a form, the terminal and the API are all judged here and alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.core import signals as s
from bot.core.answers.base import Refused
from bot.core.model import Actor, ActorKind
from bot.core.policy import IncidentPolicy


class Role(StrEnum):
    """What somebody is to us, as far as rights go."""

    OUTSIDER = "outsider"  # a guest, somebody of another organization, another bot, or somebody we could not make out
    MEMBER = "member"  # a full member of the workspace who is not among the commanders
    COMMANDER = "commander"  # one of people.commanders; every member where none are configured
    OPERATOR = "operator"  # at the terminal or behind the API: a control token proved the right to act
    RULE = "rule"  # a rule of ours
    VENDOR = "vendor"  # a provider, through its status page


RESPONDERS = frozenset({Role.MEMBER, Role.COMMANDER, Role.OPERATOR})
COMMAND = frozenset({Role.COMMANDER, Role.OPERATOR})
RULES = frozenset({Role.RULE})

MAY: Mapping[type[s.Signal], frozenset[Role]] = {
    # Whoever can help may say so: none of these switches, ends or hides anything.
    s.Acknowledge: RESPONDERS,
    s.Join: RESPONDERS,
    s.AddNote: RESPONDERS,
    s.AskExport: RESPONDERS,
    s.Reported: RESPONDERS,
    # What others believe, what our services do, or what nobody hears of.
    s.Declare: COMMAND,
    s.WriteUpdate: COMMAND,
    s.SetSeverity: COMMAND,
    s.GiveRole: COMMAND,
    s.SetPhase: COMMAND,
    s.EngageFlag: COMMAND,
    s.StepBack: COMMAND,
    s.ReleaseFlag: COMMAND,
    s.Mute: COMMAND,
    s.Unmute: COMMAND,
    # Other monitors come in by /hooks/alert, with a token.
    s.AlertHeard: frozenset({Role.OPERATOR, Role.RULE}),
    s.FeedRead: frozenset({Role.VENDOR, Role.RULE}),
    s.VerdictReached: RULES,
    s.SightChanged: RULES,
    s.TimePassed: RULES,
    s.EffectDone: RULES,
    s.EffectRefused: RULES,
    s.NameTaken: RULES,
    s.ChannelLost: RULES,
    s.PostLost: RULES,
}

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


def denied(kind: type[s.Signal], actor: Actor, policy: IncidentPolicy) -> Denied | None:
    """Why this actor may not send a signal of that kind; None where they may. A kind without a row is for nobody."""
    role, may = role_of(actor, policy), MAY.get(kind, frozenset())
    if role in may:
        return None
    if role is Role.MEMBER and Role.COMMANDER in may:
        return Denied(role=role, needs=Role.COMMANDER)
    if role is Role.OUTSIDER and Role.COMMANDER in may:
        return Denied(role=role, needs=Role.MEMBER)
    return Denied(role=role)
