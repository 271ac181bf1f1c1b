"""Conversations during a hand-back of a real bot that is killed and reloaded: none changes sides twice."""

import asyncio
import random
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.core.record.fact import Fact
from bot.core.record.flag_facts import ConversationsFollowed, HandBackStepped, Released
from tests.cli.deployment import Bot, a_deployment
from tests.clients.outage import FLAG, FLAGS

KEYS, AT_ONCE = 1_500, 16
HAND_BACK = {"steps": [30, 60, 100], "hold": "2s", "only": "new", "at_most": "8s"}
PLAYS_S = 60.0


class Conversation:
    """One targeting key of a service that may state when the conversation began, in one of several ways."""

    def __init__(self, number: int, began: float) -> None:
        self.began = began
        at = datetime.fromtimestamp(began, UTC)
        self.says = number % 3 < 2
        said = [at.isoformat(), began, None][number % 3]
        self.context = {"conversation": f"c-{number}", "conversation_started_at": said}
        self.reads: list[tuple[float, str]] = []  # when each read ended, and the variant


async def read(bot: Bot, conversations: list[Conversation]) -> None:
    """Read the flag once for each conversation, singly or in bulk; nothing is recorded if the bot does not answer."""
    control, waiting = bot.control, iter(conversations)
    headers = {"Authorization": f"Bearer {control['token']}"}
    async with aiohttp.ClientSession(control["url"], headers=headers) as session:
        await asyncio.gather(*(_read_some(session, waiting) for _ in range(AT_ONCE)))


async def _read_some(session: aiohttp.ClientSession, waiting: Iterator[Conversation]) -> None:
    for one in waiting:
        bulk = random.random() < 0.3
        path = "/ofrep/v1/evaluate/flags" + ("" if bulk else f"/{FLAG}")
        async with session.post(path, json={"context": one.context}) as answer:
            found: Any = await answer.json()
        one.reads.append((time.time(), (found["flags"][0] if bulk else found)["variant"]))


@pytest.mark.timeout(180)
async def test_no_conversation_changes_sides_twice_over_kills_and_reloads(tmp_path: Path) -> None:
    """Conversations begin and end all the time; those that state their start stay until their time is up."""
    flags = {FLAG: FLAGS[FLAG] | {"sticky_by": "conversation", "min_hold": "0s", "hand_back": HAND_BACK}}
    dice = random.Random(7)
    async with a_deployment(tmp_path) as deployment:
        deployment.configure(deployment.settings(flags=flags))
        bot = await deployment.ready_bot()
        assert 0 == (await deployment.verb("flags", "engage", FLAG, "--reason", "Claude fails")).status
        conversations = [Conversation(number, time.time() - dice.uniform(0, 600)) for number in range(KEYS // 2)]
        await read(bot, conversations)
        assert 200 == (await bot.asks("POST", f"/api/v1/flags/{FLAG}/step-back", {})).status

        ends, killed, reloaded = time.time() + PLAYS_S, False, False
        while await serves_two(bot):
            assert time.time() < ends, "the hand-back does not end"
            fresh = [Conversation(len(conversations) + number, time.time()) for number in range(KEYS // 20)]
            conversations += fresh
            await read(bot, [*fresh, *dice.sample(conversations, 200)])
            back = await shares(deployment.facts)
            if not killed and 30 in back:
                killed = await bot.ends(signal.SIGKILL) != 0
                bot = await deployment.ready_bot()
            elif not reloaded and 60 in back:
                deployment.configure(deployment.settings(flags={FLAG: flags[FLAG] | {"sticky_by": "customer"}}))
                reloaded = 0 == (await deployment.verb("reload")).status
                await bot.ready()
        await read(bot, conversations)
        facts = await deployment.facts()

    steps = [fact for fact in facts if isinstance(fact.body, HandBackStepped)]
    assert ([30, 60, 100], True, True) == ([fact.body.share for fact in steps], killed, reloaded)  # type: ignore[attr-defined]
    assert [] == [one.reads for one in conversations if is_wrong_way([side for _, side in one.reads])]
    assert {"claude"} == {one.reads[-1][1] for one in conversations}
    assert [] == [one.context for one in conversations if one.says and left_early(one, facts)]


async def serves_two(bot: Bot) -> bool:
    found = (await bot.asks("POST", f"/ofrep/v1/evaluate/flags/{FLAG}", {"context": {}})).json
    return bool(found["metadata"]["phase"] != "normal")


async def shares(facts: Any) -> list[int]:
    return [fact.body.share for fact in await facts() if isinstance(fact.body, HandBackStepped)]


def is_wrong_way(sides: list[str]) -> bool:
    """Whether the conversation returned to the fallback after it had the default."""
    return "claude" in sides and "gpt" in sides[sides.index("claude") :]


def left_early(one: Conversation, facts: list[Fact]) -> bool:
    """Whether it was running at the first step, and had the default before its time was up."""
    first = next(fact.at.timestamp() for fact in facts if isinstance(fact.body, HandBackStepped))
    followed = next(fact.at.timestamp() for fact in facts if isinstance(fact.body, ConversationsFollowed | Released))
    return one.began < first - 0.001 and any(side == "claude" for at, side in one.reads if at < followed)
