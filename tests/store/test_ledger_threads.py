"""Many callers at once: grouped, each with its own result; and many processes claiming from one file."""

import asyncio
import threading
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.ports import Conflict, Settled, Store
from bot.store.errors import StoreError
from bot.store.ledger import SqlStore
from bot.store.sqlite.engine import connect, sqlite_report
from bot.store.sqlite.ledgers import InlineLedger, open_ledger
from tests.ledger_facts import NOON, commit, declared, effect, fact, queued

LEASE = timedelta(seconds=90)


def put(name: str, value: str = "") -> Any:
    return lambda store: store.put_setting(name, value)


async def test_failing_write_affects_no_other(tmp_path: Path) -> None:
    """Three hundred share a few transactions; the one that fails is rolled back alone."""
    ledger = await open_ledger(tmp_path)

    def fails(store: Store) -> None:
        store.put_setting("half", "done")
        raise LookupError("mine alone")

    def works(n: int) -> Any:
        return lambda store: store.commit(commit(fact(f"flag/{n}", 1)))

    results = await asyncio.gather(*(ledger.write(fails if n == 150 else works(n)) for n in range(300)), return_exceptions=True)

    assert [150] == [n for n, result in enumerate(results) if isinstance(result, BaseException)]
    assert "mine alone" in str(results[150])
    assert 299 == len(await ledger.read(lambda store: store.all_facts()))
    assert await ledger.read(lambda store: store.setting("half")) is None
    await ledger.close()


async def test_waiting_writes_are_grouped(tmp_path: Path) -> None:
    """Whatever arrives during one transaction is committed together next, in order of arrival."""
    ledger = await open_ledger(tmp_path)
    inside, go_on = threading.Event(), threading.Event()
    order: list[int] = []

    def hold(store: Store) -> None:
        inside.set()
        go_on.wait(30)

    def work(n: int) -> Any:
        def run(store: Store) -> None:
            order.append(n)
            store.put_setting(f"{n}", "")

        return run

    held = asyncio.create_task(ledger.write(hold))
    await asyncio.to_thread(inside.wait, 30)
    tasks = [asyncio.create_task(ledger.write(work(n))) for n in range(50)]
    await asyncio.sleep(0)
    go_on.set()
    await tasks[0]

    assert 50 == len([n for n in range(50) if await ledger.read(lambda store, n=n: store.setting(f"{n}")) is not None])  # type: ignore[misc]
    await asyncio.gather(held, *tasks)
    assert list(range(50)) == order
    await ledger.close()


async def test_write_of_a_cancelled_caller_is_carried_out(tmp_path: Path) -> None:
    """Once requested, it cannot be called back half way."""
    ledger = await open_ledger(tmp_path)
    gate = threading.Event()
    held = asyncio.create_task(ledger.write(lambda store: gate.wait(30)))
    task = asyncio.create_task(ledger.write(put("cancelled", "yes")))
    await asyncio.sleep(0)
    task.cancel()
    gate.set()
    await held
    with pytest.raises(asyncio.CancelledError):
        await task
    await ledger.write(put("later"))

    assert "yes" == await ledger.read(lambda store: store.setting("cancelled"))
    await ledger.close()


async def test_closing_waits_for_requested_writes(tmp_path: Path) -> None:
    """Later callers get an error."""
    ledger = await open_ledger(tmp_path)
    tasks = [asyncio.create_task(ledger.write(put(f"{n}", "x"))) for n in range(20)]
    await asyncio.sleep(0)

    await ledger.close()

    await asyncio.gather(*tasks)
    with pytest.raises(StoreError, match="is closed"):
        await ledger.write(put("late"))
    with pytest.raises(StoreError, match="is closed"):
        await ledger.read(lambda store: store.states())
    again = InlineLedger.open(tmp_path / "ledger.db")
    assert {"x"} == {again.store.setting(f"{n}") for n in range(20)}
    await again.close()


async def test_answers_are_true_when_the_disk_is_full(tmp_path: Path) -> None:
    """A confirmed write is there, a refused one left nothing, and the ledger goes on once there is space."""
    ledger = await open_ledger(tmp_path)
    await ledger.write(put("first"))
    pages = await ledger.write(lambda store: store.conn.execute("PRAGMA page_count").fetchone()[0])  # type: ignore[attr-defined]
    await ledger.write(lambda store: store.conn.execute(f"PRAGMA max_page_count = {pages + 4}"))  # type: ignore[attr-defined]

    names = [f"n{n}" for n in range(40)]
    results = await asyncio.gather(*(ledger.write(put(name, "x" * 3_000)) for name in names), return_exceptions=True)

    told_yes = {name for name, result in zip(names, results, strict=True) if not isinstance(result, BaseException)}
    held = {name for name in names if await ledger.read(lambda store, name=name: store.setting(name))}  # type: ignore[misc]
    assert told_yes == held
    assert len(held) < 40
    await ledger.write(lambda store: store.conn.execute("PRAGMA max_page_count = 100000"))  # type: ignore[attr-defined]
    await ledger.write(put("n0", "there is room again"))
    await ledger.close()


async def test_reader_sees_one_snapshot(tmp_path: Path) -> None:
    """Later writes appear in its next read, not half in this one."""
    ledger = await open_ledger(tmp_path)
    await ledger.write(put("a", "1"))
    inside, go_on = threading.Event(), threading.Event()

    def twice(store: Store) -> tuple[str | None, str | None]:
        first = store.setting("a")
        inside.set()
        go_on.wait(30)
        return first, store.setting("a")

    reading = asyncio.create_task(ledger.read(twice))
    await asyncio.to_thread(inside.wait, 30)
    writing = asyncio.create_task(ledger.write(put("a", "2")))
    if sqlite_report().journal_mode == "WAL":
        await writing  # with a rollback journal the writer waits for readers instead
    go_on.set()

    assert ("1", "1") == await reading
    await writing
    assert "2" == await ledger.read(lambda store: store.setting("a"))
    await ledger.close()


def test_row_is_claimed_once_by_eight_racing_claimers(tmp_path: Path) -> None:
    """And the rows of each lane go in order."""
    path = tmp_path / "ledger.db"
    first = InlineLedger.open(path)
    effects = [effect(f"{n % 7}/{n:03}", f"lane {n % 7}") for n in range(140)]
    first.store.commit(queued(*effects))
    claimed: list[tuple[str, str]] = []
    troubles: list[Exception] = []

    def claimer(name: str) -> None:
        conn = connect(path)
        store = SqlStore(conn)
        try:
            while store.next_due(NOON) is not None:
                for row in store.claim(NOON, name, LEASE, 3):
                    claimed.append((row.effect.lane, row.effect.key))
                    assert store.settle(row.id, row.attempt, Settled("done"), NOON)
        except Exception as error:  # noqa: BLE001 # the root of a thread: looked at below
            troubles.append(error)
        finally:
            conn.close()

    threads = [threading.Thread(target=claimer, args=(f"claimer {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    lanes: dict[str, list[str]] = defaultdict(list)
    for lane, key in claimed:
        lanes[lane].append(key)
    assert [] == troubles
    assert sorted(e.key for e in effects) == sorted(key for _, key in claimed)
    assert all(keys == sorted(keys) for keys in lanes.values())
    first.conn.close()


def test_one_incident_opens_in_a_race_of_processes(tmp_path: Path) -> None:
    """They have connections of their own and no common lock; the file enforces the rule."""
    path = tmp_path / "ledger.db"
    first = InlineLedger.open(path)
    outcomes: list[str] = []
    start = threading.Barrier(16)

    def opener(number: int) -> None:
        conn = connect(path)
        start.wait()
        try:
            SqlStore(conn).commit(declared(number))
            outcomes.append("opened")
        except Conflict:
            outcomes.append("conflict")
        finally:
            conn.close()

    threads = [threading.Thread(target=opener, args=(n,)) for n in range(1, 17)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (1, 15) == (outcomes.count("opened"), outcomes.count("conflict"))
    assert 1 == len(first.store.all_facts())
    first.conn.close()
