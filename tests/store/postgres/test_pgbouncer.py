"""Behind PgBouncer, which many put before PostgreSQL: in session mode everything works."""

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.ports import StoreError
from bot.sandbox.postgres import PASSWORD, USER, PostgresServer, free_port
from bot.store.postgres.ledgers import PostgresLedger, open_postgres_ledger
from bot.store.postgres.samples.keeper import open_postgres_samples
from tests.ledger_facts import commit, fact

PGBOUNCER = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
pytestmark = pytest.mark.skipif(
    not Path(PGBOUNCER).exists(), reason="NOT TESTED behind PgBouncer: it is missing (Debian: apt-get install pgbouncer)"
)


@pytest.fixture
async def through(postgres: str, postgres_server: PostgresServer) -> AsyncIterator[Callable[[str], str]]:
    """Returns the database's address through a PgBouncer in the given mode."""
    folder = Path(tempfile.mkdtemp(prefix="understudy-pgbouncer-"))
    folder.chmod(0o755)  # it does not run as root
    running: list[subprocess.Popen[bytes]] = []

    def start(mode: str) -> str:
        port = free_port()
        settings = folder / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host=127.0.0.1 port={postgres_server.port} user={USER} password={PASSWORD}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
            f"pool_mode = {mode}\ndefault_pool_size = 20\n"
        )
        user = "nobody" if os.geteuid() == 0 else None
        with (folder / "said").open("wb") as said:
            running.append(subprocess.Popen([PGBOUNCER, str(settings)], user=user, stdout=said, stderr=said))
        wait_for(port)
        return postgres.replace(f":{postgres_server.port}/", f":{port}/")

    yield start
    for process in running:
        process.terminate()
        process.wait(10)
    shutil.rmtree(folder)


def wait_for(port: int) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


async def opened(stack: AsyncExitStack, address: str, name: str) -> PostgresLedger:
    ledger = await open_postgres_ledger(address, name)
    stack.push_async_callback(ledger.close)
    return ledger


async def test_replicas_share_a_ledger_through_pgbouncer(through: Callable[[str], str]) -> None:
    """Each sees and hears the others' commits."""
    address = through("session")
    async with AsyncExitStack() as stack:
        one, two = [await opened(stack, address, name) for name in ("one", "two")]
        heard = asyncio.Event()
        two.on_commit(heard.set)

        await one.write(lambda store: store.commit(commit(fact("flag/a", 1))))
        await asyncio.wait_for(heard.wait(), 5)
        await two.write(lambda store: store.commit(commit(fact("flag/a", 2))))

        assert 2 == await one.read(lambda store: store.position())
        samples = await open_postgres_samples(address, "one")
        await samples.close()


async def test_pgbouncer_in_transaction_mode_is_refused(through: Callable[[str], str]) -> None:
    """There session settings belong to somebody else, and nobody would hear of commits."""
    with pytest.raises(StoreError, match="session"):
        await open_postgres_ledger(through("transaction"), "one")
