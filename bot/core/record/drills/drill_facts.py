"""Facts that only drills have; the declaration says that an incident is one."""

from dataclasses import replace

from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Body, Fact, OfFlag, Reasoned
from bot.core.record.incident import Incident


@dataclass(frozen=True)
class DrillEnded(Reasoned, Body):
    """The pretended outage ended: its time was up, somebody stopped it, or something really failed."""

    KIND = "incident.drill_ended"
    ANNOUNCED = True
    reason: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The flag's scope ends with it."""
        if state.drill is None:
            return state
        return replace(state, drill=replace(state.drill, ended_at=fact.at, ended_because=self.reason))


@dataclass(frozen=True)
class DrillReadersSeen(OfFlag, Body):
    """Services that read the drill's flag for the first time: its fallback inside the scope, or the usual variant outside."""

    KIND = "incident.drill_readers_seen"
    flag: str
    fallback: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Keep each service once per side."""
        drill = state.drill
        if drill is None:
            return state
        fallback = tuple(dict.fromkeys((*drill.fallback_readers, *self.fallback)))
        other = tuple(dict.fromkeys((*drill.other_readers, *self.other)))
        return replace(state, drill=replace(drill, fallback_readers=fallback, other_readers=other))
