"""How long the Home tab takes: from its opening until it stands, beside 500 checks; and drawing 500 components alone."""

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench.bot import running
from bench.report import line, percentile, timed
from bot.core.model import Actor, Level
from bot.core.policy import ComponentPolicy, IncidentPolicy, Policy
from bot.core.record.component import ComponentState
from bot.core.record.world import World
from bot.views.home import home

OPENINGS = 40
PAUSE_S = 0.7  # Slack takes a hundred views.publish a minute
COMPONENTS, FAILING = 500, 50
NOW = datetime(2026, 3, 20, 12, 43, tzinfo=UTC)


def main() -> bool:
    """Forty people open theirs, one after the other."""
    print("home: the Home tab beside 500 checks every 30 s")
    with tempfile.TemporaryDirectory() as folder:
        took = asyncio.run(_open(Path(folder)))
    line("500 components drawn, p50", percentile(_drawings(), 0.5) * 1e3, "ms")
    line("opened until it stands, p50", percentile(took, 0.5) * 1e3, "ms")
    return line("opened until it stands, p99", percentile(took, 0.99) * 1e3, "ms", 300)


async def _open(folder: Path) -> list[float]:
    took: list[float] = []
    async with running(folder, 500) as bot:
        team = bot.workspace.team
        for person in [bot.workspace.add_user(f"reader{n}") for n in range(OPENINGS)]:
            with timed(took):
                await person.opens_home()
                while person.id not in team.homes:
                    await team.change_after(team.version)
            await asyncio.sleep(PAUSE_S)
    return took


def _drawings() -> list[float]:
    """A tenth of them fails, of a hundred providers."""
    ids = {f"vendor-{n % 100}.part-{n}": f"vendor-{n % 100}" for n in range(COMPONENTS)}
    components = {id: ComponentPolicy(id, f"Surface {id}", of, of.capitalize(), {}) for id, of in ids.items()}
    policy, world = Policy(components, {}, IncidentPolicy({})), World()
    for n, id in enumerate(components):
        level = Level.DOWN if n < FAILING else Level.OPERATIONAL
        world = world.with_state("component", id, ComponentState(id, level, "3 of 3 checks failed", since=NOW))
    took: list[float] = []
    for _ in range(50):
        with timed(took):
            home(world, policy, NOW, Actor.person("U0ANA"))
    return took
