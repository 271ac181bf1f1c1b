"""The world: the states of all streams, which is all that decisions look at.

The store keeps these states in rows, written in the same transaction as their facts, and they can be rebuilt by folding the
facts again (`streams.evolve`).
"""

from collections.abc import Collection, Mapping
from dataclasses import field, replace
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.core.record.component import ComponentState
from bot.core.record.flag import FlagState
from bot.core.record.incident import Incident
from bot.core.record.layered import Layered
from bot.core.record.provider import ProviderState
from bot.core.record.sight import CLEAR, Sight
from bot.core.record.sinks.sink import SinkState, sink_id
from bot.core.record.steering.freeze import THAWED, Freeze


@dataclass(frozen=True)
class World:
    """Everything that decisions look at: the states of all streams, by kind (`streams`) and key.

    Of the finished incidents it holds only those that a decision may need (`recent`); the engine adds any that a signal names.
    """

    states: Mapping[str, Layered[Any, Any]] = field(default_factory=dict)
    seqs: Layered[str, int] = field(default_factory=Layered)  # stream -> seq of its newest fact
    # Computed by `with_state`, so that incidents need not be searched at every step.
    running: frozenset[int] = field(default=frozenset(), compare=False)
    ended_last: Mapping[str, int] = field(default_factory=dict, compare=False)  # component -> its incident that ended last
    last_incident: int = field(default=0, compare=False)  # the highest number given so far

    def of(self, kind: str) -> Layered[Any, Any]:
        """The states of one kind of stream, by key."""
        return self.states.get(kind, NO_STATES)

    @property
    def components(self) -> Mapping[str, ComponentState]:
        """By id."""
        return self.of("component")

    @property
    def providers(self) -> Mapping[str, ProviderState]:
        """By id."""
        return self.of("provider")

    @property
    def incidents(self) -> Mapping[int, Incident]:
        """By number; old ones are not loaded."""
        return self.of("incident")

    @property
    def flags(self) -> Mapping[str, FlagState]:
        """By key."""
        return self.of("flag")

    @property
    def sinks(self) -> Mapping[str, SinkState]:
        """By the flag's key and the sink's id, separated by a slash."""
        return self.of("sink")

    @property
    def sight(self) -> Sight:
        """Whether our own network works."""
        sight: Sight = self.of("sight").get("", CLEAR)
        return sight

    @property
    def freeze(self) -> Freeze:
        """Whether rules may move flags at all."""
        freeze: Freeze = self.of("automation").get("", THAWED)
        return freeze

    def component(self, id: str) -> ComponentState:
        """The component's state, or that of one that was never checked."""
        return self.components.get(id) or ComponentState(id)

    def provider(self, id: str) -> ProviderState:
        """The provider's state, or that of one whose page was never read."""
        return self.providers.get(id) or ProviderState(id)

    def flag(self, key: str) -> FlagState:
        """The flag's state, or that of one never engaged."""
        return self.flags.get(key) or FlagState(key)

    def sink(self, flag: str, sink: str) -> SinkState:
        """The sink's state, or that of one that was never told anything."""
        id = sink_id(flag, sink)
        return self.sinks.get(id) or SinkState(id)

    def open_incidents(self) -> tuple[Incident, ...]:
        """Incidents that are still running, oldest first."""
        return tuple(self.incidents[number] for number in sorted(self.running))

    def open_for(self, dedup: str) -> Incident | None:
        """The open incident that holds this dedup key, as its own or as that of a merged one."""
        return next((i for i in self.open_incidents() if dedup in i.holds), None)

    def concerned(self, component: str) -> Incident | None:
        """The open incident that this component is in."""
        return next((i for i in self.open_incidents() if component in i.affected), None)

    def drill_on(self, flag: str) -> Incident | None:
        """The running drill with this flag in its scope."""
        drills = ((i, i.drill) for i in self.open_incidents() if i.drill)
        return next((i for i, drill in drills if drill.running and drill.plan.flag == flag), None)

    def holding(self, message: str) -> list[int]:
        """The incidents whose timeline contains this message (`channel/ts`)."""
        return [number for number, incident in self.incidents.items() if incident.entry_of(message) is not None]

    def with_state(self, kind: str, key: Any, state: Any) -> "World":
        """The world with one state put in or replaced."""
        world = replace(self, states={**self.states, kind: self.of(kind).but(key, state)})
        return world._indexed(state) if isinstance(state, Incident) else world

    def without_incidents(self, numbers: Collection[int]) -> "World":
        """The world without these finished incidents; their numbers stay used."""
        incidents = self.of("incident").without(numbers)
        seqs = self.seqs.without([f"incident/{number}" for number in numbers])
        return replace(self, states={**self.states, "incident": incidents}, seqs=seqs)

    def _indexed(self, incident: Incident) -> "World":
        mine = {incident.number}
        running = self.running | mine if incident.phase.open else self.running - mine
        newer = {c: incident.number for c in incident.affected if self._ended_after_all(c, incident)}
        ended_last = {**self.ended_last, **newer} if newer else self.ended_last
        if incident.phase.open:
            reopened = [c for c in incident.affected if ended_last.get(c) == incident.number]
            ended_last = {c: number for c, number in ended_last.items() if c not in reopened} if reopened else ended_last
        return replace(
            self, running=running, ended_last=ended_last, last_incident=max(self.last_incident, incident.number)
        )  # fmt: skip

    def _ended_after_all(self, component: str, incident: Incident) -> bool:
        """Whether it is over and ended later than every other incident with the component."""
        if incident.phase.open or incident.ending.at is None:
            return False
        other = self.incidents.get(self.ended_last.get(component, 0))
        if other is None or other.phase.open or other.ending.at is None:
            return True
        return (other.ending.at, other.number) < (incident.ending.at, incident.number)


NO_STATES: Layered[Any, Any] = Layered()
