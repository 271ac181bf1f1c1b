"""The database's disk is full: this is reported, nothing acknowledged is lost, and work resumes once there is space."""

import asyncio
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from bot.core.record.incident_facts import NoteAdded
from bot.ports import StoreError, StoreTrouble
from bot.sandbox.postgres import MISSING, PostgresServer, programs
from bot.store.postgres.ledgers import PostgresLedger, open_postgres_ledger
from tests.ledger_facts import commit, fact

pytestmark = pytest.mark.skipif(programs() is None, reason=MISSING)

SIZE_MB, LEFT = 160, 1_000_000
LONG = 60_000  # characters that nothing compresses
WITHIN_S = 30.0


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server with a small disk of its own."""
    made = PostgresServer(durable=True, settings={"max_wal_size": "48MB", "min_wal_size": "32MB"})
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(made.folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        shutil.rmtree(made.folder, ignore_errors=True)
        pytest.skip("NO SMALL DISK: it takes the right to mount one")
    try:
        shutil.chown(made.folder, "postgres")
        made.create()
        made.start()
        yield made
        made.stop()
    finally:
        subprocess.run(["umount", "--lazy", str(made.folder)], check=False)
        shutil.rmtree(made.folder, ignore_errors=True)


async def test_full_disk_loses_nothing_and_work_resumes(server: PostgresServer) -> None:
    """Whether the server refuses the statement or restarts."""
    ledger = await open_postgres_ledger(server.url(), "one")
    try:
        filler = server.folder / "filler"
        free = shutil.disk_usage(server.folder).free
        filler.write_bytes(bytes(max(0, free - LEFT)))
        written, error = await fill(ledger)
        filler.unlink()
        seq = await goes_on(ledger)
        held = await ledger.read(lambda store: [kept.seq for kept in store.facts("incident/1")])
    finally:
        await ledger.close()

    assert error.kind in (StoreTrouble.FULL, StoreTrouble.AWAY), error
    assert written < seq
    assert list(range(1, seq + 1)) == held


async def fill(ledger: PostgresLedger) -> tuple[int, StoreError]:
    """Write until an error; returns how many writes were acknowledged, and the error."""
    for seq in range(1, 10_000):
        body = NoteAdded(secrets.token_hex(LONG // 2))
        try:
            await ledger.write(lambda store, seq=seq, body=body: store.commit(commit(fact("incident/1", seq, body))))  # type: ignore[misc] # bound early
        except StoreError as error:
            return seq - 1, error
    raise AssertionError("the disk never was full")


async def goes_on(ledger: PostgresLedger) -> int:
    """The number of the first fact that is accepted again."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            try:
                seq = await ledger.read(lambda store: len(store.facts("incident/1"))) + 1
                await ledger.write(lambda store, seq=seq: store.commit(commit(fact("incident/1", seq))))  # type: ignore[misc] # bound early
            except StoreError:
                await asyncio.sleep(0.2)
            else:
                return seq
