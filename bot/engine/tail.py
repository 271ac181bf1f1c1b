"""Folds what others committed into the world that an engine shows."""

from collections.abc import Sequence
from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Fact
from bot.core.record.kinds import known
from bot.core.record.recent import needed, without_old
from bot.core.record.streams import evolve
from bot.core.record.world import World
from bot.core.signals import OfEffect, OfIncident, Signal
from bot.engine.world_reading import absent, read_incidents, read_world
from bot.ports import Store, StoreError, StoreTrouble

MOST_BEHIND = 5_000  # facts; when further behind, reading the states is faster

INCIDENT = "incident/"


@dataclass(frozen=True)
class LedgerView:
    """What the ledger holds at one moment. `facts` led there from the previous world, unless it was read `anew`."""

    world: World
    position: int
    facts: Sequence[Fact] = ()
    anew: bool = False


def look(store: Store, before: LedgerView, signals: Sequence[Signal], now: datetime) -> LedgerView:
    """The current world of this snapshot, with the incidents that these signals name, and related ones.

    Raises StoreError, NEWER for a fact that cannot be understood: then nothing may be decided.
    """
    position = store.position()
    if position == before.position:
        return LedgerView(with_named(store, before.world, signals), position)
    if before.position < position <= before.position + MOST_BEHIND:
        facts = store.facts_since(before.position)
        world = followed(store, before.world, facts)
        if world is not None:
            return LedgerView(with_named(store, world, signals), position, facts)
    # Too far behind; or the ledger was restored from a copy or had rows removed, so memory cannot be continued.
    require_known(store, before.position if before.position <= position else 0)
    return read_from_scratch(store, signals, now)


def read_from_scratch(store: Store, signals: Sequence[Signal], now: datetime) -> LedgerView:
    """The same, from the states alone."""
    world = without_old(read_world(store), now)
    return LedgerView(with_named(store, world, signals), store.position(), anew=True)


def require_known(store: Store, position: int = 0) -> None:
    """Raise StoreError (NEWER) if a fact after this position is of a kind or version that only a newer Understudy knows."""
    newer = sorted(kind for kind in store.kinds_since(position) if not known(*kind))
    if newer:
        names = ", ".join(f"{kind} version {version}" for kind, version in newer)
        raise StoreError(f"a newer Understudy writes this ledger ({names}); upgrade this replica", kind=StoreTrouble.NEWER)


def followed(store: Store, world: World, facts: Sequence[Fact]) -> World | None:
    """The world after these facts, which lead to the store's position; None if they do not follow from it.

    A finished incident that is not in this world is read in its final state.
    """
    over = frozenset(absent(world, {_incident_of(fact.stream) for fact in facts}))
    for fact in facts:
        if _incident_of(fact.stream) in over:
            continue
        if fact.seq != world.seqs.get(fact.stream, 0) + 1:
            return None
        try:
            world = evolve(world, fact)
        except ValueError:  # an incident that was never declared
            return None
    world = read_incidents(store, world, over)
    for _ in range(2):  # incidents that states point at, then their parts
        world = read_incidents(store, world, needed(world))
    return world


def with_named(store: Store, world: World, signals: Sequence[Signal]) -> World:
    """The world with the incidents that these signals name, and related ones."""
    tried: set[int] = set()
    while missing := not_held(world, signals) - tried:
        tried |= missing
        world = read_incidents(store, world, missing)
    return world


def not_held(world: World, signals: Sequence[Signal]) -> set[int]:
    """The incidents that these signals name, and related ones, that were declared but are not in the world."""
    named = {number for signal in signals if isinstance(signal, OfIncident) for number in signal.named}
    named |= {signal.incident for signal in signals if isinstance(signal, OfEffect) and signal.incident is not None}
    found: set[int] = set()
    while named - found:
        found |= named
        named = {near for number in found if (held := world.incidents.get(number)) for near in held.near}
    return set(absent(world, found))


def _incident_of(stream: str) -> int:
    return int(stream.removeprefix(INCIDENT)) if stream.startswith(INCIDENT) else 0
