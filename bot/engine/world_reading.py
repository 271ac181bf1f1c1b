"""Reads the world from a ledger and writes it back: everything that decisions look at, with few finished incidents."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from bot.core.codec import decode, encode
from bot.core.record.layered import Layered
from bot.core.record.recent import MOST_RECENT, needed
from bot.core.record.streams import STREAMS, changed, put
from bot.core.record.world import World
from bot.ports import StateRow, Store

Rebuilt = tuple[StateRow, Any]  # a row, and its decoded state


def read_world(store: Store) -> World:
    """The committed world with the open incidents, the newest ones, and those that another state points at."""
    newest = store.newest_incident()
    numbers = range(newest, max(newest - MOST_RECENT, 0), -1)
    rows = {row.stream: row for row in (*store.states_but_incidents(), *store.open_incidents(), *store.incidents(numbers))}
    world = world_from(list(rows.values()), newest)
    unwell = {id: state.unwell_since for id, state in world.components.items() if state.unwell_since}
    world = read_incidents(store, world, {*needed(world), *store.ended_last(unwell).values(), *store.with_open_tasks()})
    return read_incidents(store, world, needed(world))  # the parts of those just read


def read_incidents(store: Store, world: World, numbers: Collection[int]) -> World:
    """The world with these incidents added, if they exist."""
    missing = absent(world, numbers)
    return with_rows(world, store.incidents(missing)) if missing else world


def absent(world: World, numbers: Collection[int]) -> list[int]:
    """The numbers of incidents that were declared and are not in the world."""
    return sorted({n for n in numbers if 0 < n <= world.last_incident and n not in world.incidents})


def world_from(rows: Sequence[StateRow], newest: int = 0) -> World:
    """The world described by these rows; `newest` is the highest incident number, in case none of them has it."""
    return with_rows(World(last_incident=newest), rows)


def with_rows(world: World, rows: Sequence[StateRow]) -> World:
    """The world with the states of these rows."""
    return with_states(world, rebuilt(rows))


def rebuilt(rows: Sequence[StateRow]) -> list[Rebuilt]:
    """The rows with their decoded states; a tenth of a millisecond each, so a reading thread does this rather than the loop."""
    return [(row, decode(STREAMS[row.kind].state, row.body)) for row in rows]


def with_states(world: World, states: Sequence[Rebuilt]) -> World:
    """The world with these states."""
    if not states:
        return world
    world = replace(world, seqs=Layered({**world.seqs, **{row.stream: row.seq for row, _ in states}}))
    for _, state in states:
        world = put(world, state)
    return world


def changed_states(before: World, after: World) -> tuple[StateRow, ...]:
    """The state rows that differ between two worlds, ready to be written."""
    return tuple(
        StateRow(name, after.seqs.get(name, 0), stream.name, stream.holds(state), encode(state))
        for stream, name, state in changed(before, after)
    )
