"""Slack itself is down: flags switch anyway, people are paged another way, and nothing is posted twice later."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.core.record.incident_facts import Declared
from tests.dialogs.talk import Talk
from tests.house import FLAG, House, a_house

CHANNEL = "inc-20260320-0001-claude"


class Pager:
    """A webhook that receives what Apprise's `json://` sends."""

    def __init__(self) -> None:
        self.received: list[dict[str, str]] = []
        self.port = 0

    async def take(self, request: web.Request) -> web.Response:
        self.received.append(json.loads(await request.text()))
        return web.Response()


@pytest.fixture
async def pager() -> AsyncIterator[Pager]:
    """A pager that listens on loopback."""
    pager = Pager()
    app = web.Application()
    app.router.add_post("/hook", pager.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    pager.port = runner.addresses[0][1]
    yield pager
    await runner.cleanup()


@pytest.fixture
async def paged(pager: Pager, tmp_path: Path) -> AsyncIterator[House]:
    """A deployment that notifies the pager."""
    async with a_house(tmp_path, notify=[f"json://127.0.0.1:{pager.port}/hook"]) as house:
        yield house


async def served(house: House) -> str:
    """The variant that a service gets over HTTP."""
    assert house.app is not None
    address = f"{house.app.url}/ofrep/v1/evaluate/flags/{FLAG}"
    async with aiohttp.ClientSession() as session, session.post(address, json={"context": {"targetingKey": "s1"}}) as reply:
        return str((await reply.json())["variant"])


async def test_flags_switch_and_the_pager_is_called_while_slack_is_down(paged: House, pager: Pager) -> None:
    """One page names the new incident and what was switched; Slack gets alert and channel once each when it is back."""
    await paged.workspace.faults.offline()
    await paged.fails("anthropic.api")
    assert "gpt" == await served(paged)
    await paged.passes(minutes=10)
    await paged.workspace.faults.online()
    await paged.quiet()
    await paged.stop()  # pages on their way still go out

    [page] = pager.received
    assert "INC-1 SEV2: Claude API is down" == page["title"]
    assert "front: 3 of 5 checks failed in 60 s: HTTP 502" in page["message"]
    assert f"{FLAG} serves gpt." in page["message"]
    assert "Terminal: understudy incident show INC-1" in page["message"]
    talk = Talk(paged)
    assert 1 == len(talk.alerts())
    assert [1, 1] == [len(talk.said(CHANNEL, words)) for words in ("Confirm on the board", "(automatic), instead of claude")]
    assert 1 == len(talk.cards(CHANNEL))


async def test_recovery_while_slack_is_down_is_posted_later_in_order(paged: House, pager: Pager) -> None:
    """Each line appears once in the channel, and nobody was paged."""
    await paged.fails("anthropic.api")
    await paged.quiet()
    await paged.workspace.faults.offline()
    await paged.recovers("anthropic.api")
    await paged.passes(minutes=12)
    await paged.workspace.faults.online()
    await paged.quiet()

    talk = Talk(paged)
    story = [talk.shows(message).partition("\n")[0] for message in talk.said(CHANNEL)]
    assert [
        "🟢 Claude API is back (since 12:03 UTC). Everything in this incident works again.",
        "INC-1 is monitoring (automatic). Every component is operational again.",
        "🟢 Claude API is operational. Send 10 % of support chat back to claude? (automatic)",
    ] == story[4:]
    assert "🟢 SEV2 · Claude API is back (since 12:03 UTC)." in talk.alert()
    assert 1 == len(talk.alerts())
    assert [] == pager.received


async def test_commands_work_again_when_slack_is_back(paged: House) -> None:
    """The socket reconnects by itself, and the first command is answered."""
    await paged.workspace.faults.offline()
    await paged.workspace.faults.online()
    await paged.workspace.connected(within=10.0)
    answer = await Talk(paged).asks(paged.ana, "/incident declare Payments are slow")
    await paged.quiet()

    assert "INC-1 is declared: Payments are slow." in answer
    assert 1 == len(await Talk(paged).facts(Declared))


async def test_lost_reply_from_slack_does_not_double_a_post(paged: House) -> None:
    """Slack took the alert and made the channel before the connection broke: both are looked up, not repeated."""
    paged.workspace.faults.add("chat.postMessage", "drop_after", times=1)
    paged.workspace.faults.add("conversations.create", "500_after", times=1)
    await paged.fails("anthropic.api")
    await paged.quiet()

    talk = Talk(paged)
    assert 1 == len(talk.alerts())
    assert [CHANNEL] == [c.name for c in paged.workspace.channels() if c.name.startswith("inc-")]
    assert 1 == len(talk.cards(CHANNEL))
