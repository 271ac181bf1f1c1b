"""What replicas tell each other besides facts: jobs' signs of life, readers of a flag, tabs that were opened, money spent."""

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
    """A member whose word goes straight to others; `share` says what is its own."""

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


async def test_a_sign_of_life_reaches_the_replica_that_runs_its_check() -> None:
    """A job asks whichever replica the balancer chose; the others must not miss it."""
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


async def test_a_sign_that_is_told_twice_counts_once() -> None:
    """The ledger had taken it, and its answer got lost: a job that failed once has not failed twice."""
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


async def test_what_was_measured_counts_once_where_an_answer_of_the_ledger_got_lost() -> None:
    """It was committed, and is passed on again since nobody knew; what comes after counts as ever."""
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
    kept = scene.ledger.write_at_once

    async def loses_the_answer(work: Callable[[Any], Any]) -> Any:
        await kept(work)
        raise StoreError("the connection broke", kind=StoreTrouble.AWAY, permanent=False)

    scene.ledger.write_at_once = loses_the_answer  # type: ignore[method-assign]
    with pytest.raises(StoreError):
        await one.beat()
    scene.ledger.write_at_once = kept  # type: ignore[method-assign]
    looks.pass_on([replace(LOOK, check="a.b.second")])
    await scene.passes(3, "a", "b")
    await other.stop()

    assert ["a.b.first", "a.b.second"] == taken


async def test_readers_of_a_switch_are_counted_over_all_replicas() -> None:
    """Who has it anywhere has it; what a replica told ten seconds ago, that is gone since, counts no more."""
    clock = ManualClock(EPOCH)
    elsewhere = ReadersElsewhere(clock)
    await elsewhere.hear(["b", {"chat": {"web": True, "worker": False}}])

    mine = {"chat": {"web": False, "api": True}}
    assert {"chat": {"web": True, "api": True, "worker": False}} == elsewhere.merged(mine)
    clock.advance(timedelta(seconds=11))
    assert mine == elsewhere.merged(mine)


def test_what_another_replica_spent_on_a_check_counts() -> None:
    """The check came from there; told twice it counts once."""
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


async def test_a_home_tab_is_drawn_by_who_is_asked_and_followed_by_one() -> None:
    """Each change costs one drawing, however many replicas there are."""
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
