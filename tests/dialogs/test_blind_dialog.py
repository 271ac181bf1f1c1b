"""Our own network is cut: one notice, no incident, no flag change; a real outage behind it is reported afterwards."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.core.record.incident_facts import Declared
from bot.core.record.sight import SightLost
from bot.sandbox.vendor.doors import Door
from tests.dialogs.talk import Talk
from tests.house import FLAG, House, a_house

PROVIDERS = {"anthropic": "Claude", "openai": "OpenAI", "gemini": "Gemini"}
CONTROLS = ("one", "two")


class Town:
    """A bot, and servers on real ports that can be cut off; `doors` maps a provider or control to its server."""

    def __init__(self, house: House, doors: dict[str, Door], pages: list[dict[str, str]]) -> None:
        self.house = house
        self.talk = Talk(house)
        self.doors = doors
        self.pages = pages  # what the out-of-band notifier got

    async def cut(self, *names: str) -> None:
        """Close the named servers, or all of them."""
        for name in names or self.doors:
            await self.doors[name].close()

    async def mend(self, *names: str) -> None:
        """Open the servers again."""
        for name in names or self.doors:
            await self.doors[name].open()

    async def served(self) -> str:
        """The variant that a service gets over HTTP."""
        assert self.house.app is not None
        address = f"{self.house.app.url}/ofrep/v1/evaluate/flags/{FLAG}"
        async with aiohttp.ClientSession() as session, session.post(address, json={"context": {"targetingKey": "s"}}) as reply:
            return str((await reply.json())["variant"])

    async def incidents(self) -> list[str]:
        """The titles of all incidents declared so far."""
        return [fact.body.title for fact in await self.talk.facts(Declared) if isinstance(fact.body, Declared)]

    async def notices(self) -> list[str]:
        """The bot's own messages in #ops, once everything has been sent."""
        await self.house.quiet()
        return [self.talk.shows(message) for message in self.talk.said("ops")]


@asynccontextmanager
async def a_town(folder: Path, *, providers: int, controls: bool) -> AsyncIterator[Town]:
    """A healthy town with that many providers, with or without the control group."""
    async with AsyncExitStack() as stack:
        pages: list[dict[str, str]] = []
        names = [*list(PROVIDERS)[:providers], *(CONTROLS if controls else ())]
        doors = {name: Door(_app(), "127.0.0.1") for name in names}
        pager = Door(_app(pages), "127.0.0.1")
        for door in (*doors.values(), pager):
            await door.set_up()
            stack.push_async_callback(door.tear_down)
        changes: dict[str, Any] = {
            "providers": {key: _provider(key, doors[key]) for key in list(PROVIDERS)[:providers]},
            "notify": [f"json{pager.base.removeprefix('http')}/hook"],
        }
        if controls:
            changes["control_group"] = [_check(name, doors[name]) for name in CONTROLS]
        house = await stack.enter_async_context(a_house(folder, **changes))
        yield Town(house, doors, pages)


def _app(received: list[dict[str, str]] | None = None) -> web.Application:
    async def answer(request: web.Request) -> web.Response:
        if received is not None:
            received.append(json.loads(await request.text()))
        return web.json_response({})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    return app


def _provider(key: str, door: Door) -> dict[str, Any]:
    return {"name": PROVIDERS[key], "components": {"api": {"name": f"{PROVIDERS[key]} API", "checks": [_check("front", door)]}}}


def _check(name: str, door: Door) -> dict[str, Any]:
    return {"type": "http", "name": name, "url": f"{door.base}/", "every": "30s", "deadline": "5s"}


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """Two providers and a control group of two."""
    async with a_town(tmp_path, providers=2, controls=True) as found:
        yield found


async def test_unreachable_network_posts_one_notice_and_no_incident(town: Town) -> None:
    """Providers and controls vanish together: Slack and the out-of-band notifier both say why nothing opens, and flags stay."""
    await town.cut()
    await town.house.passes(minutes=10)

    [notice] = await town.notices()
    assert notice.startswith("⚪ We have been blind since 12:01 UTC: both controls are unreachable.")
    assert "Until then no vendor incident opens and no flag switches by itself." in notice
    assert [] == await town.incidents()
    assert "claude" == await town.served()
    assert [] == [channel.name for channel in town.house.workspace.channels() if channel.name.startswith("inc-")]
    await town.house.stop()  # pages on their way still go out
    assert ["Understudy is blind"] == [page["title"] for page in town.pages]
    assert "both controls are unreachable" in town.pages[0]["message"]


async def test_board_says_unknown_while_the_bot_is_blind(town: Town) -> None:
    """It shows neither operational nor down, since nobody can tell."""
    await town.cut()
    await town.house.passes(minutes=2)
    board = await town.talk.asks(town.house.ana, "/health")

    assert 2 == board.count("unknown since")
    assert "⚪ We have been blind since 12:01 UTC: both controls are unreachable." in board


async def test_recovered_network_posts_one_reply_under_the_notice(town: Town) -> None:
    """The reply says how long the bot was blind; nothing else follows."""
    await town.cut()
    await town.house.passes(minutes=5)
    await town.mend()
    await town.house.passes(minutes=10)

    assert 1 == len(await town.notices())
    thread = town.talk.thread("ops", "We have been blind")
    assert 1 == thread.count("We can see again since")
    assert "We were blind for" in thread
    assert [] == await town.incidents()
    await town.house.stop()
    assert ["Understudy is blind", "Understudy sees again"] == [page["title"] for page in town.pages]


async def test_outage_hidden_by_our_network_opens_once_it_recovers(town: Town) -> None:
    """The provider's own outage opens one incident and switches its flag when the bot can see again."""
    await town.cut()
    await town.house.passes(minutes=5)
    assert "claude" == await town.served()
    await town.mend("openai", *CONTROLS)
    await town.house.passes(minutes=4)

    notices = await town.notices()
    assert ["Claude API is down"] == await town.incidents()
    assert "gpt" == await town.served()
    assert 2 == len(notices)
    assert "SEV2 · Claude API" in notices[1]
    assert "the connection was refused" in Talk(town.house).evidence()


async def test_provider_failing_alone_opens_an_incident_at_once(town: Town) -> None:
    """The bot asks the controls as soon as it doubts its network, and they answer."""
    await town.cut("anthropic")
    await town.house.passes(minutes=2)

    [alert] = await town.notices()
    assert ["Claude API is down"] == await town.incidents()
    assert "It's Claude, not us." in alert
    assert "gpt" == await town.served()
    assert [] == await town.talk.facts(SightLost)


async def test_failing_controls_do_not_matter_while_another_provider_answers(tmp_path: Path) -> None:
    """An answer from any provider proves that our own network works."""
    async with a_town(tmp_path, providers=2, controls=True) as town:
        await town.cut(*CONTROLS)
        await town.house.passes(minutes=5)
        assert [] == await town.notices()  # all providers answer, so two failing controls are no news
        await town.cut("anthropic")
        await town.house.passes(minutes=5)

        assert [] == await town.talk.facts(SightLost)
        assert ["Claude API is down"] == await town.incidents()


async def test_three_providers_failing_at_once_open_no_incidents(tmp_path: Path) -> None:
    """Without a control group, three unrelated providers failing together point to our own network."""
    async with a_town(tmp_path, providers=3, controls=False) as town:
        await town.cut()
        await town.house.passes(minutes=5)

        [notice] = await town.notices()
        assert notice.startswith("⚪ We have been blind since 12:01 UTC: all 3 providers became unreachable at once.")
        assert [] == await town.incidents()
        assert "claude" == await town.served()

        await town.mend()
        await town.house.passes(minutes=5)
        assert 1 == len(await town.notices())
        assert 1 == town.talk.thread("ops", "We have been blind").count("We can see again since")
        assert [] == await town.incidents()


async def test_two_providers_failing_at_once_open_two_incidents(tmp_path: Path) -> None:
    """Two failures are too few to blame our own network."""
    async with a_town(tmp_path, providers=2, controls=False) as town:
        await town.cut()
        await town.house.passes(minutes=3)
        await town.house.quiet()

        assert [] == await town.talk.facts(SightLost)
        assert {"Claude API is down", "OpenAI API is down"} == set(await town.incidents())
