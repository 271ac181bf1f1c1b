"""A component's state: its verdict, what holds its alerts back, what others say about it."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, Fault, Level, Verdict


@dataclass(frozen=True)
class MutedUntil:
    """Somebody mutes a component's alerts: until when, and why."""

    until: datetime
    by: Actor
    reason: str
    at: datetime
    told: bool = False  # whether people were told that it went down meanwhile, which happens once


@dataclass(frozen=True)
class HeldBack:
    """A bad component whose alert is held back: why, until when by itself, and which incident tells of it instead."""

    why: str
    until: datetime | None
    incident: int | None
    at: datetime


@dataclass(frozen=True)
class OutsideReport:
    """What another source said about a component: a person's report, or an alert of another monitor."""

    who: str
    text: str
    at: datetime


@dataclass(frozen=True)
class ComponentState:
    """A component's committed verdict, since when and why."""

    id: str
    level: Level = Level.UNKNOWN
    reason: str = "not looked at yet"
    fault: Fault = Fault.NONE
    evidence: tuple[str, ...] = ()
    since: datetime | None = None  # when the current level was committed
    unwell_since: datetime | None = None  # since when it has not been operational, without interruption
    began_at: datetime | None = None  # when its evidence begins
    quiet_key: str = ""  # effect key of this episode's quiet thread, empty = none
    advisory: str = ""  # a small part of it fails persistently
    advisory_since: datetime | None = None
    advisory_key: str = ""  # effect key of the advisory's quiet thread, empty = none
    mute: MutedUntil | None = None
    held_back: HeldBack | None = None
    alerts: Mapping[str, OutsideReport] = field(default_factory=dict)  # alerts firing elsewhere, by source/key
    reports: tuple[OutsideReport, ...] = ()  # recent reports by people, newest last

    def agrees(self, verdict: Verdict) -> bool:
        """Whether this verdict is not news: it is the current one, or it cannot tell (blindness ends no outage)."""
        blind = verdict.level is Level.UNKNOWN and verdict.by_network
        if self.since is None and not blind:
            return False  # the first verdict: if nobody can judge the component, people can at least read why
        same = (self.level, self.fault) == (verdict.level, verdict.fault)
        return (blind and (same or self.level.bad)) or (same and self.advisory == verdict.advisory)
