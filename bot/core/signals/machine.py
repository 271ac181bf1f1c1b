"""What time brings, and what became of our own effects."""

from bot.core.effects import EffectBody
from bot.core.lazy_dataclass import dataclass
from bot.core.signals.base import RULES, Duty, OfEffect, OfIncident, Signal


@dataclass(frozen=True, kw_only=True)
class TimePassed(Signal, by=RULES, duty=Duty.CLOCK):
    """Look what is due: updates, hand-back steps, expiries, resolutions, pages, mutes and windows that end."""


@dataclass(frozen=True, kw_only=True)
class EffectDone(OfEffect, by=RULES):
    """The outbox did an effect; `channel` and `ts` say where a post stands.

    Of a page, `reached` says who was called, and `problem` who could not be and why; of an invitation, who was invited.
    """

    channel: str = ""
    ts: str = ""
    name: str = ""
    reached: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class EffectRefused(OfEffect, by=RULES):
    """The outbox gave an effect up."""

    reason: str
    ours: bool = False  # nobody outside refused it: it failed in our own hands


@dataclass(frozen=True, kw_only=True)
class NameTaken(OfIncident, by=RULES):
    """The channel's name belongs to somebody else; the next one is wanted."""

    name: str


@dataclass(frozen=True, kw_only=True)
class ChannelLost(OfIncident, by=RULES):
    """The incident's channel takes no more posts: archived, deleted, or the bot was removed."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class PostLost(OfIncident, by=RULES):
    """Alert or card cannot be edited any more: deleted, or (`with_channel`) the channel that it stands in is lost."""

    what: type[EffectBody]
    ts: str
    reason: str
    with_channel: bool = False
