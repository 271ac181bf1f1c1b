"""Four processes over one PostgreSQL: whatever must happen once is done by one of them."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from bot.ports import RowState
from bot.store.postgres.ledgers import open_postgres_ledger
from tests.ledger_facts import effect, queued

ROOT = Path(__file__).resolve().parents[3]
PROCESSES = 4


async def race(what: str, address: str, number: int) -> list[list[str]]:
    """What each process won."""
    racers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.store.postgres.racer", what, str(who), str(number),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
        )
        for who in range(PROCESSES)
    ]  # fmt: skip
    said = await asyncio.gather(*(racer.communicate(address.encode()) for racer in racers))
    assert [0] * PROCESSES == [racer.returncode for racer in racers]
    return [json.loads(out) for out, _ in said]


async def test_each_effect_is_claimed_by_one_process(postgres: str) -> None:
    """2,000 rows, four senders, and no message is sent twice."""
    ledger = await open_postgres_ledger(postgres, "race")
    try:
        await ledger.write(lambda store: store.commit(queued(*(effect(f"key {n}", f"lane {n}") for n in range(2_000)))))
        won = await race("claim", postgres, 2_000)

        counted = Counter(key for keys in won for key in keys)
        assert {f"key {n}": 1 for n in range(2_000)} == counted
        assert 2_000 == len(await ledger.read(lambda store: store.outbox(RowState.SENDING)))
    finally:
        await ledger.close()


async def test_racing_processes_open_one_incident_per_provider(postgres: str) -> None:
    """Four replicas see the same outages at once."""
    won = await race("open", postgres, 100)

    ledger = await open_postgres_ledger(postgres, "race")
    try:
        assert {f"provider {n}": 1 for n in range(100)} == Counter(key for keys in won for key in keys)
        assert 100 == len(await ledger.read(lambda store: store.open_incidents()))
        assert list(range(1, 101)) == [fact.seq for fact in await ledger.read(lambda store: store.facts("flag/all"))]
        assert 200 == await ledger.read(lambda store: store.position())
    finally:
        await ledger.close()
