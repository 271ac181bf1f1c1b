"""Whether our own network works: the facts of blindness, and their state."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Body, Fact, Reasoned, Source
from bot.core.record.incident import Incident


@dataclass(frozen=True)
class Sight:
    """Whether we are blind, why, and since when.

    `ended_at` is when the last blindness ended: earlier measurements say nothing about vendors. The other fields are what
    `assess_sight` remembers between calls; they are not recorded.
    """

    blind: bool = False
    reason: str = ""
    began_at: datetime | None = None  # when the evidence begins
    ended_at: datetime | None = None
    notice: str = ""  # effect key of the notice about it
    good_since: datetime | None = None  # while blind: since when nothing indicates it any more
    controls_well_since: datetime | None = None
    onsets: Mapping[str, datetime] = field(default_factory=dict)  # control or provider -> since when it fails by network
    inside_well: bool = False  # while blind: an address of our own network has answered since


CLEAR = Sight()


@dataclass(frozen=True)
class SightLost(Reasoned, Body):
    """We are blind: failures may be caused by our own uplink or resolver."""

    KIND = "sight.lost"
    SOURCE = Source.PROBE
    reason: str
    began_at: datetime  # when the evidence begins
    thread: str = ""  # effect key of the notice in the ops channel, empty = none

    def onto(self, state: Sight | Incident, fact: Fact) -> Sight | Incident:
        """Blind since the evidence begins. Also appended to streams of open incidents, which it does not change."""
        if not isinstance(state, Sight):
            return state
        return Sight(blind=True, reason=self.reason, began_at=self.began_at, notice=self.thread)


@dataclass(frozen=True)
class SightRegained(Reasoned, Body):
    """We can see again: controls or providers answer."""

    KIND = "sight.regained"
    SOURCE = Source.PROBE
    reason: str  # why we were blind
    began_at: datetime  # when the blindness began
    ended_at: datetime

    def onto(self, state: Sight | Incident, fact: Fact) -> Sight | Incident:
        """Remember the last blindness. Also appended to streams of open incidents, which it does not change."""
        if not isinstance(state, Sight):
            return state
        return Sight(blind=False, reason=self.reason, began_at=self.began_at, ended_at=self.ended_at)
