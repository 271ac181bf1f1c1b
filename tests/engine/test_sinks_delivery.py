"""Sinks over kills: the original state is known whenever the bot died. Engine, ledger and outbox are real."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.policy import SinkPolicy
from bot.delivery.sinks import SinkKey, Sinks
from bot.engine.engine import CommittingEngine
from bot.engine.outbox import Outbox, OutboxTiming
from bot.flags.board import FlagBoard
from bot.flags.evaluate import revision_of, snapshot
from bot.ports.sinks import Plan, Sink, SinkError, Target
from bot.sandbox.world import EPOCH
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock, SystemClock
from tests.desk import ANA, policy

FLAG, ID = "support-chat.llm", "test:one"
FAST = OutboxTiming(settle_for=timedelta(seconds=0.01), first_wait=timedelta(seconds=0.01))


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Elsewhere:
    """A sink that holds one word. `dies_after` kills the bot right after that call; `fails` refuses so many calls first."""

    holds: str = "the team's"
    dies_after: str = ""
    fails: int = 0
    error: Exception = field(default_factory=lambda: SinkError("busy"))
    applied: list[str] = field(default_factory=list)

    async def plan(self, target: Target) -> Plan:
        plan = Plan(self.holds, "")
        self._maybe("plan")
        return plan

    async def apply(self, target: Target) -> str:
        if self.fails:
            self.fails -= 1
            raise self.error
        self.holds = target.variant
        self.applied.append(target.in_words)
        self._maybe("apply")
        return self.holds

    async def read_back(self) -> str:
        return self.holds

    async def revert(self, target: Target, before: str) -> str:
        self.holds = before
        self._maybe("revert")
        return self.holds

    def _maybe(self, call: str) -> None:
        if call == self.dies_after:
            self.dies_after = ""
            raise Killed


class Bot:
    """One run of the bot over a ledger; `until` waits for what is seen in the sink."""

    def __init__(self, ledger: InlineLedger, sink: Elsewhere) -> None:
        self.clock = ManualClock(EPOCH)
        self.engine = CommittingEngine(ledger, self.clock, policy(sinks=(SinkPolicy(ID, "one"),)))
        self.board = FlagBoard(self.clock)
        self.sink = sink
        self.sinks: dict[SinkKey, Sink] = {(FLAG, ID): sink}
        sinks = Sinks(self.sinks, self.board, self.engine, ledger, self.clock)
        self.outbox = Outbox(ledger, self.engine, sinks.performers(), SystemClock(), pace=FAST)

    async def start(self) -> "Bot":
        self.engine.listen(lambda facts, world: self.board.swap(snapshot(world, self.engine.policy, revision_of(world))))
        self.engine.listen(lambda *_: self.outbox.wake())
        await self.engine.load()
        await self.outbox.start()
        return self

    async def engage(self, variant: str = "gpt") -> None:
        assert (await self.engine.handle(s.EngageFlag(actor=ANA, flag=FLAG, variant=variant, reason="x"))).ok

    async def release(self) -> None:
        assert (await self.engine.handle(s.ReleaseFlag(actor=ANA, flag=FLAG, reason="x", force=True))).ok

    async def until(self, seen: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not seen():
                await asyncio.sleep(0.005)

    def follows(self) -> bool:
        return not self.engine.world.sink(FLAG, ID).on_its_way


@pytest.mark.parametrize("call", ["plan", "apply"])
async def test_original_state_is_restored_although_the_bot_was_killed_while_switching(call: str) -> None:
    """Right before or after the change: the restarted bot must not take its own change for the team's."""
    ledger, sink = InlineLedger.open(), Elsewhere(dies_after=call)
    first = await Bot(ledger, sink).start()
    await first.engage()
    await first.until(lambda: not sink.dies_after)
    await first.outbox.stop(0)
    second = await Bot(ledger, sink).start()
    await second.until(lambda: sink.holds == "gpt" and second.follows())
    await second.release()
    await second.until(lambda: sink.holds == "the team's" and second.follows())
    await second.outbox.stop()
    await ledger.close()

    assert "the team's" == sink.holds


async def test_state_that_the_team_set_after_a_release_is_restored_next_time() -> None:
    """What was stored for the first outage no longer counts."""
    ledger, sink = InlineLedger.open(), Elsewhere()
    bot = await Bot(ledger, sink).start()
    await bot.engage()
    await bot.until(lambda: sink.holds == "gpt" and bot.follows())
    await bot.release()
    await bot.until(lambda: sink.holds == "the team's" and bot.follows())
    sink.holds = "newer"
    await bot.engage()
    await bot.until(lambda: sink.holds == "gpt" and bot.follows())
    await bot.release()
    await bot.until(lambda: sink.holds == "newer" and bot.follows())
    await bot.outbox.stop()
    await ledger.close()

    assert "newer" == sink.holds


async def test_second_fallback_does_not_mistake_the_first_for_the_original() -> None:
    """From gpt to cached within one outage."""
    ledger, sink = InlineLedger.open(), Elsewhere()
    bot = await Bot(ledger, sink).start()
    await bot.engage()
    await bot.until(lambda: sink.holds == "gpt" and bot.follows())
    await bot.engage("cached")
    await bot.until(lambda: sink.holds == "cached" and bot.follows())
    await bot.release()
    await bot.until(lambda: sink.holds == "the team's" and bot.follows())
    await bot.outbox.stop()
    await ledger.close()

    assert ["gpt", "cached"] == sink.applied


async def test_own_bug_is_reported_and_retried() -> None:
    """Giving up would leave customers on the broken provider for ever."""
    ledger, sink = InlineLedger.open(), Elsewhere(fails=2, error=KeyError("oh"))
    bot = await Bot(ledger, sink).start()
    await bot.engage()
    await bot.until(lambda: bool(bot.engine.world.sink(FLAG, ID).failing))
    said = bot.engine.world.sink(FLAG, ID).failing
    await bot.until(lambda: sink.holds == "gpt" and bot.follows())
    await bot.outbox.stop()
    await ledger.close()

    assert "internal error: KeyError" == said


async def test_order_to_a_removed_sink_waits_until_it_returns() -> None:
    """It was removed from the configuration in the middle of an outage, before it switched."""
    ledger, sink = InlineLedger.open(), Elsewhere(fails=1_000)
    first = await Bot(ledger, sink).start()
    await first.engage()
    await first.outbox.stop()
    without = Bot(ledger, sink)
    without.sinks.clear()
    await without.start()
    await asyncio.sleep(0.1)
    await without.outbox.stop()
    sink.fails = 0
    third = await Bot(ledger, sink).start()
    await third.until(lambda: sink.holds == "gpt" and third.follows())
    await third.outbox.stop()
    await ledger.close()

    assert ["gpt"] == sink.applied


async def test_order_overtaken_while_its_sink_was_removed_is_dropped() -> None:
    """The flag was released first, so there is nothing to restore, and nothing is touched."""
    ledger, sink = InlineLedger.open(), Elsewhere(fails=3)
    bot = await Bot(ledger, sink).start()
    await bot.engage()
    await bot.engage("cached")
    await bot.until(lambda: sink.holds == "cached" and bot.follows())
    await bot.outbox.stop()
    await ledger.close()

    assert ["cached"] == sink.applied
