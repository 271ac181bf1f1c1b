"""Engine, outbox and watch when Slack, the disk or the clock misbehave; in virtual time, over the real ledger."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from bot.core import signals as s
from bot.core.answers.base import Answer
from bot.core.model import FeedReport, FeedState, Level, Outcome, Phase, Sample, Verdict
from bot.core.record.fact import Fact
from bot.core.record.room.room_facts import GivenUp
from bot.delivery.chat import Delivery, MessageContext
from bot.delivery.out_of_band import AlertsByOtherWays
from bot.engine.engine import CommittingEngine
from bot.engine.outbox import Outbox
from bot.ports import ChatError, Ledger, NotifyResult, Remembered, Store
from bot.sandbox.chat import FakeChat
from bot.sandbox.chat_state import Fault
from bot.sandbox.world import EPOCH, LoopClock, VirtualLoop
from bot.store.errors import StoreError
from bot.store.samples.sqlite import InlineSamples
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock, SteadyClock
from bot.watch.plan import Plan
from bot.watch.watch import Watch
from bot.wiring.retained import keep
from tests.desk import ANA, RULE, Table, policy

T = TypeVar("T")


def in_virtual_time(play: Callable[[], Coroutine[Any, Any, T]]) -> T:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(play())


class Stumbling(CommittingEngine):
    """An engine whose ledger refuses one signal, because the disk is full for a moment."""

    id = ""  # of that signal

    async def handle(self, signal: s.Signal) -> Answer:
        if self.id and signal.id == self.id:
            self.id = ""
            raise StoreError("disk full", permanent=False)
        return await super().handle(signal)


class Shop:
    """Engine and outbox over an in-memory ledger and an in-memory chat."""

    def __init__(self) -> None:
        self.clock = LoopClock(asyncio.get_running_loop())
        self.chat = FakeChat(self.clock, before=self._before)
        self.chat.add_channel("ops")
        self.faults: dict[str, list[Fault | Exception]] = {}
        self.ledger = InlineLedger.open()
        self.engine = Stumbling(self.ledger, self.clock, policy())
        delivery = Delivery(self.chat, self.engine, self.ledger, self.clock, MessageContext())
        self.outbox = Outbox(self.ledger, self.engine, delivery.performers(), self.clock)
        self.engine.listen(lambda facts, world: self.outbox.wake())

    def _before(self, call: str, args: Mapping[str, Any]) -> Fault | None:
        waiting = self.faults.get(call)
        fault = waiting.pop(0) if waiting else None
        if isinstance(fault, Exception):
            raise fault
        return fault

    def stumbles(self, call: str) -> None:
        """We fail at the next such call ourselves, by a defect."""
        self.faults.setdefault(call, []).append(KeyError("a defect"))

    def refuses(self, call: str, code: str) -> None:
        """Slack refuses the next such call for good."""
        self.faults.setdefault(call, []).append(Fault("refused", ChatError(f"no: {code}", code=code, permanent=True)))

    async def open(self) -> None:
        await self.engine.load()
        await self.outbox.start()

    async def fails(self, level: Level = Level.DOWN) -> None:
        verdict = Verdict("anthropic.api", level, "HTTP 502", began_at=self.clock.now())
        await self.engine.handle(s.VerdictReached(actor=RULE, verdict=verdict))

    async def unfinished(self) -> list[str]:
        return [row.effect.key for row in await self.ledger.read(lambda store: store.outbox("pending", "sending", "ambiguous"))]

    async def facts(self) -> list[Fact]:
        return await self.ledger.read(lambda store: store.all_facts())


def test_incident_posts_in_ops_if_neither_alert_nor_channel_could_be_created() -> None:
    """There is no thread to use, and its posts must not wait for one for ever."""

    async def play() -> tuple[list[str], bool]:
        shop = Shop()
        shop.refuses("post", "restricted_action")
        shop.refuses("create_channel", "restricted_action")
        await shop.open()
        await shop.fails()
        await shop.engine.handle(s.AddNote(actor=ANA, incident=1, text="support knows"))
        await asyncio.sleep(600)
        waiting, said = await shop.unfinished(), [message.text for message in shop.chat.messages("#ops")]
        await shop.outbox.stop()
        return waiting, any("support knows" in text for text in said)

    waiting, told = in_virtual_time(play)

    assert [] == waiting
    assert told


def test_card_in_a_lost_channel_is_given_up_silently() -> None:
    """The bot was removed from the channel: nobody is told of edits that cannot be made there."""

    async def play() -> list[str]:
        shop = Shop()
        await shop.open()
        await shop.fails()
        await asyncio.sleep(60)
        shop.chat.channel(shop.engine.world.incidents[1].room.channel).members.clear()
        for n in range(3):
            await shop.engine.handle(s.AddNote(actor=ANA, incident=1, text=f"note {n}"))
            await asyncio.sleep(60)
        gone = [x.body.what for x in await shop.facts() if isinstance(x.body, GivenUp)]
        await shop.outbox.stop()
        return gone

    assert [] == in_virtual_time(play)


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (lambda shop: shop.refuses("pin", "not_allowed"), "INC-1: Slack did not accept pinning the status card"),
        (lambda shop: shop.stumbles("pin"), "INC-1: Understudy itself failed at pinning the status card: internal error"),
    ],
)
def test_given_up_effect_names_whose_fault_it_was(happens: Callable[[Shop], None], said: str) -> None:
    """Nobody should search Slack for a missing right when the defect is ours."""

    async def play() -> list[str]:
        shop = Shop()
        happens(shop)
        await shop.open()
        await shop.fails()
        await asyncio.sleep(600)
        await shop.outbox.stop()
        return [message.text for message in shop.chat.messages("#ops")]

    assert any(text.startswith(said) for text in in_virtual_time(play))


def test_post_is_not_given_up_if_the_ledger_failed_after_it() -> None:
    """The disk was full just when Slack had accepted the alert: it is looked up, and edits find it."""

    async def play() -> tuple[str, int, list[str]]:
        shop = Shop()
        await shop.open()
        shop.engine.id = "done/INC-1/alert.post/incident/1/1"
        await shop.fails()
        await asyncio.sleep(600)
        posts = [m for m in shop.chat.messages("#ops") if m.key == "INC-1/alert.post/incident/1/1"]
        gone = [x.body.what for x in await shop.facts() if isinstance(x.body, GivenUp)]
        await shop.outbox.stop()
        return shop.engine.world.incidents[1].room.alert.ts, len(posts), gone

    ts, posts, gone = in_virtual_time(play)
    assert ts
    assert 1 == posts
    assert [] == gone


def test_short_wait_for_slack_pages_nobody() -> None:
    """A wait that Slack asked for, or our own pacing, is no refusal of the alert."""

    async def play() -> list[str]:
        said: list[str] = []

        class Pager:
            async def call(self, title: str, body: str, named: Sequence[str]) -> NotifyResult:
                said.append(title)
                return NotifyResult(tuple(named))

        shop = Shop()
        others = AlertsByOtherWays(Pager(), shop.engine, shop.clock, shop.ledger)
        delivery = Delivery(shop.chat, shop.engine, shop.ledger, shop.clock, MessageContext())
        shop.outbox = Outbox(shop.ledger, shop.engine, delivery.performers(), shop.clock, on_trouble=others.on_trouble)
        shop.faults["post"] = [Fault.limited(timedelta(seconds=1))]
        await shop.open()
        await shop.fails()
        await asyncio.sleep(30)
        await shop.outbox.stop()
        await others.close()
        return said

    assert [] == in_virtual_time(play)


# --- the clock


def test_leases_and_settle_times_ignore_corrections_of_the_wall_clock() -> None:
    """They use the monotonic clock."""
    wall = ManualClock(EPOCH)
    steady = SteadyClock(wall)
    wall.advance(timedelta(minutes=1))
    wall.step_wall(timedelta(hours=1))
    ahead = steady.now()
    wall.step_wall(timedelta(hours=-2))
    wall.advance(timedelta(minutes=1))

    assert EPOCH + timedelta(minutes=1) == ahead
    assert EPOCH + timedelta(minutes=2) == steady.now()


# --- the watch


@dataclass(frozen=True)
class Check:
    id: str = "anthropic.api.front"
    component: str = "anthropic.api"
    every: timedelta = timedelta(seconds=30)


class Looks:
    """A `Prober` and `Fetcher` that find what the test says."""

    def __init__(self, clock: ManualClock, outcome: Outcome = Outcome.OK) -> None:
        self.clock = clock
        self.outcome = outcome

    async def probe(self, check: Any) -> Sample:
        return Sample(check.id, check.component, self.clock.now(), self.outcome, "x")

    async def read(self, source: Any) -> FeedReport:
        return FeedReport(source.provider, self.clock.now(), FeedState.UNKNOWN)

    async def close(self) -> None:
        return


class NoRoom(InlineSamples):
    """Samples that can be read and not written."""

    async def add(self, samples: Sequence[Sample], remembered: Sequence[Remembered] = ()) -> None:
        raise StoreError("disk full", permanent=False)


async def watching(clock: ManualClock, samples: InlineSamples, looks: Looks) -> tuple[CommittingEngine, Watch]:
    ledger: Ledger = InlineLedger.open()
    engine = CommittingEngine(ledger, clock, policy())
    await engine.load()
    watch = Watch(Plan(checks=(Check(),)), looks, looks, samples, engine, clock)
    await watch.start()
    return engine, watch


async def passes(watch: Watch, clock: ManualClock, minutes: float) -> None:
    for _ in range(int(minutes * 2)):
        clock.advance(timedelta(seconds=30))
        watch.beat()
        await watch.look()
        await watch.idle()


async def test_updates_go_out_if_samples_cannot_be_written() -> None:
    """A full disk under the samples is no reason for silence in an incident."""
    clock = ManualClock(EPOCH)
    engine, watch = await watching(clock, NoRoom.open(), Looks(clock))
    await engine.handle(s.Declare(actor=ANA, title="Something"))
    for _ in range(150):
        clock.advance(timedelta(seconds=30))
        watch.beat()
        with suppress(StoreError):
            await watch.look()
        await watch.idle()

    assert engine.world.incidents[1].updates >= 1


async def test_results_of_another_day_do_not_count_with_todays() -> None:
    """Two old failures and one after the holidays are no outage since before the holidays."""
    clock = ManualClock(EPOCH)
    samples = InlineSamples.open()
    old = [
        Sample("anthropic.api.front", "anthropic.api", EPOCH + timedelta(seconds=n), outcome, "x")
        for n, outcome in enumerate([Outcome.OK, Outcome.OK, Outcome.OK, Outcome.FAIL, Outcome.FAIL])
    ]
    await samples.add(old)
    clock.advance(timedelta(days=2))
    engine, watch = await watching(clock, samples, Looks(clock, Outcome.FAIL))
    await passes(watch, clock, 1)

    assert not engine.world.component("anthropic.api").level.bad


async def test_updates_go_on_when_the_wall_clock_is_set_back() -> None:
    """The known deadline is suddenly two hours ahead; an update still comes within an hour."""
    clock = ManualClock(EPOCH)
    engine, watch = await watching(clock, InlineSamples.open(), Looks(clock))
    await engine.handle(s.Declare(actor=ANA, title="Something"))
    await passes(watch, clock, 61)
    clock.step_wall(timedelta(hours=-1))
    await passes(watch, clock, 61)

    assert engine.world.incidents[1].updates >= 2


# --- what left the configuration


def test_components_of_ended_incidents_are_not_kept_after_their_removal() -> None:
    """Only an open incident keeps what left the configuration; the board shows no ghosts."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    fewer = policy()
    fewer = type(fewer)(
        components={k: v for k, v in fewer.components.items() if k != "anthropic.api"}, flags={}, incidents=fewer.incidents
    )

    assert "anthropic.api" not in keep(fewer, table.world, None).policy.components


class Slow:
    """A ledger whose answers to writes are late, as with a writer thread under load."""

    def __init__(self, inner: InlineLedger) -> None:
        self._inner = inner
        self.answers_after_s = 0.0

    async def write(self, work: Callable[[Store], T]) -> T:
        result = await self._inner.write(work)
        await asyncio.sleep(self.answers_after_s)
        return result

    async def read(self, work: Callable[[Store], T]) -> T:
        return await self._inner.read(work)


def test_clean_stop_finishes_claimed_effects() -> None:
    """A row left `sending` would wait for its settle time at the next start."""

    async def play() -> list[str]:
        shop = Shop()
        slow = Slow(shop.ledger)
        delivery = Delivery(shop.chat, shop.engine, shop.ledger, shop.clock, MessageContext())
        outbox = Outbox(slow, shop.engine, delivery.performers(), shop.clock)
        await shop.engine.load()
        await shop.engine.handle(s.Declare(actor=ANA, title="Chat is slow"))
        await outbox.start()
        slow.answers_after_s = 1.0
        await asyncio.sleep(0.5)  # the claim is made, and nobody knows of it yet
        await outbox.stop()
        rows = await shop.ledger.read(lambda store: store.outbox("sending"))
        return [row.effect.key for row in rows]

    assert [] == in_virtual_time(play)
