"""What the facts of a component add up to: its verdict, who holds its alerts back, what others say of it."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, Fault, Level, Verdict


@dataclass(frozen=True)
class MutedUntil:
    """Somebody holds a component's alerts back, until when and why."""

    until: datetime
    by: Actor
    reason: str
    at: datetime
    told: bool = False  # that the component went down meanwhile, which is said once


@dataclass(frozen=True)
class HeldBack:
    """A bad component of which nobody is alerted: why, until when by itself, in whose incident it is told instead."""

    why: str
    until: datetime | None
    incident: int | None
    at: datetime


@dataclass(frozen=True)
class Said:
    """What somebody else said of a component: a person who reports, or an alert that another monitor fired."""

    who: str
    text: str
    at: datetime


@dataclass(frozen=True)
class ComponentState:
    """The committed verdict of one component, since when and why."""

    id: str
    level: Level = Level.UNKNOWN
    reason: str = "not looked at yet"
    fault: Fault = Fault.NONE
    evidence: tuple[str, ...] = ()
    since: datetime | None = None  # when the present level was committed
    unwell_since: datetime | None = None  # since when it is anything but operational, uninterrupted
    began_at: datetime | None = None  # when its evidence starts
    quiet_key: str = ""  # effect key of the quiet thread of this episode, empty = none
    advisory: str = ""  # a small part of it fails persistently
    advisory_since: datetime | None = None
    advisory_key: str = ""  # effect key of the quiet thread about that, empty = none
    mute: MutedUntil | None = None
    held_back: HeldBack | None = None
    alerts: Mapping[str, Said] = field(default_factory=dict)  # that fire elsewhere, by source/key
    reports: tuple[Said, ...] = ()  # what people reported lately, newest last

    def agrees(self, verdict: Verdict) -> bool:
        """Whether this verdict is no news: it is held already, or it cannot tell (blindness ends no outage)."""
        blind = verdict.level is Level.UNKNOWN and verdict.by_network
        same = (self.level, self.fault) == (verdict.level, verdict.fault)
        return (blind and (same or self.level.bad)) or (same and self.advisory == verdict.advisory)
