"""kill -9 between every two steps of opening an incident and switching a flag: nothing is lost or posted twice."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.core.record.fact import Fact
from bot.core.record.incident_facts import Declared
from bot.core.record.room.room_facts import ChannelOpened
from bot.ports import OutboxRow
from tests.house import FLAG
from tests.process.rig import WITHIN_S, Rig, a_rig

IN_THE_LEDGER = [
    f"{when}:{kind}"
    for kind in ("incident.declared", "incident.channel_opened", "incident.posted", "flag.released")
    for when in ("before", "after")
]
AT_SLACK = [
    f"{when} {method} {nth}"
    for method, count in (
        ("conversations.create", 1), ("chat.postMessage", 5), ("conversations.setTopic", 1), ("pins.add", 1),
        ("bookmarks.add", 1), ("conversations.invite", 1), ("chat.update", 1),
    )
    for nth in range(1, count + 1)
    for when in ("before", "after")
]  # fmt: skip


def check(rig: Rig, facts: list[Fact], rows: list[OutboxRow]) -> None:
    """Assert that there is one incident and one channel, and every post exists once."""
    made = [c for c in rig.workspace.channels() if c.creator == rig.workspace.bot_user_id]
    posts = Counter(
        m.metadata["event_payload"]["key"]
        for channel in rig.workspace.channels() for m in channel.messages if m.metadata
    )  # fmt: skip
    assert 1 == sum(isinstance(fact.body, Declared) for fact in facts)
    assert 1 == len(made) == sum(isinstance(fact.body, ChannelOpened) for fact in facts)
    assert {} == {key: count for key, count in posts.items() if count != 1}
    assert [] == [(row.effect.key, row.error) for row in rows if row.state == "dead"]
    posted = {row.effect.key for row in rows if row.state == "done" and row.result.get("ts")}
    assert posted == set(posts)


async def serves(rig: Rig) -> str:
    """The variant that a service reads now; repeats the request until the bot answers."""
    async with asyncio.timeout(WITHIN_S):
        while (found := await rig.ask("POST", f"/ofrep/v1/evaluate/flags/{FLAG}", {"context": {"targetingKey": "t"}})) is None:
            await asyncio.sleep(0.05)
    return str(found["variant"])


@pytest.mark.parametrize("point", [p for p in IN_THE_LEDGER if "flag.released" not in p])
async def test_incident_opens_once_if_the_bot_is_killed_at_a_commit(point: str, tmp_path: Path) -> None:
    """Just before or just after each commit: one channel, every post once, the flag as committed."""
    async with a_rig(tmp_path) as rig:
        rig.vendor.answers = {"anthropic.api": 502}
        await rig.start(point)
        await rig.died()
        await rig.start()
        facts, rows = await rig.until_quiet()

        check(rig, facts, rows)
        assert "gpt" == await serves(rig)


@pytest.mark.parametrize("point", AT_SLACK)
async def test_incident_opens_once_if_the_bot_is_killed_during_a_slack_call(point: str, tmp_path: Path) -> None:
    """Before Slack acted, or after it acted but before its answer arrived."""
    when, method, nth = point.split()
    async with a_rig(tmp_path) as rig:
        seen: Counter[str] = Counter()

        async def deal(called: str, phase: str, args: Mapping[str, Any]) -> None:
            if called == method and phase == when:
                seen[method] += 1
                if seen[method] == int(nth):
                    rig.kill()

        rig.workspace.faults.on_call(deal)
        rig.vendor.answers = {"anthropic.api": 502}
        await rig.start()
        await rig.died()
        await rig.start()
        facts, rows = await rig.until_quiet()

        check(rig, facts, rows)
        assert "gpt" == await serves(rig)


@pytest.mark.parametrize(("point", "expected"), [("before:flag.released", "gpt"), ("after:flag.released", "claude")])
async def test_flag_reads_as_committed_if_the_bot_is_killed_while_switching(point: str, expected: str, tmp_path: Path) -> None:
    """An uncommitted switch did not happen; a committed one did, and the next reader sees it."""
    async with a_rig(tmp_path) as rig:
        rig.vendor.answers = {"anthropic.api": 502}
        await rig.start(point)
        await rig.until_quiet()
        assert "gpt" == await serves(rig)
        await rig.ask("POST", f"/api/v1/flags/{FLAG}/release", {"force": True, "reason": "test"})
        await rig.died()
        await rig.start()

        assert expected == await serves(rig)
