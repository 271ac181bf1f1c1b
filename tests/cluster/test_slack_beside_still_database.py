"""People use Slack while PostgreSQL is frozen: every connection is open, and nothing is answered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.sandbox.postgres import MISSING, PostgresServer, a_server, programs
from bot.sandbox.slack import LocalWorkspace
from tests.cluster.versions import Replica
from tests.forks import ROOT
from tests.house import FLAG
from tests.process.rig import WITHIN_S, impatient, surroundings

pytestmark = pytest.mark.skipif(programs() is None, reason=MISSING)


@asynccontextmanager
async def beside_a_still_database(folder: Path) -> AsyncIterator[tuple[LocalWorkspace, PostgresServer]]:
    """A running bot that knows ana, and whose database is frozen."""
    with a_server() as server:
        async with surroundings() as (workspace, vendor):
            bot = Replica(folder)
            bot.configure(impatient(workspace, vendor, {}) | {"store": server.url()})
            await bot.start(ROOT)
            try:
                ana = workspace.person("ana")
                await workspace.connected(within=WITHIN_S)
                await ana.types("/health")
                await ana.waits_for("Open incidents", channel="ops", within=WITHIN_S)
                server.pause(True)
                yield workspace, server
            finally:
                server.pause(False)
                bot.kill()
                await bot.gone()


async def test_question_is_answered_while_the_database_is_frozen(tmp_path: Path) -> None:
    """Within Slack's three seconds, since the answer is in memory."""
    async with beside_a_still_database(tmp_path) as (workspace, _):
        ana = workspace.person("ana")
        await ana.types("/fallback status")
        seen = await ana.waits_for(FLAG, channel="ops", within=WITHIN_S)

    assert "claude" in seen


async def test_command_is_accepted_and_carried_out_once_the_database_resumes(tmp_path: Path) -> None:
    """Slack shows no failure meanwhile, which people would answer by typing it again."""
    async with beside_a_still_database(tmp_path) as (workspace, server):
        ana = workspace.person("ana")
        await ana.types("/incident declare Payments are slow")
        server.pause(False)
        async with asyncio.timeout(WITHIN_S):
            while not made(workspace):
                await asyncio.sleep(0.1)
        await ana.types("/incident list")
        await ana.waits_for("INC-1", channel="ops", within=WITHIN_S)

    assert 1 == len(made(workspace))


def made(workspace: LocalWorkspace) -> list[str]:
    """Names of incident channels."""
    return [one.name for one in workspace.channels() if one.creator == workspace.bot_user_id]
