"""A process paused on its way to Slack does not begin a request that another replica may have taken over."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.ports import ChatError
from bot.ports.performers import LeaseLost, lease_checked_by
from bot.slack.client import SlackApi


class Looks:
    """Says yes this many times, then no."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.asked = 0

    def __call__(self) -> None:
        self.asked += 1
        if self.asked > self.left:
            raise LeaseLost("lost")


@pytest.fixture
async def slack() -> object:
    """A server that counts the requests that arrive complete."""
    app, taken = web.Application(), []

    async def take(request: web.Request) -> web.Response:
        taken.append(await request.text())
        return web.json_response({"ok": True, "ts": "1.2", "channel": "C1"})

    app.router.add_post("/api/{method}", take)
    async with TestServer(app) as server:
        api = SlackApi(str(server.make_url("/api/")), "xoxb-1")
        yield api, taken
        await api.close()


async def test_lease_is_checked_again_before_the_request_is_written(slack: tuple[SlackApi, list[str]]) -> None:
    """Before the call, and after each wait: for a connection, a name, a handshake."""
    api, taken = slack
    look = Looks(100)
    with lease_checked_by(look):
        await api.call(api.web.chat_postMessage, channel="C1", text="hello")

    assert 1 == len(taken)
    for left in range(look.asked):
        with (
            pytest.raises((LeaseLost, ChatError)),
            lease_checked_by(Looks(left)),
        ):  # the client wraps what is raised during a request
            await api.call(api.web.chat_postMessage, channel="C1", text="hello")
    assert (3, 1) == (look.asked, len(taken))


async def test_calls_outside_the_outbox_check_no_lease(slack: tuple[SlackApi, list[str]]) -> None:
    """A reply to a person has no row that another replica might take."""
    api, taken = slack

    await api.call(api.web.chat_postMessage, channel="C1", text="hello")

    assert 1 == len(taken)
