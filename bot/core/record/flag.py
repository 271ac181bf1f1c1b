"""A flag's state: what it serves, and what waits for a person."""

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
    yes: tuple[Actor, ...] = ()  # who has said yes so far, if several must
    late_at: datetime | None = None  # when it was still unanswered and paging continued


@dataclass(frozen=True)
class ShareStep:
    """A step back that only new conversations have taken; older ones follow at `until`."""

    at: datetime
    until: datetime
    share: int  # percentage of readers on the default
    before: int  # the percentage before this step


def held_for(seconds: int) -> timedelta:
    """Seconds as a timedelta, at most a day, whatever a ledger says."""
    return timedelta(seconds=min(max(seconds, 0), 86_400))


@dataclass(frozen=True)
class Engagement:
    """The switch that sends services to a fallback variant."""

    id: str  # also the seed of sticky hashing
    variant: str
    reason: str
    mode: str
    actor: Actor
    at: datetime
    expires_at: datetime
    incident: int | None
    share_back: int = 0  # percentage already back on the default
    stepped_at: datetime | None = None
    asked_at: datetime | None = None  # since when the first step back has been waiting for a person
    hold_s: int = 0  # seconds to watch each step, if real errors made that longer than configured
    because: tuple[str, ...] = ()  # components that were in trouble; empty = a person switched for another reason
    share_at: datetime | None = None  # when a person set the share or halted the hand-back; rules do not change it since
    expiry_asked: datetime | None = None  # the end that people were asked about
    timed_at: datetime | None = None  # when a person postponed the end
    sticky_by: str = TARGETING_KEY  # the context attribute that decides who falls into a share; fixed until the end
    running: tuple[ShareStep, ...] = ()  # steps not yet taken by older conversations, oldest first, each going further

    @property
    def share(self) -> int:
        """Percentage of readers on the fallback."""
        return 100 - self.share_back

    @property
    def handing_back(self) -> bool:
        """Whether the hand-back has begun, even if a person halted it."""
        return self.stepped_at is not None and self.share_back > 0

    @property
    def settled(self) -> int:
        """Percentage of readers on the default even in older conversations."""
        return self.running[0].before if self.running else self.share_back

    @property
    def parted(self) -> bool:
        """Whether some readers may be on the default while others are on the fallback."""
        return self.share_back > 0 and self.settled < 100

    @property
    def all_back(self) -> bool:
        """Whether only older conversations, if any, are still on the fallback."""
        return self.share_back >= 100

    def stepping(self, share_back: int, at: datetime, stay_s: int) -> tuple[ShareStep, ...]:
        """The new `running` for a changed share: when it moves back further, older conversations stay for `stay_s` seconds.

        A move towards the fallback takes effect at once; conversations already on the fallback stay there.
        """
        if share_back <= self.share_back:
            kept = [step for step in self.running if step.before < share_back]
            return tuple(replace(step, share=min(step.share, share_back)) for step in kept)
        if stay_s <= 0:
            return ()
        return (*self.running, ShareStep(at, at + held_for(stay_s), share_back, self.share_back))

    def hold(self, configured: timedelta) -> timedelta:
        """How long each step is watched."""
        return max(configured, held_for(self.hold_s))


@dataclass(frozen=True)
class Pin:
    """Somebody stops all rules from moving a flag: since when, and why."""

    by: Actor
    at: datetime
    reason: str = ""


@dataclass(frozen=True)
class ReaderCount:
    """How many holders of a copy of the flags have the last switch."""

    by: int
    of: int

    @property
    def whole(self) -> bool:
        """Whether all of them have it."""
        return self.by == self.of


@dataclass(frozen=True)
class FlagState:
    """A flag: its engagement, its proposal, and the last reason why automation held back."""

    key: str
    engagement: Engagement | None = None
    proposal: Proposal | None = None
    held: str = ""
    engagements: int = 0
    changed_at: datetime | None = None
    released_at: datetime | None = None
    seen: ReaderCount | None = None
    rehearsals: Rehearsals = field(default_factory=Rehearsals)
    rejected_at: datetime | None = None  # when a person last rejected a proposal
    pin: Pin | None = None
