"""Complete bots over one ledger: what people see of it, and what a start refuses."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.app import App, build
from bot.config.load import load
from bot.core.answers.base import NotOurs
from bot.core.model import Actor, Level, Verdict
from bot.core.record.sight import Sight
from bot.core.signals import Declare, SightChanged, VerdictReached
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import Clock, SystemClock
from bot.wiring.cluster.identity import require_app
from bot.wiring.parts import Parts, StartRefused
from tests.cluster.stand import FLAG, written
from tests.desk import ANA
from tests.engine.stand import Script
from tests.house import HandTicker, Pager

DETECTOR = Actor.rule("detector")


class Off(SystemClock):
    """A wall clock that is wrong."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> Any:
        return super().now() + self._by


def made(
    folder: Path, ledger: InlineLedger, *, wall: Clock | None = None, new_identity: bool = False, pager: Pager | None = None,
    **changes: Any,
) -> App:  # fmt: skip
    script = Script(SystemClock())  # type: ignore[arg-type] # it only asks what time it is
    parts = Parts(
        ledger=ledger, ticker=HandTicker(), prober=script, fetcher=script, wire_clock=wall, new_identity=new_identity,
        notifier=pager,
    )  # fmt: skip
    return build(load(written(folder, **changes), {}), data=folder / "data", parts=parts)


@pytest.fixture
def ledger() -> InlineLedger:
    return InlineLedger(InlineLedger.open().conn, shared=True)


@asynccontextmanager
async def running(*apps: App) -> AsyncIterator[None]:
    try:
        for app in apps:
            await app.start()
        yield
    finally:
        for app in reversed(apps):
            await app.stop()


async def soon(holds: Callable[[], bool]) -> None:
    """Wait until this holds; replicas renew each second of real time."""
    async with asyncio.timeout(15):
        while not holds():
            await asyncio.sleep(0.05)


async def test_replicas_list_who_is_live_and_who_holds_the_clock(tmp_path: Path, ledger: InlineLedger) -> None:
    """In `/understudy`, in `/readyz` and on the board, in one sentence."""
    one, other = made(tmp_path / "a", ledger), made(tmp_path / "b", ledger)
    async with running(one, other):
        await soon(lambda: "2 replicas" in one.health().parts["replicas"].sentence)

        told = (await one.about()).replicas
        assert told.startswith("2 replicas live: ")
        assert (1, 1) == (told.count("(this one)"), told.count(" holds the clock"))
        async with aiohttp.ClientSession() as session, session.get(f"{one.url}/") as answer:
            assert told in await answer.text()
        assert ("", True) == (one.trouble(), one.health().parts["replicas"].ok)


async def test_replicas_name_differences_of_their_configurations(tmp_path: Path, ledger: InlineLedger) -> None:
    """Each names which parts differ, and what only one of them has. Vantage and addresses may differ."""
    same = made(tmp_path / "a", ledger)
    changed = {**FLAG, "default": "b"}
    differs = made(
        tmp_path / "b", ledger, flags={"chat": changed, "search": FLAG}, server={"listen": "127.0.0.1:0"}, vantage="elsewhere"
    )
    async with running(same, differs):
        await soon(lambda: bool(same.trouble()))

        assert f"{same._setup.replica}: flag chat differs; {same._setup.replica} lacks flag search" in same.trouble()
        await soon(lambda: bool(differs.trouble()))
        mine = differs._setup.replica  # its name is made of the machine's
        assert f"flag chat differs; only {mine} has flag search" in differs.trouble()
        assert not same.health().parts["replicas"].ok


async def test_replica_with_a_wrong_clock_says_so_and_acts_on_no_deadline(tmp_path: Path, ledger: InlineLedger) -> None:
    """It is two minutes ahead, and the other replica holds the clock."""
    wrong = made(tmp_path / "a", TimedByItself(ledger), wall=Off(timedelta(minutes=2)))
    right = made(tmp_path / "b", TimedByItself(ledger))
    async with running(wrong, right):
        await soon(lambda: bool(right.trouble()) and right._store.leads())  # as its parts ask

        assert not wrong._store.leads()
        assert "is 2 min ahead of the database's: it does no checks, and nothing that falls due" in right.trouble()


async def test_one_replica_calls_people_when_all_go_blind(tmp_path: Path, ledger: InlineLedger) -> None:
    """The others learn of it from the ledger, and nobody's phone rings twice."""
    pager = Pager()
    one, other = made(tmp_path / "a", ledger, pager=pager), made(tmp_path / "b", ledger, pager=pager)
    async with running(one, other):
        await soon(lambda: one._store.leads() or other._store.leads())
        leads, follows = (one, other) if one._store.leads() else (other, one)
        assert (await leads.engine.handle(SightChanged(actor=DETECTOR, sight=Sight(True, "no network")))).ok
        await soon(lambda: follows.engine.world.sight.blind)

    assert ["Understudy is blind"] == pager.called


async def test_ledger_of_another_cluster_is_refused_by_name(tmp_path: Path, ledger: InlineLedger) -> None:
    """Two clusters on one database would run each other's incidents."""
    async with running(made(tmp_path / "a", ledger)):
        pass

    app = made(tmp_path / "b", ledger, cluster={"name": "staging"})
    with pytest.raises(StartRefused, match="belongs to the cluster 'understudy', and this one is called 'staging'"):
        await app.start()
    await app.stop()
    async with running(made(tmp_path / "c", ledger, new_identity=True, cluster={"name": "staging"})):
        pass


async def test_ledger_of_another_slack_app_is_refused(ledger: InlineLedger) -> None:
    """It belongs to the first one."""
    await require_app(ledger, "T1/U1", "U1 in Acme")
    await require_app(ledger, "T1/U1", "U1 in Acme")

    with pytest.raises(StartRefused, match="another app in Slack than U2 in Acme"):
        await require_app(ledger, "T1/U2", "U2 in Acme")


async def test_single_process_mentions_no_replicas(tmp_path: Path) -> None:
    """It does not renew either: nothing is written while nothing happens."""
    folder = tmp_path / "a"
    app = build(load(written(folder), {}), data=folder / "data", parts=Parts(ticker=HandTicker()))
    async with running(app):
        await asyncio.sleep(1.2)
        assert ("", False) == ((await app.about()).replicas, "replicas" in app.health().parts)
        assert [] == await app.ledger.read(lambda store: store.replicas(app.clock.now()))
    assert not (folder / "data" / "replica.id").exists()


class TimedByItself(InlineLedger):
    """The same ledger with a correct clock of its own."""

    def __init__(self, ledger: InlineLedger) -> None:
        super().__init__(ledger.conn, shared=True)

    async def write(self, work: Any) -> Any:
        return await super().write(lambda store: work(_Timed(store)))


class _Timed:
    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def renew(self, says: Any, epoch: int, ttl: timedelta, now: Any) -> Any:
        return self._store.renew(says, epoch, ttl, SystemClock().now())

    def lease(self, name: str, holder: str, ttl: timedelta, now: Any) -> Any:
        return self._store.lease(name, holder, ttl, SystemClock().now())

    def replicas(self, now: Any) -> Any:
        return self._store.replicas(SystemClock().now())

    def leases(self, now: Any) -> Any:
        return self._store.leases(SystemClock().now())


async def test_bot_whose_lease_expired_decides_nothing_by_itself(tmp_path: Path, ledger: InlineLedger) -> None:
    """It does not know yet, and others may have taken over. What people say is committed wherever it arrives."""
    async with running(one := made(tmp_path / "a", ledger)):
        [live] = await ledger.read(lambda store: store.replicas(SystemClock().now()))
        await ledger.write(lambda store: store.give_back(live.says.boot))
        down = Verdict("anthropic.api", Level.DOWN, "5 of 5 runs failed")
        assert isinstance(await one.engine.handle(VerdictReached(actor=DETECTOR, verdict=down)), NotOurs)
        assert (await one.engine.handle(Declare(actor=ANA, title="Logins fail"))).ok
        assert Level.DOWN is not one.engine.world.component("anthropic.api").level

        while isinstance(await one.engine.handle(VerdictReached(actor=DETECTOR, verdict=down)), NotOurs):
            await asyncio.sleep(0.05)  # until its next sign of life
        assert Level.DOWN is one.engine.world.component("anthropic.api").level
