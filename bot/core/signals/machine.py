"""The passing of time, and the results of our own effects."""

from bot.core.effects import EffectBody
from bot.core.lazy_dataclass import dataclass
from bot.core.signals.base import RULES, Duty, OfEffect, OfIncident, Signal


@dataclass(frozen=True, kw_only=True)
class TimePassed(Signal, by=RULES, duty=Duty.CLOCK):
    """Check what is due: updates, hand-back steps, expiries, resolutions, pages, and ends of mutes and windows."""


@dataclass(frozen=True, kw_only=True)
class EffectDone(OfEffect, by=RULES):
    """The outbox carried out an effect; `channel` and `ts` locate the post.

    For a page, `reached` says who was called, and `problem` who could not be and why; for an invitation, who was invited.
    """

    channel: str = ""
    ts: str = ""
    name: str = ""
    reached: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class EffectRefused(OfEffect, by=RULES):
    """The outbox gave up on an effect."""

    reason: str
    ours: bool = False  # the failure was on our side; nobody outside refused it


@dataclass(frozen=True, kw_only=True)
class NameTaken(OfIncident, by=RULES):
    """The channel name is taken by somebody else; the next one is needed."""

    name: str


@dataclass(frozen=True, kw_only=True)
class ChannelLost(OfIncident, by=RULES):
    """The incident's channel cannot be posted to any more: archived, deleted, or the bot was removed."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class PostLost(OfIncident, by=RULES):
    """The alert or card cannot be edited any more: deleted, or (`with_channel`) its channel is lost."""

    what: type[EffectBody]
    ts: str
    reason: str
    with_channel: bool = False
