"""The base of every signal, and who may send which. Each family of signals is a file beside this one."""

from enum import StrEnum
from typing import Any, ClassVar

from bot.core.effects import EffectBody
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor

SIGNALS: list[type["Signal"]] = []


class Role(StrEnum):
    """An actor's level of rights."""

    OUTSIDER = "outsider"  # a guest, somebody of another organization, another bot, or somebody we could not identify
    MEMBER = "member"  # a full member of the workspace whom no list of `people` admits
    VIEWER = "viewer"  # may look
    RESPONDER = "responder"  # may help
    COMMANDER = "commander"  # may run incidents, switch flags and mute
    ADMIN = "admin"  # may administer the bot itself
    OPERATOR = "operator"  # at the terminal or over the API: a control token proved the right to act
    RULE = "rule"  # one of our own rules
    VENDOR = "vendor"  # a provider, through its status page


class Duty(StrEnum):
    """By what right a replica sends a signal when several share a ledger. It must still hold that right at commit."""

    HEARD = "heard"  # somebody spoke, something came in, an effect ended: valid from any replica
    SHARE = "share"  # its share of the checks: valid while the replica is alive
    CLOCK = "clock"  # one replica acts for all: valid while it is alive and holds the clock


Roles = frozenset[Role]

# Higher levels include the rights of lower ones. A person's level comes from the lists of `people`.
LEVELS = (Role.VIEWER, Role.RESPONDER, Role.COMMANDER, Role.ADMIN)

# Changes to the bot itself, or for everybody who works with it.
ADMINS: Roles = frozenset({Role.ADMIN, Role.OPERATOR})
# Changes to what others are told, what our services do, or what goes unreported.
COMMAND: Roles = ADMINS | {Role.COMMANDER}
# Anybody who can help may send these: none of them switches, ends or hides anything.
RESPONDERS: Roles = COMMAND | {Role.RESPONDER}
# Looking at the current state.
ASKING: Roles = RESPONDERS | {Role.VIEWER}
# Other monitors report through /hooks/alert, with a token.
MONITORS: Roles = frozenset({Role.OPERATOR, Role.RULE})
VENDORS: Roles = frozenset({Role.VENDOR, Role.RULE})
RULES: Roles = frozenset({Role.RULE})


@dataclass(frozen=True)
class Signal:
    """Something happened that may be recorded. A given `id` is handled once; signals with an empty `id` may be repeated.

    `digest` identifies the body of the request it came in, if its sender chose the `id` and so might reuse it.

    Each kind states who may send it in its definition, `class Join(OfIncident, by=RESPONDERS)`, which also registers it in
    `SIGNALS`. A class without `by` is a base class, and nobody may send it.
    """

    BY: ClassVar[Roles] = frozenset()
    DUTY: ClassVar[Duty] = Duty.HEARD

    actor: Actor
    id: str = ""
    digest: str = ""

    def __init_subclass__(cls, *, by: Roles | None = None, duty: Duty | None = None, **more: Any) -> None:
        super().__init_subclass__(**more)
        cls.DUTY = duty or cls.DUTY
        if by is not None:
            cls.BY = by
            SIGNALS.append(cls)


@dataclass(frozen=True, kw_only=True)
class OfIncident(Signal):
    """A signal to one incident, which must exist."""

    incident: int

    @property
    def named(self) -> tuple[int, ...]:
        """Every incident that it names; these are loaded even if they ended long ago."""
        return (self.incident,)


@dataclass(frozen=True, kw_only=True)
class OfEffect(Signal):
    """The result of an effect; without an incident if the effect has none."""

    key: str
    kind: type[EffectBody]
    incident: int | None
    body: EffectBody | None = None  # the effect itself, for rules that need its contents
    stream: str = ""  # stream of the fact that caused the effect
    seq: int = 0
