"""Replicas over a real PostgreSQL: leases use its clock, so these tests take real seconds."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.app import App, build
from bot.cluster.replica import Replica
from bot.config.load import load
from bot.ports import CLOCK, ReplicaInfo
from bot.store.postgres.ledgers import open_postgres_ledger
from bot.system.clock import SystemClock
from bot.wiring.parts import Parts
from tests.cluster.stand import written
from tests.engine.stand import Script
from tests.house import HandTicker
from tests.ledger_facts import effect, queued

A_MINUTE = timedelta(minutes=1)


class Ahead(SystemClock):
    """A machine whose clock is two minutes ahead."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=2)


async def soon(holds: Callable[[], bool], within_s: float = 10.0) -> float:
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.02)
    return asyncio.get_running_loop().time() - began


async def test_clock_lease_is_taken_over_within_five_seconds_of_a_death(postgres: str) -> None:
    """After a clean stop within two."""
    ledgers = [await open_postgres_ledger(postgres, name) for name in "abc"]
    one, two, three = [
        Replica(ledger, ReplicaInfo(name, f"boot-{name}"), SystemClock(), SystemClock())
        for ledger, name in zip(ledgers, "abc", strict=True)
    ]
    for replica in (one, two, three):
        await replica.start()
    assert one.holds(CLOCK)

    for task in one._tasks:
        task.cancel()  # it dies: no more signs of life, and nothing given back
    took_s = await soon(lambda: two.holds(CLOCK) or three.holds(CLOCK))
    assert 1.5 <= took_s < 5.0
    assert not one.alive()

    holder, left = (two, three) if two.holds(CLOCK) else (three, two)
    await holder.stop()
    assert await soon(lambda: left.holds(CLOCK)) < 2.0
    await left.stop()
    for ledger in ledgers:
        await ledger.close()


async def test_wrong_clock_is_measured_against_the_databases(postgres: str) -> None:
    """The replica tells the others, leaves the clock lease to them, and knows the database's time."""
    ledger = await open_postgres_ledger(postgres, "a")
    replica = Replica(ledger, ReplicaInfo("a", "boot-a"), Ahead(), Ahead())
    await replica.start()

    [live] = replica.live
    assert abs(live.says.offset + timedelta(minutes=2)) < timedelta(seconds=1)
    assert abs(replica.time(Ahead().now()) - datetime.now(UTC)) < timedelta(seconds=1)
    await replica.stop()
    await ledger.close()


async def test_effects_of_a_dead_replica_are_taken_over_and_messages_pass(postgres: str) -> None:
    """The same statements as over SQLite, in the other dialect."""
    ledger = await open_postgres_ledger(postgres, "a")
    now = SystemClock().now()

    def work(store: Any) -> list[Any]:
        first = store.renew(ReplicaInfo("a", "boot-a"), 0, timedelta(seconds=3), now)
        store.renew(ReplicaInfo("b", "boot-b"), 0, timedelta(seconds=3), now)
        store.commit(queued(effect("x", "x"), effect("y", "y")))
        mine = store.claim(now, "boot-a", A_MINUTE, 1, first.epoch)
        theirs = store.claim(now, "boot-b", A_MINUTE, 1, 1)
        store.give_back("boot-b")
        late = store.claim(now, "boot-b", A_MINUTE, 1, 1)
        store.pass_on("boot-b", ["news"], now)
        return [
            len(mine), len(theirs), len(late), store.release_claims(now, timedelta(seconds=30)),
            [one.body for one in store.passed_on(0, "boot-a")], [one.says.name for one in store.replicas(now)],
        ]  # fmt: skip

    assert [1, 1, 0, 1, ["news"], ["a"]] == await ledger.write(work)
    await ledger.close()


async def test_complete_bots_share_a_database(postgres: str, tmp_path: Path) -> None:
    """With `store` alone: they know of each other, and the one that stays takes over."""
    apps = [started(tmp_path / name, postgres) for name in "ab"]
    for app in apps:
        await app.start()
    one, other = apps
    await soon(lambda: "2 replicas live" in other.health().parts["replicas"].sentence)
    assert ("", "") == (one.trouble(), other.trouble())

    await one.stop()
    await soon(lambda: "1 replica live" in other.health().parts["replicas"].sentence)
    await soon(lambda: "nobody holds" not in other.health().parts["replicas"].sentence)
    await other.stop()


def started(folder: Path, address: str) -> App:
    script = Script(SystemClock())  # type: ignore[arg-type] # it only asks what time it is
    parts = Parts(ticker=HandTicker(), prober=script, fetcher=script)
    return build(load(written(folder, store=address), {}), data=folder / "data", parts=parts)
