"""Play days by seed: `python -m tests.simulation.day 200` plays two hundred of them and prints what broke."""

import argparse
import asyncio
import logging
import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from bot.core.decide.phases import LEGAL
from bot.core.model import Phase
from bot.core.record.incident_facts import PhaseChanged
from bot.sandbox.world import VirtualLoop
from tests.simulation.laws import broken
from tests.simulation.people import act
from tests.simulation.replicas import Replicas
from tests.simulation.stage import Stage, Troubles
from tests.simulation.tidying import ask, missing, tidy
from tests.simulation.work import work

HOURS = 6.0
QUIET_S = 2 * 3600.0
WORK_EVERY_S, BUSY_EVERY_S = 400, 120

Edge = tuple[Phase, Phase]


@dataclass
class Day:
    """The result of one day."""

    seed: int
    broken: list[str] = field(default_factory=list)
    edges: set[Edge] = field(default_factory=set)
    facts: int = 0
    deaths: int = 0


async def _play(seed: int, hours: float, *, tidied: bool, busy: bool, many: bool) -> Day:
    stage = (
        Replicas(seed, hours, Troubles(slack=0.12, death=0.0003))
        if many
        else Stage(seed, hours, Troubles(slack=0.12, death=0.004))
    )
    await stage.start()
    people = asyncio.create_task(act(stage, random.Random(seed + 2), every_s=420), name="stage people")
    calls = random.Random(seed + 3)
    working = asyncio.create_task(_at_work(stage, busy), name="stage work")
    tidying = asyncio.create_task(_tidied(stage, tidied), name="stage tidying")
    flaps = asyncio.create_task(_restarts_in_flaps(stage, random.Random(seed + 4)), name="stage restarts")
    end = stage.loop.time() + hours * 3600
    while stage.loop.time() < end:
        await stage.lives(min(calls.expovariate(1 / 7200), end - stage.loop.time()) + 0.001)
        stage.kill()
        await stage.lives(0.001)
    people.cancel()
    working.cancel()
    flaps.cancel()
    tidying.cancel()
    stage.troubles = Troubles()
    stage.kill()
    await stage.lives(QUIET_S)
    found = [*await broken(stage), *await stage.differing(), *(await _after_repairs(stage) if tidied else [])]
    day = Day(seed, found, deaths=stage.deaths)
    facts = await stage.disk.read(lambda store: store.all_facts())
    day.facts = len(facts)
    day.edges = {(x.body.previous, x.body.phase) for x in facts if isinstance(x.body, PhaseChanged)}
    await stage.stop()
    return day


async def _at_work(stage: Stage, busy: bool) -> None:
    """On every other day people work on their incidents too, which doubles what happens; on a busy day they do little else."""
    if busy or stage.seed % 2 == 0:
        await work(stage, random.Random(stage.seed + 6), every_s=BUSY_EVERY_S if busy else WORK_EVERY_S)


async def _tidied(stage: Stage, tidied: bool) -> None:
    if tidied:
        await tidy(stage, random.Random(stage.seed + 5), every_s=600)


async def _after_repairs(stage: Stage) -> list[str]:
    """Press *Repair* once for each open incident and wait; then everything must exist once."""
    assert stage.app is not None
    for incident in stage.app.engine.world.open_incidents():
        ask(stage, random.Random(stage.seed), incident, f"last/{incident.number}")
    await stage.lives(600)
    return [*await missing(stage), *await broken(stage)]


async def _restarts_in_flaps(stage: Stage, rng: random.Random) -> None:
    """Restart the process a few times while the flap guard holds a component."""
    for flap in stage.weather.flaps:
        at = flap.ends - 30
        for _ in range(5):
            at += rng.uniform(10, 60)
            await asyncio.sleep(max(0.0, at - stage.loop.time()))
            stage.kill()


def play(seed: int, hours: float = HOURS, *, tidied: bool = False, busy: bool = False, many: bool = False) -> Day:
    """One day in virtual time; the same seed gives the same day. `tidied`: somebody takes things away in Slack too. `busy`:
    people merge, drill, correct and hand out tasks all day. `many`: two replicas share the ledger, on a shorter day."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_play(seed, hours / 4 if many else hours, tidied=tidied, busy=busy, many=many))


def main(argv: Sequence[str]) -> int:
    """Run the program; returns 1 if a law was broken, or if at least a hundred days never used an edge of LEGAL."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    asked = argparse.ArgumentParser(
        prog="python -m tests.simulation.day", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    asked.add_argument("days", type=int, nargs="+", metavar="N", help="how many, or the first seed and the one behind the last")
    asked.add_argument("--kind", choices=("any", "tidied", "busy", "many"), default="any")
    asked.add_argument("--soonest", type=int, nargs="*", default=[], metavar="SEED", help="play these before all others")
    asked.add_argument("--at-least", type=int, metavar="N", help="end after so many, once every edge of LEGAL was walked")
    options = asked.parse_args(argv)
    first, last = options.days if len(options.days) > 1 else (0, options.days[0])
    edges: set[Edge] = set()
    seen: Counter[str] = Counter()
    for seed in dict.fromkeys([*options.soonest, *range(first, last)]):
        day = play(seed, tidied=options.kind == "tidied", busy=options.kind == "busy", many=options.kind == "many")
        edges |= day.edges
        seen.update(days=1, facts=day.facts, deaths=day.deaths)
        for sentence in day.broken:
            print(f"seed {seed}: {sentence}")
        if day.broken:
            return 1
        if options.at_least and seen["days"] >= options.at_least and edges >= set(LEGAL):
            break
    print(f"{seen['days']} days, {seen['deaths']} deaths, {seen['facts']} facts, {len(edges)} of {len(LEGAL)} edges of LEGAL")
    missing = set(LEGAL) - edges
    if missing and seen["days"] >= 100:
        print("never walked: " + ", ".join(f"{a} -> {b}" for a, b in sorted(missing)))
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
