"""200 flags that fail over at once beside 5,000 past incidents: how long the decision and its rows hold the loop."""

from dataclasses import replace
from statistics import median

from bench.past import NOW, PROVIDERS, looks, policy
from bench.report import line, timed
from bot.core.decide.step import step
from bot.core.model import Actor, Level, Phase
from bot.core.policy import Policy
from bot.core.record.incident import Incident
from bot.core.record.streams import put
from bot.core.record.world import World
from bot.core.signals import Declare, SetPhase
from bot.engine.world_reading import changed_states
from bot.flags.evaluate import snapshot

FLAGS, PAST, LIMIT_MS = 200, 5_000, 50.0


def main() -> bool:
    """Print the figure; False when it is above what the README claims."""
    print(f"failover: {FLAGS} flags at once, {PAST} past incidents")
    flags = policy(FLAGS)
    world, took = _past(flags), list[float]()
    for _ in range(7):
        with timed(took):
            decided = step(world, looks(0, Level.DOWN, NOW), NOW, flags)
            changed_states(world, decided.world)
            snapshot(decided.world, flags, 1)
    assert len(decided.facts) >= FLAGS
    return line("decision, rows and picture of the flags, median", median(took) * 1e3, "ms", LIMIT_MS)


def _past(flags: Policy) -> World:
    """A world in which all is well, after thousands of incidents."""
    world = World()
    for provider in range(PROVIDERS):
        world = step(world, looks(provider, Level.OPERATIONAL, NOW), NOW, flags).world
    ana = Actor.operator("ana")
    world = step(world, Declare(actor=ana, title="Chat is slow"), NOW, flags).world
    world = step(world, SetPhase(actor=ana, incident=1, phase=Phase.RESOLVED), NOW, flags).world
    first: Incident = world.incidents[1]
    for number in range(2, PAST + 1):
        world = put(world, replace(first, number=number, dedup=f"declared/{number}"))
    return world


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
