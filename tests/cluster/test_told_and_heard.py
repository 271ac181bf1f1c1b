"""What replicas tell each other besides facts: heartbeats of jobs, readers of flags, opened Home tabs, money spent."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.checks.heartbeat import HeartbeatCheck, Heartbeats
from bot.checks.heartbeat_intake import HeartbeatIntake
from bot.checks.llm.budget import BudgetBook, Spent
from bot.cluster.single_replica import SingleReplica
from bot.core.model import Outcome, Sample
from bot.delivery.home_tabs import HomeTabs
from bot.engine.engine import CommittingEngine
from bot.ports import StoreError, StoreTrouble
from bot.sandbox.world import EPOCH
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock
from bot.wiring.cluster.exchange import Exchange
from bot.wiring.flags.readers import ReadersElsewhere
from tests.cluster.stand import Scene
from tests.desk import ANA, policy

JOB = HeartbeatCheck("jobs.nightly.beat", "jobs.nightly", timedelta(hours=1), timedelta(seconds=10), timedelta(minutes=5), "")

LOOK = Sample(check="a.b.c", component="a.b", at=EPOCH, outcome=Outcome.OK, vantage="a")


class Wire(SingleReplica):
    """A member whose messages go straight to others; `share` says what is its own."""

    def __init__(self, *, share: bool = True) -> None:
        super().__init__()
        self.others: list[Wire] = []
        self.share = share
        self.hearers: dict[str, Callable[[Any], Awaitable[None]]] = {}

    def owns(self, key: str) -> bool:
        return self.share

    def tell(self, kind: str, body: Any) -> None:
        for other in self.others:
            asyncio.ensure_future(other.hearers[kind](body))  # noqa: RUF006 # waited for below

    def hear(self, kind: str, callback: Callable[[Any], Awaitable[None]]) -> None:
        self.hearers[kind] = callback


async def test_heartbeat_reaches_the_replica_that_runs_its_check() -> None:
    """A job reports to whichever replica the balancer chose."""
    clock, told = ManualClock(EPOCH), list[Any]()
    registers = [Heartbeats(clock), Heartbeats(clock)]
    counted: list[Sample] = []

    async def count(sample: Sample) -> None:
        counted.append(sample)

    def redact(text: str) -> str:
        return text.replace("s3cret", "…")

    asked = HeartbeatIntake([JOB], registers[0], clock, count, "local", told.append, redact=redact)
    other = HeartbeatIntake([JOB], registers[1], clock, count, "local", told.append)
    await asked.record("beat", "success", 0, "done with s3cret")
    await other.heard(told[0])

    assert (1, 2) == (len(told), len(counted))
    assert all(register.job(JOB.id).ok for register in registers)
    assert "s3cret" not in str(told)  # it goes by way of the ledger


async def test_heartbeat_sent_twice_counts_once() -> None:
    """The ledger had accepted it, but its answer got lost: one failure is not two."""
    clock, told = ManualClock(EPOCH), list[Any]()
    counted: list[Sample] = []

    async def count(sample: Sample) -> None:
        counted.append(sample)

    async def keep(sample: Sample) -> None:
        pass

    asked = HeartbeatIntake([JOB], Heartbeats(clock), clock, keep, "local", told.append)
    other = HeartbeatIntake([JOB], Heartbeats(clock), clock, count, "local")
    await asked.record("beat", "fail", 1, "")
    clock.advance(timedelta(seconds=1))
    await asked.record("beat", "success", 0, "")
    for sign in (*told, *told):
        await other.heard(sign)

    assert [Outcome.FAIL, Outcome.OK] == [sample.outcome for sample in counted]


async def test_measurement_counts_once_if_the_ledgers_answer_got_lost() -> None:
    """It was committed and is sent again; what comes later counts as usual."""
    scene = Scene()
    one, other = await scene.joins("a"), scene.add("b")
    taken: list[str] = []

    async def take(samples: Sequence[Sample]) -> None:
        taken.extend(sample.check for sample in samples)

    looks = Exchange(one, take)
    Exchange(other, take)
    await other.start()
    await scene.passes(1, "a")
    looks.pass_on([replace(LOOK, check="a.b.first")])

    def loses_the_answer() -> None:
        raise StoreError("the connection broke", kind=StoreTrouble.AWAY, permanent=False)

    scene.ledger.after_write = loses_the_answer
    with pytest.raises(StoreError):
        await one.beat()
    scene.ledger.after_write = None
    looks.pass_on([replace(LOOK, check="a.b.second")])
    await scene.passes(3, "a", "b")
    await other.stop()

    assert ["a.b.first", "a.b.second"] == taken


async def test_readers_with_the_newest_switch_are_counted_over_all_replicas() -> None:
    """A reader that got it anywhere has it; reports of a vanished replica expire after ten seconds."""
    clock = ManualClock(EPOCH)
    elsewhere = ReadersElsewhere(clock)
    await elsewhere.hear(["b", {"chat": {"web": True, "worker": False}}])

    mine = {"chat": {"web": False, "api": True}}
    assert {"chat": {"web": True, "api": True, "worker": False}} == elsewhere.merged(mine)
    clock.advance(timedelta(seconds=11))
    assert mine == elsewhere.merged(mine)


def test_money_spent_by_another_replica_counts() -> None:
    """The check came from there; the amount is counted once even if reported twice."""
    clock = ManualClock(EPOCH)
    theirs, ours = BudgetBook(clock), BudgetBook(clock)
    for _ in range(3):
        theirs.charge("a", 10)
    ours.charge("b", 5)

    for _ in range(2):
        ours.adopt(theirs.snapshot())

    assert (Spent(3, 30), Spent(1, 5)) == (ours.spent("a"), ours.spent("b"))
    clock.advance(timedelta(days=1))
    ours.adopt(theirs.snapshot() | {"day": "2020-01-01"})
    assert Spent(0, 0) == ours.spent("a")


async def test_home_tab_is_updated_by_one_replica() -> None:
    """The replica that is asked draws it; later changes cost one drawing, however many replicas there are."""
    ledger, clock = InlineLedger.open(), ManualClock(EPOCH)
    drawn: list[tuple[str, str]] = []
    wires = {"asked": Wire(share=False), "follows": Wire(share=True)}
    wires["asked"].others, wires["follows"].others = [wires["follows"]], [wires["asked"]]

    async def asker(user: str) -> Any:
        return ANA

    async def tabs_of(name: str) -> HomeTabs:
        engine = CommittingEngine(ledger, clock, policy())
        await engine.load()

        async def publish(user: str, view: Any, expected: str) -> str:
            drawn.append((name, user))
            return "h"

        tabs = HomeTabs(publish, asker, engine, ledger, clock, every_s=0.001, member=wires[name])
        await tabs.start()
        return tabs

    asked, follows = await tabs_of("asked"), await tabs_of("follows")
    await asked.opened("U1", "")
    await asyncio.sleep(0.1)
    assert [("asked", "U1")] == drawn

    for tabs in (asked, follows):
        tabs.changed()
    await asyncio.sleep(0.6)

    assert [("asked", "U1"), ("follows", "U1")] == drawn
    await asked.close()
    await follows.close()
