"""Plays a scenario: local workspace, scripted vendors, the bot, a downstream service and a scripted person, all at once."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.core.lazy_dataclass import dataclass
from bot.core.outcomes.counts import MINUTE
from bot.core.record.fact import Fact
from bot.core.record.world import World
from bot.demo.bots import Bots, OneBot
from bot.demo.proof import Claim, Evidence, prove
from bot.demo.settings import FLAG
from bot.demo.stage import Say, Stage
from bot.demo.telling import ending, lines
from bot.exports import FORMATS, render
from bot.ports import UNFINISHED
from bot.sandbox.vendor import Scenario
from bot.system.clock import ScaledClock
from bot.views.names import plain_names

START = datetime(2026, 3, 20, 2, 50, tzinfo=UTC)  # the outage begins ten minutes later, at three in the morning
OUTAGE = "anthropic"  # the provider that fails in every scenario played here
DELIVERY_WITHIN_S = 30.0  # real seconds for messages still on their way to the workspace at the end


@dataclass(frozen=True)
class DemoResult:
    """The result of the demo."""

    claims: tuple[Claim, ...]

    @property
    def good(self) -> bool:
        """Whether every claim held."""
        return all(claim.holds for claim in self.claims)


class Demo:
    """One run. `play` returns at the end of the story, or if not asked to end, continues until it is cancelled.

    `played` is the result, once the story is over. Raises PostgresError or ImportError if several replicas are impossible.
    """

    def __init__(
        self, scenario: Scenario, speed: float, out: Path, automation: str, say: Say, listen: str, replicas: int = 1
    ) -> None:  # fmt: skip
        self._scenario = scenario
        self._out = out
        self._say = say
        self.played: DemoResult | None = None
        self._clock = ScaledClock(speed, START, stands=True)
        self._stage = Stage(scenario, self._clock, out, say)
        self._bots = _bots(replicas, self._stage, out, automation, listen, say)
        self._names: Mapping[str, str] = {}

    async def play(self, *, exit_when_done: bool) -> DemoResult:
        """Set up, play the story, and prove its claims at the end."""
        self._out.mkdir(parents=True, exist_ok=True)
        stage, bots = self._stage, self._bots
        await stage.open()
        try:
            await bots.prepare()
            if not exit_when_done:
                await stage.somebody_watches()
            self._clock.begin()
            await bots.start((self._tell, stage.ana.hears))
            self._names = plain_names(bots.engine.policy)
            await stage.start_customers(bots.url)
            self._say(f"The board:             {bots.url}\n")
            await self._until_over()
            self.played = await self._epilogue(stays=not exit_when_done)
            if not exit_when_done:
                await asyncio.Event().wait()
            return self.played
        finally:
            await stage.leave()
            await bots.stop()
            await stage.close()

    def _tell(self, facts: Sequence[Fact], world: World) -> None:
        for line in lines(facts, self._names):
            self._say(line)

    async def _until_over(self) -> None:
        """Wait until the incident is resolved and the flag is back, or the script has ended."""
        end = START + timedelta(minutes=self._scenario.minutes)
        while self._clock.now() < end:
            await asyncio.sleep(0.5)
            world = self._bots.engine.world
            told = bool(world.incidents) and not world.open_incidents()
            flag = world.flag(FLAG)
            if told and flag.engagement is None and flag.engagements > 0:
                break
        await self._until_quiet()

    async def _until_quiet(self) -> None:
        """Wait for the last messages and the upload: at this speed, Slack's rate limits delay some of them."""
        loop, bots = asyncio.get_running_loop(), self._bots
        until = loop.time() + DELIVERY_WITHIN_S
        await asyncio.sleep(1.0)  # the last click is still being answered
        while loop.time() < until:
            over = [one for one in bots.engine.world.incidents.values() if one.ending.at and one.provider == OUTAGE]
            counted = all(one.served and one.served.until == one.ending.at for one in over)
            if counted and not await bots.ledger.read(lambda store: store.outbox(*UNFINISHED)):
                return
            await asyncio.sleep(0.2)

    async def _epilogue(self, *, stays: bool) -> DemoResult:
        stage, bots = self._stage, self._bots
        facts, outbox = await bots.ledger.read(lambda store: (store.all_facts(), store.outbox()))
        world, exports = bots.engine.world, await self._export()
        signs, told = await bots.signs(), await bots.told(self._clock.start, self._clock.now() + MINUTE)
        seen = Evidence(
            world, facts, outbox, stage.workspace, stage.log, stage.gateway_log, exports, signs, told, bots.untold(),
            stage.outage_before, self._clock.speed, bots.engine.policy,
        )  # fmt: skip
        played = DemoResult((*prove(seen), *bots.claims(seen)))
        for line in ending(played.claims, exports, stays):
            self._say(line)
        return played

    async def _export(self) -> Sequence[Path]:
        bots, exports = self._bots, []
        for number, incident in sorted(bots.engine.world.incidents.items()):
            mine = await bots.ledger.read(lambda store, number=number: store.facts_about(number))  # type: ignore[misc] # bound early
            for format in FORMATS:
                # In a thread: this loop also answers vendors and Slack, and replicas treat late answers as failures.
                name, content = await asyncio.to_thread(render, format, incident, mine, bots.engine.policy)
                (self._out / name).write_bytes(content)
                exports.append(self._out / name)
        return exports


def _bots(replicas: int, stage: Stage, out: Path, automation: str, listen: str, say: Say) -> Bots:
    if replicas == 1:
        return OneBot(stage, out, automation, listen)
    from bot.demo.replicas import Replicas  # needs an optional extra

    return Replicas(replicas, stage, out, automation, listen, say)
