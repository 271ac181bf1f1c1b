"""200 flags that fail over at once beside 5,000 past incidents: how long the decision and its rows hold the loop."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median

from bench.report import line
from bot.core.incident_state import Incident
from bot.core.model import (
    Actor,
    ComponentPolicy,
    Fallback,
    Fault,
    FlagPolicy,
    IncidentPolicy,
    Level,
    Phase,
    Policy,
    Severity,
    Verdict,
)
from bot.core.signals import Declare, SetPhase, VerdictReached
from bot.core.step import step
from bot.core.streams import put
from bot.core.world import World
from bot.engine import changed_states
from bot.flags.evaluate import snapshot

FLAGS, PAST, LIMIT_MS = 200, 5_000, 50.0
NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
RULE = Actor.rule("bench")


def main() -> bool:
    """Print the figure; False when it is above what the README claims."""
    print(f"failover: {FLAGS} flags at once, {PAST} past incidents")
    policy, world = _policy(), _past(_policy())
    took = []
    for _ in range(7):
        began = time.perf_counter()
        verdict = Verdict("anthropic.api", Level.DOWN, "HTTP 502", Fault.THEIRS, (), NOW)
        decided = step(world, VerdictReached(actor=RULE, verdict=verdict), NOW, policy)
        changed_states(world, decided.world)
        snapshot(decided.world, policy, 1)
        took.append((time.perf_counter() - began) * 1000)
    assert len(decided.facts) >= FLAGS
    return line("decision, rows and picture of the flags, median", median(took), "ms", LIMIT_MS)


def _policy() -> Policy:
    opens = {Level.DOWN: "SEV2"}
    components = {
        id: ComponentPolicy(id, name, id.partition(".")[0], name, opens)
        for id, name in (("anthropic.api", "Claude API"), ("openai.api", "OpenAI API"))
    }
    flags = {
        key: FlagPolicy(
            key=key, variants={"a": 1, "b": 2}, default="a", fallbacks=(Fallback("b", "openai.api"),),
            depends_on=("anthropic.api",), automation="auto",
        )
        for key in (f"service-{n}.llm" for n in range(FLAGS))
    }  # fmt: skip
    return Policy(components, flags, IncidentPolicy({Severity.SEV2: timedelta(hours=1)}))


def _past(policy: Policy) -> World:
    """A world in which all is well, after thousands of incidents."""
    world = World()
    for id in policy.components:
        verdict = Verdict(id, Level.OPERATIONAL, "fine", Fault.NONE, (), NOW)
        world = step(world, VerdictReached(actor=RULE, verdict=verdict), NOW, policy).world
    ana = Actor.operator("ana")
    world = step(world, Declare(actor=ana, title="Chat is slow"), NOW, policy).world
    world = step(world, SetPhase(actor=ana, incident=1, phase=Phase.RESOLVED), NOW, policy).world
    first: Incident = world.incidents[1]
    for number in range(2, PAST + 1):
        world = put(world, replace(first, number=number, dedup=f"declared/{number}"))
    return world


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
