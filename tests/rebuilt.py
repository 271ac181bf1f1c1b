"""States rebuilt from facts alone, to prove that stored states are projections."""

from typing import Any

from bot.core.record.streams import evolve, state_of
from bot.core.record.world import World
from bot.ports import Store


def rebuild_states(store: Store) -> dict[str, Any]:
    """Fold every fact in order of commit; returns the state of each stream."""
    world = World()
    for fact in store.all_facts():
        world = evolve(world, fact)
    found = {stream: state_of(world, stream) for stream in world.seqs}
    return {stream: state for stream, state in found.items() if state is not None}
