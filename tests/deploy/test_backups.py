"""The backup of docs/running.md: taken from a PostgreSQL in use, restored into an empty database, and whole."""

import re
import shlex
import uuid
from datetime import UTC, datetime
from typing import LiteralString, cast

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
ADDRESS, BY_ADMIN = "postgresql://understudy@db.example.com/", "postgresql://postgres@db.example.com/postgres"


def test_commands_are_those_of_the_page() -> None:
    """A dump, an empty database, and what was dumped into it."""
    assert ["pg_dump", "createdb", "pg_restore", "understudy"] == [one.split()[0] for one in typed()]


def typed() -> list[str]:
    return commands_of(section(page("running.md"), "Backups"))


def made(role: str, database: str) -> list[LiteralString]:
    """Role and database as docs/storage.md has them made: with no right that they do not need."""
    block = re.search(r"```\n(CREATE ROLE .+?)```", section(page("storage.md"), "PostgreSQL"), re.DOTALL)
    assert block
    words = block[1].replace("DATABASE understudy", f"DATABASE {database}").replace("understudy", role)
    return [cast(LiteralString, statement) for statement in words.strip().splitlines()]


async def test_backup_of_a_ledger_in_use_is_restored_whole(postgres_server: PostgresServer) -> None:
    """Facts, states and what is to be sent, and facts can still not be changed."""
    role, before, after = (f"test_{uuid.uuid4().hex}" for _ in range(3))
    with psycopg.connect(postgres_server.url(), autocommit=True) as admin:
        for statement in made(role, before):
            admin.execute(statement)
    owned = postgres_server.url(before, user=role, password="...")
    ledger = await open_postgres_ledger(owned, "test")
    engine = CommittingEngine(ledger, ManualClock(datetime(2026, 3, 20, 12, 0, tzinfo=UTC)), policy(automation="off"))
    await engine.load()
    await engine.handle(Declare(ANA, title="Chat is slow"))
    await engine.handle(EngageFlag(ANA, flag="support-chat.llm", reason="slow"))
    again = postgres_server.url(after, user=role, password="...")
    here = {
        f"{ADDRESS}restored": again, f"{ADDRESS}understudy": owned, BY_ADMIN: postgres_server.url(),
        " restored": f" {after}", "=understudy ": f"={role} ",
    }  # fmt: skip
    for command in typed()[:3]:
        for address, place in here.items():
            command = command.replace(address, place)
        postgres_server.run(*shlex.split(command))
    restored = await open_postgres_ledger(again, "test")

    facts, effects = [[await one.read(look) for one in (ledger, restored)] for look in LOOKS]
    await ledger.close()
    await restored.close()
    assert facts[0]
    assert facts[0] == facts[1]
    assert effects[0] == effects[1]
    with pytest.raises(psycopg.Error, match="never changed"), psycopg.connect(again) as anybody:
        anybody.execute("UPDATE understudy.facts SET kind = 'x'")
