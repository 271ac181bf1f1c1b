"""What the facts of a flag add up to: where it sends traffic, and what waits for a person."""

from dataclasses import field, replace
from datetime import datetime, timedelta

from bot.core.lazy_dataclass import dataclass
from bot.core.model import TARGETING_KEY, Actor
from bot.core.rehearsal import Rehearsals


@dataclass(frozen=True)
class Proposal:
    """A switch that waits for a person."""

    variant: str
    reason: str
    at: datetime
    incident: int | None
    yes: tuple[Actor, ...] = ()  # who said so already, where it takes more than one
    late_at: datetime | None = None  # nobody had answered in time by then, and paging went on


@dataclass(frozen=True)
class ShareStep:
    """A step back that only conversations take which began after it; the others follow at `until`."""

    at: datetime
    until: datetime
    share: int  # percent of the readers on the default
    before: int  # the same before it


def held_for(seconds: int) -> timedelta:
    """How long something of a hand-back is waited for: never more than a day, whatever a ledger says."""
    return timedelta(seconds=min(max(seconds, 0), 86_400))


@dataclass(frozen=True)
class Engagement:
    """The overlay that sends downstream services to a fallback variant."""

    id: str  # also the seed of sticky hashing
    variant: str
    reason: str
    mode: str
    actor: Actor
    at: datetime
    expires_at: datetime
    incident: int | None
    share_back: int = 0  # percent that is on the default again
    stepped_at: datetime | None = None
    asked_at: datetime | None = None  # the first step back waits for a person since then
    hold_s: int = 0  # seconds that a step is watched, where real errors made it longer than configured
    because: tuple[str, ...] = ()  # components that were in trouble; empty = a person switched for other reasons
    share_at: datetime | None = None  # when a person chose the share, or halted the hand-back: rules leave it as it is since
    expiry_asked: datetime | None = None  # the end about which people were asked
    timed_at: datetime | None = None  # when a person put the end off
    sticky_by: str = TARGETING_KEY  # the attribute of a reader's context by which its shares are dealt, from beginning to end
    running: tuple[ShareStep, ...] = ()  # steps that conversations of before have not taken yet, oldest first, each one further

    @property
    def share(self) -> int:
        """Percent of the readers on the fallback."""
        return 100 - self.share_back

    @property
    def handing_back(self) -> bool:
        """Whether the way back has begun; a person may have halted it."""
        return self.stepped_at is not None and self.share_back > 0

    @property
    def settled(self) -> int:
        """Percent that is on the default whenever a conversation began."""
        return self.running[0].before if self.running else self.share_back

    @property
    def parted(self) -> bool:
        """Whether one reader may be on the default while another one is on the fallback."""
        return self.share_back > 0 and self.settled < 100

    @property
    def all_back(self) -> bool:
        """Whether only conversations of before are still on the fallback, if any."""
        return self.share_back >= 100

    def stepping(self, share_back: int, at: datetime, stay_s: int) -> tuple[ShareStep, ...]:
        """What becomes of `running` with another share: further back, all that began before stay for `stay_s` seconds.

        Towards the fallback nobody is waited for; but those who were there already stay there.
        """
        if share_back <= self.share_back:
            kept = [step for step in self.running if step.before < share_back]
            return tuple(replace(step, share=min(step.share, share_back)) for step in kept)
        if stay_s <= 0:
            return ()
        return (*self.running, ShareStep(at, at + held_for(stay_s), share_back, self.share_back))

    def hold(self, configured: timedelta) -> timedelta:
        """How long a step is watched."""
        return max(configured, held_for(self.hold_s))


@dataclass(frozen=True)
class Pin:
    """Somebody keeps all rules off a flag, since when and why."""

    by: Actor
    at: datetime
    reason: str = ""


@dataclass(frozen=True)
class Seen:
    """How many of those who keep a copy of the flags have what was switched last."""

    by: int
    of: int

    @property
    def whole(self) -> bool:
        """Whether all of them have."""
        return self.by == self.of


@dataclass(frozen=True)
class FlagState:
    """One flag: its engagement if any, a proposal if one waits, and why automation last held still."""

    key: str
    engagement: Engagement | None = None
    proposal: Proposal | None = None
    held: str = ""
    engagements: int = 0
    changed_at: datetime | None = None
    released_at: datetime | None = None
    seen: Seen | None = None
    rehearsals: Rehearsals = field(default_factory=Rehearsals)
    rejected_at: datetime | None = None  # a person said no to a proposal
    pin: Pin | None = None
