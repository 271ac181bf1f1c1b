"""A furnished workspace, and the Slack SDK's real client for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import LocalWorkspace, Person, Settings

EVERY_SCOPE = (
    "app_mentions:read",
    "bookmarks:read",
    "bookmarks:write",
    "channels:history",
    "channels:join",
    "channels:manage",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "groups:write",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "mpim:read",
    "mpim:write",
    "pins:read",
    "pins:write",
    "reactions:read",
    "usergroups:read",
    "users:read",
)
# Limits low enough for a test to reach, with a burst that no test hits by accident.
SETTINGS = Settings(
    messages_burst=1000,
    blocks_max_chars=13_200,
    pins_max=2,
    bookmarks_max=2,
    view_max_bytes=20_000,
    file_max_bytes=2_000_000,
    file_share_after_s=0.01,
    ack_within_s=0.3,
    event_retries_after_s=(0.0, 0.05),
)


@dataclass
class Stage:
    """A workspace with a little of everything in it."""

    ws: LocalWorkspace
    client: AsyncWebClient
    ana: Person
    ben: Person
    ops: str  # ana, ben and the bot
    hall: str  # ana and ben
    secret: str  # ana alone, private
    den: str  # ana and the bot, private

    async def post(self, text: str = "hello", **fields: object) -> str:
        """Post a message of the bot in #ops; return its ts."""
        return str((await self.client.chat_postMessage(channel=self.ops, text=text, **fields))["ts"])

    async def archived(self, name: str = "old") -> str:
        """A channel that the bot made and archived."""
        channel = str((await self.client.conversations_create(name=name))["channel"]["id"])
        await self.client.conversations_archive(channel=channel)
        return channel

    def trigger(self, person: Person | None = None) -> str:
        """A fresh trigger_id."""
        return self.ws.team.new_trigger((person or self.ana).id)


def furnish(ws: LocalWorkspace, session: aiohttp.ClientSession) -> Stage:
    """People and channels for a workspace, and a client without retries."""
    ana, ben = ws.add_user("ana", "Ana Silva"), ws.add_user("ben")
    client = AsyncWebClient(token=ws.bot_token, base_url=ws.api_url, session=session, retry_handlers=[])
    return Stage(
        ws,
        client,
        ana,
        ben,
        ops=ws.add_channel("ops", members=[ana, ben, "understudy"]),
        hall=ws.add_channel("hall", members=[ana, ben]),
        secret=ws.add_channel("secret", members=[ana], private=True),
        den=ws.add_channel("den", members=[ana, "understudy"], private=True),
    )


@asynccontextmanager
async def bolt(stage: Stage, register: Callable[[AsyncApp], None], *, ping_interval: float = 0.1) -> AsyncIterator[AsyncApp]:
    """The real Bolt app over the real Socket Mode handler, connected; `register` adds its listeners."""
    app = AsyncApp(client=stage.client, request_verification_enabled=False)
    register(app)  # first: Bolt takes the first listener that fits
    for event in (
        "message",
        "app_mention",
        "member_joined_channel",
        "member_left_channel",
        "app_home_opened",
        "reaction_added",
    ):
        app.event(event)(_heard)
    handler = AsyncSocketModeHandler(app, stage.ws.app_token, ping_interval=ping_interval)
    await handler.connect_async()
    await stage.ws.connected()
    try:
        yield app
    finally:
        await handler.close_async()


async def until(check: Callable[[], bool], *, within: float = 3.0) -> None:
    """Return as soon as `check` holds. Raises TimeoutError."""
    async with asyncio.timeout(within):
        while not check():
            await asyncio.sleep(0.005)


async def _heard(body: dict[str, object]) -> None:
    """Acknowledge events that a test does not ask about."""
