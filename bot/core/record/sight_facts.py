"""The facts of our own sight, each with what it makes of it."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.record.fact import Body, Fact, Reasoned, Source
from bot.core.record.incident import Incident
from bot.core.record.sight import Sight


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
