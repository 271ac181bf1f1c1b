"""Whether we see at all: the facts of our own sight, and what they add up to."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Body, Fact, Reasoned, Source
from bot.core.record.incident import Incident


@dataclass(frozen=True)
class Sight:
    """Whether we are blind, why and since when.

    `ended_at` is when the last blindness ended: what was measured before says nothing of vendors. The rest is what
    `look_around` remembers from one look to the next; it is not written down.
    """

    blind: bool = False
    reason: str = ""
    began_at: datetime | None = None  # when the evidence starts
    ended_at: datetime | None = None
    notice: str = ""  # effect key of the notice that tells of it
    good_since: datetime | None = None  # while blind: since when nothing speaks for it
    controls_well_since: datetime | None = None
    onsets: Mapping[str, datetime] = field(default_factory=dict)  # control or provider -> since when it fails by network


CLEAR = Sight()


@dataclass(frozen=True)
class SightLost(Reasoned, Body):
    """We are blind: what fails now may as well be our own way out or our resolver."""

    KIND = "sight.lost"
    SOURCE = Source.PROBE
    reason: str
    began_at: datetime  # when the evidence starts
    thread: str = ""  # effect key of the notice in the ops channel, empty = none

    def onto(self, state: Sight | Incident, fact: Fact) -> Sight | Incident:
        """Blind since the evidence starts. It also stands in the streams of open incidents, of which it makes nothing."""
        if not isinstance(state, Sight):
            return state
        return Sight(blind=True, reason=self.reason, began_at=self.began_at, notice=self.thread)


@dataclass(frozen=True)
class SightRegained(Reasoned, Body):
    """We see again: controls or providers answer."""

    KIND = "sight.regained"
    SOURCE = Source.PROBE
    reason: str  # why we were blind
    began_at: datetime  # since when
    ended_at: datetime

    def onto(self, state: Sight | Incident, fact: Fact) -> Sight | Incident:
        """How it was the last time is kept. It also stands in the streams of open incidents, of which it makes nothing."""
        if not isinstance(state, Sight):
            return state
        return Sight(blind=False, reason=self.reason, began_at=self.began_at, ended_at=self.ended_at)
