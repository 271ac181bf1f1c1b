"""A shipped scenario in virtual time: the whole bot with a real configuration, only its ports replaced."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from bot.app import App, build
from bot.checks.judging.exceptions import classify_status
from bot.checks.net.stopwatch import Stopwatch
from bot.checks.run import RunResult, measured
from bot.config.load import load
from bot.core.model import FeedReport, FeedState, Sample
from bot.sandbox.chat import FakeChat
from bot.sandbox.vendor import Scenario
from bot.sandbox.vendor.scenario import OK
from bot.sandbox.world import EPOCH, LoopClock, LoopTicker, VirtualLoop
from bot.store.samples.sqlite import InlineSamples
from bot.store.sqlite.ledgers import InlineLedger
from bot.wiring.parts import Parts

ANSWER_S = 0.4  # a quick one; models take longer
MODEL_ANSWER_S = 1.2
GIVE_UP_AFTER = timedelta(minutes=5)


ENV = {
    "SLACK_BOT_TOKEN": "xoxb-test", "SLACK_APP_TOKEN": "xapp-test", "ANTHROPIC_API_KEY": "sk-ant-test",
    "OPENAI_API_KEY": "sk-test", "GEMINI_API_KEY": "key-test",
}  # fmt: skip


@dataclass
class ScenarioProber:
    """A `Prober` over the scenario: its words as samples, its hanging answers up to each check's own deadline."""

    scenario: Scenario
    clock: LoopClock
    started: datetime  # minute 0 of the scenario
    seed: int
    counts: Counter[str] = field(default_factory=Counter)

    async def probe(self, check: Any) -> Sample:
        async def look(watch: Stopwatch, deadline_s: float) -> RunResult:
            return await self._answer(check, watch)

        plain = check if hasattr(check, "under") else _Plain(check.id, check.component, check.deadline)
        began = self.clock.monotonic()
        sample = await measured(plain, self.clock, look)
        # A stopwatch is real, and here nothing takes real time.
        return replace(sample, phases_ms={"total": (self.clock.monotonic() - began) * 1000})

    async def close(self) -> None:
        return

    async def _answer(self, check: Any, watch: Stopwatch) -> RunResult:
        watch.begin("first_byte")
        await asyncio.sleep(MODEL_ANSWER_S if hasattr(check, "model") else ANSWER_S)
        provider, _, surface = check.component.partition(".")
        minute = (self.clock.now() - self.started).total_seconds() / 60
        self.counts[check.component] += 1
        answering = self.scenario.answers(provider, surface, minute)
        digest = sha256(f"{self.seed}/{check.component}/{self.counts[check.component]}".encode()).digest()
        hit = int.from_bytes(digest[:4], "big") / 2**32 < answering.rate
        word = answering.words[digest[4] % len(answering.words)] if hit else OK
        await asyncio.sleep(word.seconds)
        match word.kind:
            case "ok" | "slow":
                return RunResult("HTTP 200")
            case "hang":
                await asyncio.Event().wait()
        return RunResult(f"HTTP {word.kind}", classify_status(int(word.kind), b""))


@dataclass(frozen=True)
class _Plain:
    """The least that a run needs of a check."""

    id: str
    component: str
    deadline: timedelta
    under: timedelta | None = None


class Fine(LoopTicker):
    """Beats often enough that checks begin on time, like those that the real metronome schedules ahead."""

    def start(self, beat: Any, look: Any, every_s: float) -> None:
        super().start(beat, look, 0.1)


class Silent:
    """A `Fetcher` of a page that says nothing."""

    def __init__(self, clock: LoopClock) -> None:
        self._clock = clock

    async def read(self, source: Any) -> FeedReport:
        return FeedReport(source.provider, self._clock.now(), FeedState.FRESH)

    async def close(self) -> None:
        return


async def _bot(config: Path, scenario: Scenario, minute_0: datetime, seed: int) -> tuple[App, ScenarioProber]:
    clock = LoopClock(asyncio.get_running_loop())
    prober = ScenarioProber(scenario, clock, minute_0, seed)
    chat = FakeChat(clock)
    chat.add_channel("ops")
    parts = Parts(
        clock=clock, wire_clock=clock, ledger=InlineLedger.open(), samples=InlineSamples.open(), chat=chat, prober=prober,
        fetcher=Silent(clock), ticker=Fine(), web=False,
    )  # fmt: skip
    app = build(load(config, ENV), parts=parts)
    await app.start()
    return app, prober


def detected_after_s(config: Path, scenario: Scenario, *, begins_s: float, seed: int) -> float:
    """Start the scenario's first outage so many seconds after the bot; returns the seconds until the first incident."""

    async def play() -> float:
        first = timedelta(minutes=min(event.at for event in scenario.answer_events))
        began = EPOCH + timedelta(seconds=begins_s)
        app, _ = await _bot(config, scenario, began - first, seed)
        declared: list[datetime] = []
        app.engine.listen(lambda facts, world: declared.extend(i.declared_at for i in world.incidents.values()))
        await asyncio.sleep(begins_s)
        assert [] == declared
        while not declared and app.clock.now() < began + GIVE_UP_AFTER:
            await asyncio.sleep(0.1)
        await app.stop()
        return (min(declared) - began).total_seconds() if declared else float("inf")

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(play())


def looks_of(config: Path, scenario: Scenario, *, hours: float) -> tuple[Counter[str], int]:
    """Play the scenario from its minute 0; returns the runs by component, and the number of incidents."""

    async def play() -> tuple[Counter[str], int]:
        app, prober = await _bot(config, scenario, EPOCH, 0)
        await asyncio.sleep(hours * 3600)
        await app.stop()
        return prober.counts, len(app.engine.world.incidents)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(play())
