"""A replica's own decisions are committed only while it may make them; a refused one affects no other signal."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import pytest

from bot.core import signals as s
from bot.core.answers.base import Answer, NotOurs
from bot.core.model import Actor, Level, Verdict
from bot.core.record.sight import Sight
from bot.core.signals import SIGNALS, Duty
from bot.engine.engine import CommittingEngine
from bot.ports import CLOCK, Fence, ReplicaInfo, Store
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock
from tests.desk import ANA, START, policy
from tests.ledger_facts import FEED

API, WEB = "anthropic.api", "anthropic.web"
DETECTOR, MONITOR = Actor.rule("detector"), Actor("operator", "grafana", "grafana")
AN_HOUR = timedelta(hours=1)

T = TypeVar("T")


def verdict(component: str = API) -> s.VerdictReached:
    return s.VerdictReached(actor=DETECTOR, verdict=Verdict(component, Level.DOWN, "5 of 5 runs failed"))


def alert(key: str) -> s.Alerted:
    return s.Alerted(MONITOR, source="grafana", key=key, component=API, state="firing", title="5xx")


class Paused(InlineLedger):
    """A shared ledger before whose writes the process may pause while the world goes on."""

    def __init__(self, conn) -> None:  # type: ignore[no-untyped-def] # as the other one
        super().__init__(conn, shared=True)
        self.meanwhile: list[Callable[[], Awaitable[object]] | None] = []

    async def write(self, work: Callable[[Store], T]) -> T:
        await asyncio.sleep(0)
        if self.meanwhile and (what := self.meanwhile.pop(0)) is not None:
            await what()
        return await super().write(work)


@dataclass
class Two:
    """A live replica that holds the clock, another one, and what the first believes of itself."""

    conn: InlineLedger = field(default_factory=InlineLedger.open)
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    epoch: int = 1

    def __post_init__(self) -> None:
        self.ledger = Paused(self.conn.conn)
        self.elsewhere = InlineLedger(self.conn.conn, shared=True)
        self.engine = CommittingEngine(self.ledger, self.clock, policy(), fence=self._fence)
        self.other = CommittingEngine(self.elsewhere, self.clock, policy())

    def _fence(self, duty: Duty) -> Fence:
        return Fence("a", self.epoch, 1 if duty is Duty.CLOCK else None)

    async def opened(self) -> "Two":
        await self.elsewhere.write(self._joined)
        await self.engine.load()
        await self.other.load()
        return self

    def _joined(self, store: Store) -> None:
        store.renew(ReplicaInfo("host-a", "a"), 0, AN_HOUR, self.clock.now())
        store.lease(CLOCK, "a", AN_HOUR, self.clock.now())

    async def is_over(self) -> None:
        """Its time is over, and it does not know."""
        await self.elsewhere.write(lambda store: store.give_back("a"))

    async def loses_the_clock(self) -> None:
        """It is alive still."""

        def work(store: Store) -> None:
            store.give_back("a")
            store.lease(CLOCK, "b", AN_HOUR, self.clock.now())
            self.epoch = store.renew(ReplicaInfo("host-a", "a"), 1, AN_HOUR, self.clock.now()).epoch

        await self.elsewhere.write(work)

    async def somebody_commits(self) -> None:
        """At the other replica."""
        await self.other.handle(alert("elsewhere"))

    async def both(self, *signals: s.Signal) -> list[Answer]:
        return list(await asyncio.gather(*map(self.engine.handle, signals)))

    def alerts(self) -> set[str]:
        return {id.removeprefix("grafana/") for id in self.engine.world.component(API).alerts}


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    made = await Two().opened()
    yield made
    await made.conn.close()


def test_only_a_replicas_own_decisions_are_fenced() -> None:
    """What people say, alerts from outside and results of effects are true whichever replica receives them."""
    fenced = {kind: kind.DUTY for kind in SIGNALS if kind.DUTY is not Duty.HEARD}
    assert fenced == {
        s.VerdictReached: Duty.SHARE, s.FeedRead: Duty.SHARE, s.SightChanged: Duty.CLOCK, s.TimePassed: Duty.CLOCK,
        s.RehearsalEnded: Duty.CLOCK, s.ReadersCounted: Duty.CLOCK, s.OutcomesCounted: Duty.CLOCK,
        s.HandBackMeasured: Duty.CLOCK,
    }  # fmt: skip


async def test_verdict_of_a_live_replica_is_committed(two: Two) -> None:
    """The fence does not get in its way."""
    answer = await two.engine.handle(verdict())
    assert answer.changed
    assert Level.DOWN is two.engine.world.component(API).level


BY_ITSELF = [
    verdict(),
    s.SightChanged(actor=DETECTOR, sight=Sight(blind=True, reason="no way out", began_at=START)),
    FEED,
]


@pytest.mark.parametrize("signal", BY_ITSELF, ids=lambda signal: type(signal).__name__)
async def test_decision_of_an_expired_replica_is_dropped(two: Two, signal: s.Signal) -> None:
    """It was paused between checking its lease and the commit; that is no error, and nothing is written."""
    before = await two.elsewhere.read(lambda store: store.position())
    two.ledger.meanwhile = [two.is_over]
    assert isinstance(await two.engine.handle(signal), NotOurs)
    assert before == await two.elsewhere.read(lambda store: store.position())
    assert Level.DOWN is not two.engine.world.component(API).level


async def test_decision_from_an_earlier_epoch_is_dropped(two: Two) -> None:
    """The replica is alive again, but another one may have been responsible in between."""
    two.ledger.meanwhile = [two.loses_the_clock]
    asked = asyncio.create_task(two.engine.handle(verdict()))
    assert isinstance(await asked, NotOurs)
    assert 2 == two.epoch
    assert (await two.engine.handle(verdict())).changed


async def test_replica_without_the_clock_acts_on_no_deadline(two: Two) -> None:
    """It is alive and in its epoch, but deadlines are another replica's."""
    await two.engine.handle(s.Mute(ANA, component=API, lasts=timedelta(minutes=5)))
    two.clock.advance(timedelta(minutes=6))
    await two.loses_the_clock()
    assert isinstance(await two.engine.handle(s.TimePassed(actor=DETECTOR)), NotOurs)
    assert not isinstance(await two.other.handle(s.TimePassed(actor=DETECTOR)), NotOurs)


async def test_refused_decision_affects_no_other_signal_of_its_batch(two: Two) -> None:
    """It was decided between alerts of other monitors."""
    two.ledger.meanwhile = [two.is_over]
    answers = await two.both(alert("a"), verdict(), alert("b"), verdict(WEB), alert("c"))
    assert [False, True, False, True, False] == [isinstance(answer, NotOurs) for answer in answers]
    assert {"a", "b", "c"} == two.alerts()
    assert {Level.DOWN} & {two.engine.world.component(id).level for id in (API, WEB)} == set()


async def test_fenced_and_unfenced_signals_share_a_commit(two: Two) -> None:
    """As before, with the fence of the one."""
    before = await two.elsewhere.read(lambda store: store.position())
    answers = await two.both(alert("a"), verdict(), alert("b"))
    assert [True] * 3 == [answer.changed for answer in answers]
    assert {"a", "b"} == two.alerts()
    assert before < await two.elsewhere.read(lambda store: store.position())


async def test_replica_that_expires_during_a_conflict_writes_nothing(two: Two) -> None:
    """It decides again inside the ledger, when its lease has expired."""
    two.ledger.meanwhile = [two.somebody_commits, two.is_over]
    assert isinstance(await two.engine.handle(verdict()), NotOurs)
    assert Level.DOWN is not two.engine.world.component(API).level

    two.ledger.meanwhile = [two.somebody_commits]
    assert (await two.engine.handle(alert("mine"))).ok
    assert {"elsewhere", "mine"} == two.alerts()
