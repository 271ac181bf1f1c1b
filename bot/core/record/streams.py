"""Every kind of stream: its name, and the state that its facts produce. A new kind needs one entry here.

How a fact changes the state is defined by the fact (`onto`).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.core.record.component import ComponentState
from bot.core.record.fact import Fact
from bot.core.record.flag import FlagState
from bot.core.record.incident import Incident
from bot.core.record.itself.configuration_facts import ConfigurationState
from bot.core.record.provider import ProviderState
from bot.core.record.sight import CLEAR, Sight
from bot.core.record.sinks.sink import SinkState
from bot.core.record.steering.freeze import THAWED, Freeze
from bot.core.record.world import World


def _nobody(state: Any) -> str:
    return ""


@dataclass(frozen=True)
class Stream:
    """One kind of stream, `name/key`; a kind with a single stream uses its name alone."""

    name: str
    state: type
    key: Callable[[str], Any] = str  # parses the text after the slash
    key_of: Callable[[Any], Any] = lambda state: state.id
    new: Callable[[Any], Any] = lambda key: None  # the state before its first fact
    holds: Callable[[Any], str] = _nobody  # key that only one open state may hold at a time; empty = none
    ends: bool = False  # whether a state may be over for good, so that no decision concerns it any more

    def fold(self, key: Any, state: Any, fact: Fact) -> Any:
        """The state after a fact; `state` is None before the first. Raises ValueError for a fact before the first one."""
        before = self.new(key) if state is None else state
        if before is None and not fact.body.BEGINS:
            raise ValueError(f"{fact.stream} has a {fact.kind} before it was declared")
        return fact.body.onto(before, fact)

    def stream(self, key: Any) -> str:
        """The full name of one stream."""
        return f"{self.name}/{key}" if key != "" else self.name


def _dedup(incident: Incident) -> str:
    return incident.dedup if incident.phase.open else ""


STREAMS: dict[str, Stream] = {
    stream.name: stream
    for stream in (
        Stream("component", ComponentState, new=ComponentState),
        Stream("provider", ProviderState, new=ProviderState),
        Stream("incident", Incident, key=int, key_of=lambda i: i.number, holds=_dedup, ends=True),
        Stream("flag", FlagState, key_of=lambda flag: flag.key, new=FlagState),
        Stream("configuration", ConfigurationState, key_of=lambda state: "", new=lambda key: ConfigurationState()),
        Stream("sink", SinkState, new=SinkState),
        Stream("sight", Sight, key_of=lambda sight: "", new=lambda key: CLEAR),
        Stream("automation", Freeze, key_of=lambda freeze: "", new=lambda key: THAWED),
    )
}
BY_STATE = {stream.state: stream for stream in STREAMS.values()}


def evolve(world: World, fact: Fact) -> World:
    """The world after `fact`."""
    stream, key = _named(fact.stream)
    world = replace(world, seqs=world.seqs.but(fact.stream, fact.seq))
    before = world.of(stream.name).get(key)
    after = stream.fold(key, before, fact)
    if after is not before:  # a note, for example, changes nothing
        world = world.with_state(stream.name, key, after)
    named = world.incidents.get(fact.incident) if stream.name == "provider" and fact.incident is not None else None
    return put(world, fact.body.onto_incident(named, fact)) if named else world


def folded(name: str, facts: Iterable[Fact], seq: int = 0, state: Any = None) -> tuple[int, Any]:
    """The seq of a stream's newest fact and the state that its facts produce; 0 and None if it has none.

    If `facts` continue from an earlier one, pass that one's seq and the state after it.
    """
    stream, key = _named(name)
    for fact in facts:
        state = stream.fold(key, state, fact)
        seq = fact.seq
    return seq, state


def put(world: World, state: Any) -> World:
    """The world with one state of any kind replaced."""
    stream = BY_STATE[type(state)]
    return world.with_state(stream.name, stream.key_of(state), state)


def state_of(world: World, name: str) -> Any:
    """The state of a stream, None if the stream has no facts yet."""
    stream, key = _named(name)
    return world.of(stream.name).get(key)


def changed(before: World, after: World) -> Iterator[tuple[Stream, str, Any]]:
    """The differences between two worlds: kind of stream, its full name, and the new state."""
    for stream in STREAMS.values():
        for key, state in after.of(stream.name).differing(before.of(stream.name)):
            yield stream, stream.stream(key), state


def _named(name: str) -> tuple[Stream, Any]:
    kind, _, text = name.partition("/")
    stream = STREAMS.get(kind)
    if stream is None:
        raise ValueError(f"no kind of stream is called {kind!r}")
    return stream, stream.key(text)
