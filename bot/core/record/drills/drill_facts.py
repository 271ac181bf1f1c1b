"""The facts of a drill besides those of any incident; that it is one stands in its declaration."""

from dataclasses import replace

from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Body, Fact, OfFlag, Reasoned
from bot.core.record.incident import Incident


@dataclass(frozen=True)
class DrillEnded(Reasoned, Body):
    """Nothing is pretended any more: its time was over, somebody stopped it, or something really failed."""

    KIND = "incident.drill_ended"
    ANNOUNCED = True
    reason: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The flag has no scope of its own any more."""
        if state.drill is None:
            return state
        return replace(state, drill=replace(state.drill, ended_at=fact.at, ended_because=self.reason))


@dataclass(frozen=True)
class DrillReadersSeen(OfFlag, Body):
    """Who read the flag of the drill for the first time: its fallback in the scope, or the flag without the scope."""

    KIND = "incident.drill_readers_seen"
    flag: str
    fallback: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Each of them once on each side."""
        drill = state.drill
        if drill is None:
            return state
        fallback = tuple(dict.fromkeys((*drill.fallback_readers, *self.fallback)))
        other = tuple(dict.fromkeys((*drill.other_readers, *self.other)))
        return replace(state, drill=replace(drill, fallback_readers=fallback, other_readers=other))
