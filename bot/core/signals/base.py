"""What every signal has, and who may send it. Each family of signals is a file beside this one."""

from enum import StrEnum
from typing import Any, ClassVar

from bot.core.effects import EffectBody
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor

SIGNALS: list[type["Signal"]] = []


class Role(StrEnum):
    """What somebody is to us, as far as rights go."""

    OUTSIDER = "outsider"  # a guest, somebody of another organization, another bot, or somebody we could not make out
    MEMBER = "member"  # a full member of the workspace whom no list of `people` lets in
    VIEWER = "viewer"  # may ask
    RESPONDER = "responder"  # may help
    COMMANDER = "commander"  # may run incidents, switch flags and mute
    ADMIN = "admin"  # may look after the bot itself
    OPERATOR = "operator"  # at the terminal or behind the API: a control token proved the right to act
    RULE = "rule"  # a rule of ours
    VENDOR = "vendor"  # a provider, through its status page


class Duty(StrEnum):
    """By what right one of several replicas on a ledger sends a signal. It must still have it when that is committed."""

    HEARD = "heard"  # somebody spoke, something came in, an effect ended: true whichever replica it came to
    SHARE = "share"  # its share of the watching came to this: while it is alive
    CLOCK = "clock"  # one replica does this for all: while it is alive and holds the clock


Roles = frozenset[Role]

# Who stands higher may do what the lower ones may. A person's level comes from the lists of `people`.
LEVELS = (Role.VIEWER, Role.RESPONDER, Role.COMMANDER, Role.ADMIN)

# What concerns the bot itself, and everybody who works with it.
ADMINS: Roles = frozenset({Role.ADMIN, Role.OPERATOR})
# What others believe, what our services do, or what nobody hears of.
COMMAND: Roles = ADMINS | {Role.COMMANDER}
# Whoever can help may say so: nothing of that switches, ends or hides anything.
RESPONDERS: Roles = COMMAND | {Role.RESPONDER}
# To see how things stand.
ASKING: Roles = RESPONDERS | {Role.VIEWER}
# Other monitors come in by /hooks/alert, with a token.
MONITORS: Roles = frozenset({Role.OPERATOR, Role.RULE})
VENDORS: Roles = frozenset({Role.VENDOR, Role.RULE})
RULES: Roles = frozenset({Role.RULE})


@dataclass(frozen=True)
class Signal:
    """Something happened that may be written down. One `id` is acted upon once; an empty one may be repeated at will.

    A kind says who may send it where it is defined, `class Join(OfIncident, by=RESPONDERS)`, and enters `SIGNALS` by that. One
    that does not say so is a base, and for nobody.
    """

    BY: ClassVar[Roles] = frozenset()
    DUTY: ClassVar[Duty] = Duty.HEARD

    actor: Actor
    id: str = ""

    def __init_subclass__(cls, *, by: Roles | None = None, duty: Duty | None = None, **more: Any) -> None:
        super().__init_subclass__(**more)
        cls.DUTY = duty or cls.DUTY
        if by is not None:
            cls.BY = by
            SIGNALS.append(cls)


@dataclass(frozen=True, kw_only=True)
class OfIncident(Signal):
    """A signal to one incident, which has to exist."""

    incident: int

    @property
    def named(self) -> tuple[int, ...]:
        """Every incident that it names: those that are long over are read for it."""
        return (self.incident,)


@dataclass(frozen=True, kw_only=True)
class OfEffect(Signal):
    """What became of an effect; one about no incident names none."""

    key: str
    kind: type[EffectBody]
    incident: int | None
    body: EffectBody | None = None  # the effect itself, for rules that look into it
    stream: str = ""  # of the fact that it speaks of
    seq: int = 0
