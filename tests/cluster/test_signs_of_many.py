"""A job reports to one of several replicas: it is recorded once, and no replica counts the job as silent."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from bot.checks.heartbeat import HeartbeatCheck, HeartbeatProber, Heartbeats
from bot.cluster.replica import Replica
from bot.config.models import Config
from bot.core.model import Level, Outcome, Sample
from bot.engine.engine import CommittingEngine
from bot.ports import ReplicaInfo, StoreError, StoreTrouble
from bot.store.samples.sqlite import InlineSamples
from bot.system.clock import ManualClock
from bot.watch.plan import Plan
from bot.watch.watch import Watch
from bot.wiring.hooks import doors
from tests.cluster.stand import BY_HAND, Scene
from tests.desk import component, policy
from tests.engine.stand import TURNS, Script
from tests.ledger_facts import NOON

JOB = HeartbeatCheck("jobs.nightly.beat", "jobs.nightly", timedelta(minutes=5), timedelta(seconds=10))
POLICY = replace(policy(), components={JOB.component: component(JOB.component, "nightly", "jobs")}, flags={})


class SharedSamples(InlineSamples):
    """Samples that all replicas write to, and that may be away."""

    shared = True
    away = False

    async def recent(self, check: str, limit: int, vantage: str | None = None) -> list[Sample]:
        if self.away:
            raise StoreError("the database is away", kind=StoreTrouble.AWAY, permanent=False)
        return await super().recent(check, limit, vantage)


class One:
    """A replica that takes signs in, and looks where the check is its own; cut off from the ledger while `runs` is False."""

    def __init__(self, jobs: "Jobs", name: str, off: timedelta) -> None:
        self.runs = True
        self.clock = ManualClock(NOON + off)
        script = Script(self.clock, {})
        engine = CommittingEngine(jobs.scene.ledger, self.clock, POLICY)
        self.engine = engine
        says = ReplicaInfo(name, f"boot-{name}")
        self.replica = Replica(jobs.scene.ledger, says, self.clock, self.clock, timing=BY_HAND)
        self.register = Heartbeats(self.clock)
        self.register.recall = partial(jobs.samples.recent, limit=20)
        self.prober = HeartbeatProber(self.register, self.clock)
        self.watch = Watch(Plan(checks=[JOB]), self.prober, script, jobs.samples, engine, self.clock, member=self.replica)
        self._jobs = jobs

    def listens(self) -> None:
        """Opens its hooks."""
        hooks = doors(
            Config(), [JOB], self.register, self._jobs.scene.ledger, self.clock, self.watch.take,
            member=self.replica, take_told=partial(self.watch.take, stored=True),
        )  # fmt: skip
        assert hooks.signs is not None
        self.told = partial(hooks.signs.record, "beat")

    async def looks(self) -> tuple[Outcome, str | None]:
        sample = await self.prober.probe(JOB)
        return sample.outcome, sample.error


class Jobs:
    """Replicas over one ledger and one store of samples."""

    def __init__(self) -> None:
        self.scene = Scene()
        self.samples = SharedSamples.open()
        self.all: list[One] = []

    async def add(self, *names: str, off: Sequence[timedelta] = ()) -> Sequence[One]:
        for name, its in zip(names, off or [timedelta()] * len(names), strict=True):
            one = One(self, name, its)
            self.all.append(one)
            await one.engine.load()
            await one.replica.start()
            one.listens()
        for one in self.all:
            await one.replica.beat()
            await one.watch.start()
        owner = next(one for one in self.all if one.replica.owns(JOB.component))
        return [owner, *(one for one in self.all if one is not owner)]

    async def passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self.scene.passed += 1
            for one in self.all:
                one.clock.advance(timedelta(seconds=1))
            running = [one for one in self.all if one.runs]
            for one in running:
                await one.replica.beat()
                await one.engine.catch_up()
            for one in running:
                one.watch.beat()
                await one.watch.look()
                for _ in range(TURNS):
                    await asyncio.sleep(0)

    async def written(self, kind: str) -> list[Sample]:
        return [one for one in await self.samples.recent(JOB.id, 100) if one.evidence.get("sign") == kind]


async def test_heartbeat_is_recorded_once() -> None:
    """By the replica that received it, with its time of arrival; the others are told."""
    jobs = Jobs()
    owner, asked, other = await jobs.add("a", "b", "c")
    await asked.told("start", None, "")
    told_at = jobs.scene.now
    await jobs.passes(5)

    assert [told_at] == [sample.at for sample in await jobs.written("start")]
    assert {told_at} == {one.register.job(JOB.id).started[0] for one in (owner, asked, other)}  # type: ignore[index]


async def test_replica_that_does_not_run_a_check_does_not_judge_its_heartbeats() -> None:
    """Its memory of a check that never ran would replace what the owner knows."""
    jobs = Jobs()
    owner, asked = await jobs.add("a", "b")
    await asked.told("fail", 1, "")
    await jobs.passes(5)

    assert [1, 0] == [len(one.watch._tracks.of(JOB.id)) for one in (owner, asked)]


async def test_failure_reported_while_the_next_owner_was_cut_off_counts() -> None:
    """The message is gone after a minute, but the stored sample is not."""
    jobs = Jobs()
    owner, next_one = await jobs.add("a", "b")
    await next_one.told("success", 0, "")
    await jobs.passes(30)
    next_one.runs = False
    await jobs.passes(30)
    await owner.told("fail", 3, "")
    await jobs.passes(90)
    owner.replica.tell("another kind", None)  # with which what is older than a minute is forgotten
    await jobs.passes(2)
    next_one.runs = True
    await jobs.passes(2)
    owner.runs = False
    await jobs.passes(60)

    assert (Outcome.FAIL, "heartbeat_failed") == await next_one.looks()
    assert Level.DOWN is next_one.engine.world.component(JOB.component).level


async def test_heartbeat_while_the_next_owner_was_cut_off_counts() -> None:
    """Five minutes of silence would be too long, but the job did report."""
    jobs = Jobs()
    owner, next_one = await jobs.add("a", "b")
    await next_one.told("success", 0, "")
    await jobs.passes(30)
    next_one.runs = False
    await jobs.passes(210)
    await owner.told("success", 0, "")
    await jobs.passes(90)
    next_one.runs, owner.runs = True, False
    await jobs.passes(120)

    assert (Outcome.OK, None) == await next_one.looks()
    assert Level.OPERATIONAL is next_one.engine.world.component(JOB.component).level


async def test_samples_are_read_before_a_job_counts_as_silent() -> None:
    """A message was lost although all replicas were there: its sender died first."""
    jobs = Jobs()
    owner, other = await jobs.add("a", "b")
    await owner.told("success", 0, "")
    await jobs.passes(200)
    other.replica.tell = lambda kind, body: None  # type: ignore[method-assign]
    await other.told("success", 0, "")
    await jobs.passes(150)
    assert (Outcome.OK, None) == await owner.looks()

    await jobs.passes(200)
    assert (Outcome.FAIL, "heartbeat_missing") == await owner.looks()


async def test_no_job_counts_as_silent_while_samples_cannot_be_read() -> None:
    """The database is away, and another replica may have received a report."""
    jobs = Jobs()
    [owner] = await jobs.add("a")
    await owner.told("success", 0, "")
    jobs.samples.away = True
    await jobs.passes(400)
    sample = await owner.prober.probe(JOB)
    assert (Outcome.INCONCLUSIVE, "what other replicas heard of the job cannot be read yet") == (sample.outcome, sample.reason)

    jobs.samples.away = False
    assert (Outcome.FAIL, "heartbeat_missing") == await owner.looks()


async def test_late_heartbeat_keeps_its_time() -> None:
    """Its receiver could not reach the ledger for four minutes; the next one is due by its own time."""
    jobs = Jobs()
    owner, asked = await jobs.add("a", "b")
    asked.runs = False
    await asked.told("success", 0, "")
    told_at = jobs.scene.now
    await jobs.passes(240)
    asked.runs = True
    await jobs.passes(2)

    ok = owner.register.job(JOB.id).ok
    assert ok is not None
    assert (told_at, 242.0) == (ok[0], owner.clock.monotonic() - ok[1])


async def test_heartbeat_is_dated_by_the_ledgers_clock() -> None:
    """The receiver's clock is two minutes ahead, so it runs no checks, but accepts reports."""
    jobs = Jobs()
    owner, asked = await jobs.add("a", "b", off=[timedelta(), timedelta(minutes=2)])
    await asked.told("start", None, "")
    told_at = jobs.scene.now
    await jobs.passes(10)
    await owner.told("success", 0, "")
    await jobs.passes(2)

    assert [told_at] == [sample.at for sample in await jobs.written("start")]
    assert {None} == {one.register.job(JOB.id).started for one in (owner, asked)}


async def test_messages_before_the_end_of_a_start_are_handled() -> None:
    """The hooks open some moments after a replica has joined."""
    scene = Scene()
    one, other = await scene.joins("a"), scene.add("b")
    await other.start()
    one.tell("sign", "first")
    await scene.passes(2, "a", "b")
    heard: list[Any] = []

    async def hear(body: Any) -> None:
        heard.append(body)

    other.hear("another kind", hear)
    other.hear("sign", hear)
    await scene.passes(2, "a", "b")

    assert ["first"] == heard
    await other.stop()
