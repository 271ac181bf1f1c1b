"""PostgreSQL freezes, as on a stuck machine: every connection is open, and nothing is answered."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from bot.engine.engine import CommittingEngine
from bot.sandbox.postgres import MISSING, PostgresServer, a_server, programs
from bot.sandbox.world import EPOCH
from bot.store.postgres.ledgers import PostgresLedger, open_postgres_ledger
from bot.store.postgres.patience import Patience
from bot.store.postgres.samples.keeper import PostgresSamples, open_postgres_samples
from bot.system.clock import ManualClock
from bot.watch.plan import Plan
from bot.watch.watch import Watch
from tests.desk import component, policy
from tests.engine.stand import BROKEN, TURNS, Check, Script

pytestmark = pytest.mark.skipif(programs() is None, reason=MISSING)

CHECKS = [Check(f"vendor.{name}.front") for name in ("api", "web", "app")]
BREAKS = CHECKS[0]
POLICY = replace(policy(), components={c.component: component(c.component, c.id, "vendor") for c in CHECKS}, flags={})
INTERVAL_S = 30
SHORT_S = 0.3  # real seconds; longer than a server takes that does not stand still


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with a_server() as running:
        yield running


class Watched:
    """A watch over a real database; domain time is moved by hand, and it acts when the metronome lets it."""

    def __init__(self, ledger: PostgresLedger, samples: PostgresSamples) -> None:
        self.clock = ManualClock(EPOCH)
        self.ledger, self.samples = ledger, samples
        self.script = Script(self.clock)
        self.engine = CommittingEngine(ledger, self.clock, POLICY)
        self.watch = Watch(Plan(checks=CHECKS), self.script, self.script, samples, self.engine, self.clock, ledger=ledger)
        self.under_way: asyncio.Task[None] | None = None

    async def passes(self, seconds: int, *, settles: bool) -> None:
        """`settles`: what a second began ends in it."""
        for _ in range(seconds):
            self.clock.advance(timedelta(seconds=1))
            self.watch.beat()
            if self.under_way is None or self.under_way.done():
                self.under_way = asyncio.create_task(self.watch.look())
            for _ in range(TURNS):
                await asyncio.sleep(0)
            if settles:
                await self.under_way
                await self.watch.idle()

    def impatient(self, answers_within_s: float) -> None:
        """Wait for the database for no longer than that."""
        for part in (self.ledger, self.samples):
            part._patience = Patience(part, answers_within_s=answers_within_s)

    async def counted(self) -> tuple[int, int]:
        """How many looks are stored, and how often a verdict on what breaks was written."""
        stored = [len(await self.samples.recent(check.id, 10_000)) for check in CHECKS]
        facts = await self.ledger.read(lambda store: store.facts(f"component/{BREAKS.component}"))
        return sum(stored), sum(fact.kind == "verdict.changed" for fact in facts)


@pytest.fixture
async def watched(server: PostgresServer) -> AsyncIterator[Watched]:
    name = f"test_{uuid.uuid4().hex}"
    server.run("createdb", "--maintenance-db", server.url(), name)
    ledger = await open_postgres_ledger(server.url(name), "one")
    samples = await open_postgres_samples(server.url(name), "one")
    made = Watched(ledger, samples)
    await made.engine.load()
    await made.watch.start()
    yield made
    await made.watch.stop()
    await ledger.close()
    await samples.close()


@pytest.mark.parametrize("gives_up", [False, True])
async def test_checks_go_on_and_nothing_is_reported_twice(watched: Watched, server: PostgresServer, gives_up: bool) -> None:
    """Even if a caller gave up, and its request is carried out when the database resumes."""
    await watched.passes(2 * INTERVAL_S, settles=True)
    (stored, verdicts), looked = await watched.counted(), len(watched.script.began)
    assert stored == looked

    if gives_up:
        watched.impatient(SHORT_S)
    server.pause(True)
    try:
        watched.script.answers[BREAKS.id] = BROKEN
        await watched.passes(5 * INTERVAL_S, settles=False)
        if gives_up:
            await asyncio.sleep(2 * SHORT_S)
        assert not watched.under_way.done() or gives_up
        for check in CHECKS:
            looks = watched.script.of(check.id)
            assert max(later - sooner for sooner, later in pairwise(looks)) <= INTERVAL_S
        meanwhile = len(watched.script.began) - looked
        assert meanwhile >= 5 * len(CHECKS)
    finally:
        server.pause(False)
    watched.impatient(15.0)
    async with asyncio.timeout(20):
        await watched.under_way
        await watched.watch.idle()
    await watched.passes(INTERVAL_S, settles=True)

    assert (len(watched.script.began), verdicts + 1) == await watched.counted()
    assert "down" == watched.engine.world.component(BREAKS.component).level.value
