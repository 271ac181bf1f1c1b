"""The terminal's verbs where `store` names a PostgreSQL database: with and without a bot that runs."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox.postgres import PASSWORD, free_port
from tests.cli.deployment import Deployment, a_deployment
from tests.house import FLAG


@pytest.fixture
async def deployment(tmp_path: Path, postgres: str) -> AsyncIterator[Deployment]:
    async with a_deployment(tmp_path) as found:
        found.configure(store=postgres)
        yield found


async def test_verbs_work_without_a_bot(deployment: Deployment) -> None:
    """What they change is in the database, and read from there."""
    assert 0 == (await deployment.verb("incident", "declare", "Claude is slow", "--component", "anthropic.api")).status
    assert 0 == (await deployment.verb("flags", "engage", FLAG, "gpt", "--reason", "down")).status
    verified = await deployment.verb("verify")
    exported = await deployment.verb("export", "1")

    assert (0, "The facts of all 2 streams hold.\n") == (verified.status, verified.out)
    assert "Claude is slow" in exported.out
    assert not list(deployment.data.glob("ledger.db*"))


async def test_doctor_says_how_the_database_stands(deployment: Deployment) -> None:
    """Before the first start and after it; never with the password."""
    before = await deployment.verb("doctor", "--no-slack")
    await deployment.verb("incident", "declare", "Claude is slow")
    after = await deployment.verb("doctor", "--no-slack")

    assert "there is no ledger yet; the first start creates it" in before.out
    assert "PostgreSQL at 127.0.0.1:" in after.out
    assert "SQLite" not in after.out
    assert "its ledger has schema" in after.out
    assert "its fsync or full_page_writes is off" in after.out
    assert "INC-1 is open" in after.out
    assert PASSWORD not in before.out + before.err + after.out + after.err


async def test_a_running_bot_answers_and_its_runs_are_replayed(deployment: Deployment) -> None:
    """`backtest` reads check runs where the bot wrote them."""
    bot = await deployment.ready_bot()
    await bot.sees("operational", "anthropic.api")
    async with asyncio.timeout(20):
        while (replayed := await deployment.verb("backtest")).status:
            await asyncio.sleep(0.1)
    assert 0 == await bot.ends(signal.SIGTERM)

    assert "runs of" in replayed.out
    assert PASSWORD not in bot.output


async def test_a_verb_in_another_folder_names_the_replicas_that_watch(deployment: Deployment, tmp_path: Path) -> None:
    """Whoever types it on a machine without a bot is not told that nobody watches."""
    bot = await deployment.ready_bot()
    elsewhere = ("--data", str(tmp_path / "elsewhere"))
    asked = await deployment.verb("health", *elsewhere)
    done = await deployment.verb("flags", "engage", FLAG, "gpt", "--reason", "down", *elsewhere)
    assert 0 == await bot.ends(signal.SIGTERM)

    assert re.search(r"No bot runs on \S+elsewhere; \S+ runs on the same database. This is what it last recorded.", asked.err)
    assert "runs on the same database. It tells Slack." in done.err


async def test_a_verb_says_at_once_that_the_database_is_away(deployment: Deployment) -> None:
    """A start waits for a minute; somebody at a terminal does not."""
    deployment.configure(store=f"postgresql://understudy@127.0.0.1:{free_port()}/understudy")
    async with asyncio.timeout(20):
        ended = await deployment.verb("health")

    assert (1, True) == (ended.status, "it cannot be reached" in ended.err)
