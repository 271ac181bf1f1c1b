"""The backup of docs/running.md: taken from a PostgreSQL in use, restored into an empty database, and whole."""

import shlex
import uuid
from datetime import UTC, datetime

import psycopg
import pytest

from bot.core.model import Actor
from bot.core.signals import Declare, EngageFlag
from bot.engine.engine import CommittingEngine
from bot.sandbox.postgres import PostgresServer
from bot.store.postgres.ledgers import open_postgres_ledger
from bot.system.clock import ManualClock
from tests.desk import policy
from tests.test_docs import commands_of, page, section

ANA = Actor.operator("ana")
LOOKS = (lambda store: store.all_facts(), lambda store: store.outbox())
ADDRESS = "postgresql://understudy@db.example.com/"


def test_commands_are_those_of_the_page() -> None:
    """A dump, an empty database, and what was dumped into it."""
    assert ["pg_dump", "createdb", "pg_restore", "understudy"] == [one.split()[0] for one in typed()]


def typed() -> list[str]:
    return commands_of(section(page("running.md"), "Backups"))


async def test_backup_of_a_ledger_in_use_is_restored_whole(postgres_server: PostgresServer) -> None:
    """Facts, states and what is to be sent, and facts can still not be changed."""
    before, after = f"test_{uuid.uuid4().hex}", f"test_{uuid.uuid4().hex}"
    postgres_server.run("createdb", "--maintenance-db", postgres_server.url(), before)
    ledger = await open_postgres_ledger(postgres_server.url(before), "test")
    engine = CommittingEngine(ledger, ManualClock(datetime(2026, 3, 20, 12, 0, tzinfo=UTC)), policy(automation="off"))
    await engine.load()
    await engine.handle(Declare(ANA, title="Chat is slow"))
    await engine.handle(EngageFlag(ANA, flag="support-chat.llm", reason="slow"))
    here = {f"{ADDRESS}restored": postgres_server.url(after), f"{ADDRESS}understudy": postgres_server.url(before)}
    for command in typed()[:3]:
        for address, place in {**here, " restored": f" {after}"}.items():
            command = command.replace(address, place)
        postgres_server.run(*shlex.split(command))
    restored = await open_postgres_ledger(postgres_server.url(after), "test")

    facts, effects = [[await one.read(look) for one in (ledger, restored)] for look in LOOKS]
    await ledger.close()
    await restored.close()
    assert facts[0]
    assert facts[0] == facts[1]
    assert effects[0] == effects[1]
    with pytest.raises(psycopg.Error, match="never changed"), psycopg.connect(postgres_server.url(after)) as anybody:
        anybody.execute("UPDATE understudy.facts SET kind = 'x'")
