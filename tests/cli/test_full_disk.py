"""A disk that runs full under a running bot: questions are answered, changes are refused by name, flags go on.

The disk is full for real: the kernel lets the bot's process write no file beyond 64 KiB, which its logs of SQLite are past.
"""

import asyncio
import resource
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.deployment import Bot, Deployment, a_deployment
from tests.house import FLAG

ROOM = 64 * 1024  # bytes


def fill_disk(bot: Bot) -> None:
    """From now on this process can add nothing to its files."""
    _, most = resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE, (ROOM, most))


def make_room(bot: Bot) -> None:
    _, most = resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE, (most, most))


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    async with a_deployment(tmp_path) as made:
        made.configure()
        yield made


async def a_full_bot(deployment: Deployment) -> Bot:
    """A bot that watched for a while and has an incident, and whose disk is full since then."""
    bot = await deployment.ready_bot()
    await bot.sees("operational")
    for number in range(8):  # until its log lies beyond what it may still write
        await bot.asks("POST", "/api/v1/incidents", {"title": f"Claude is slow {number}", "components": []})
    assert (deployment.data / "ledger.db-wal").stat().st_size > ROOM
    fill_disk(bot)
    return bot


async def hears(deployment: Deployment, words: str) -> str:
    """What ana is answered."""
    workspace, ana = deployment.workspace, deployment.workspace.person("ana")
    before = len(workspace.team.ephemerals)
    async with asyncio.timeout(10):
        await ana.types(words)
        while len(workspace.team.ephemerals) == before:
            await asyncio.sleep(0.01)
    return workspace.shows(workspace.team.ephemerals[-1])


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("/health", "Claude API"), ("/incident list", "INC-1"), ("/incident show INC-1", "Claude is slow"),
        ("/fallback status", FLAG),
    ],
)  # fmt: skip
async def test_questions_are_answered_in_slack_while_the_disk_is_full(
    question: str, expected: str, deployment: Deployment
) -> None:
    """Whoever asks in the outage gets the answer, not "something broke on my side"."""
    await a_full_bot(deployment)

    assert expected in await hears(deployment, question)


async def test_questions_are_answered_over_http_while_the_disk_is_full(deployment: Deployment) -> None:
    """The terminal verbs use these; services read their flags as before."""
    bot = await a_full_bot(deployment)

    for path in ("status", "incidents", "incidents/1", "incidents/1/timeline", "incidents/1/export", "flags"):
        assert 200 == (await bot.asks("GET", f"/api/v1/{path}")).status, path
    assert "claude" == await bot.serves(FLAG)


async def test_a_change_is_refused_by_name_while_the_disk_is_full(deployment: Deployment) -> None:
    """In Slack and over HTTP: why, that nothing was changed, and what to do."""
    bot = await a_full_bot(deployment)
    told = await hears(deployment, "/incident declare Claude is broken")
    refused = await bot.asks("POST", f"/api/v1/flags/{FLAG}/engage", {"reason": "slow"})

    assert "The disk is full, nothing was changed. Flags stay as they are; make room where Understudy runs" in told
    assert (503, "The disk is full, nothing was changed.") == (refused.status, refused.json["text"])
    assert "claude" == await bot.serves(FLAG)


async def test_changes_are_taken_again_when_there_is_room(deployment: Deployment) -> None:
    """Without a restart."""
    bot = await a_full_bot(deployment)
    assert 503 == (await bot.asks("POST", f"/api/v1/flags/{FLAG}/engage", {"reason": "slow"})).status
    make_room(bot)

    assert 200 == (await bot.asks("POST", f"/api/v1/flags/{FLAG}/engage", {"reason": "slow"})).status
    assert "gpt" == await bot.serves(FLAG)
