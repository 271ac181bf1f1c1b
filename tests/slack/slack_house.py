"""Shared by the Slack tests: logins, short timeouts, a running app."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.sandbox.slack import LocalWorkspace
from bot.slack.app import build_bolt
from bot.slack.client import SlackLogin
from bot.slack.gateway import GatewayTiming, SlackGateway
from bot.slack.people import People
from bot.slack.reception import Reception
from bot.slack.respond import Respond
from bot.slack.socket_mode.socket import SocketTiming, SocketWatch
from bot.system.clock import SystemClock
from bot.system.denials import Denials

QUICK = GatewayTiming(timeout_s=1.0, post_every_s=0.01, edit_every_s=0.01, share_looks_s=(0.05, 0.1, 0.2))

# A ping every 0.2 s: a dead connection is noticed after half a second, and the first retry comes 0.05 s later.
BRISK = SocketTiming(
    ping_every_s=0.2, connect_within_s=0.6, look_every_s=0.05, first_wait_s=0.05, longest_wait_s=0.4, steady_after_s=30.0,
    spell_from=timedelta(0),
)  # fmt: skip


def login(workspace: LocalWorkspace) -> SlackLogin:
    return SlackLogin(workspace.api_url, workspace.bot_token, workspace.app_token)


@dataclass
class Seen:
    """Ids that the app has handled, as the ledger would keep them."""

    ids: list[str] = field(default_factory=list)

    async def first(self, id: str) -> bool:
        new = id not in self.ids
        self.ids.append(id)
        return new


class Notes:
    """An in-memory ledger with settings only, which is all that the directory of people needs."""

    def __init__(self) -> None:
        self.settings: dict[str, str] = {}

    async def read(self, work: Callable[[Any], Any]) -> Any:
        return work(self)

    async def write(self, work: Callable[[Any], Any]) -> Any:
        return work(self)

    def setting(self, name: str) -> str | None:
        return self.settings.get(name)

    def put_setting(self, name: str, value: str) -> None:
        self.settings[name] = value


def receive(people: People, *, reads: bool = False, groups: list[str] | None = None) -> Reception:
    """A reception that looks people up in `people`; changed groups are appended to `groups`."""
    received = groups if groups is not None else []
    return Reception(people, SystemClock(), Denials(SystemClock()), reads=reads, on_group=received.append)


@dataclass
class House:
    """A workspace with the bot running in it."""

    workspace: LocalWorkspace
    gateway: SlackGateway
    watch: SocketWatch
    seen: Seen
    received: list[str]


def listen(received: list[str]) -> Callable[[AsyncApp], None]:
    """Listeners of a small app: /health answers, /incident fails before it acknowledges, /fallback after."""

    async def health(ack: AsyncAck, body: dict[str, Any], respond: Respond) -> None:
        await ack()
        received.append(str(body.get("text")))
        await respond(f"heard {body.get('text')}", response_type="ephemeral")

    async def broken_before(body: dict[str, Any]) -> None:
        raise LookupError("xoxb-secret in the words of an error")

    async def broken_after(ack: AsyncAck) -> None:
        await ack()
        raise LookupError("no such thing")

    def register(app: AsyncApp) -> None:
        app.command("/health")(health)
        app.command("/incident")(broken_before)
        app.command("/fallback")(broken_after)

    return register


@asynccontextmanager
async def house(
    workspace: LocalWorkspace, *, patience: SocketTiming = BRISK, register: Callable[[AsyncApp], None] | None = None,
    first_sight: Callable[[str], Awaitable[bool]] | None = None, ticket: str = "", wait: bool = True,
    reception: Reception | None = None,
) -> AsyncIterator[House]:  # fmt: skip
    """Run the app; on exit nothing is left running."""
    gateway = SlackGateway(login(workspace), patience=QUICK)
    await gateway.start()
    received: list[str] = []
    seen = Seen()
    app = build_bolt(
        login(workspace), gateway, first_sight=first_sight or seen.first, register=register or listen(received),
        reception=reception or receive(People(gateway, Notes(), SystemClock())),
    )  # fmt: skip
    watch = SocketWatch(app, login(workspace), SystemClock(), ticket=ticket, patience=patience)
    await watch.start()
    try:
        if wait:
            assert await watch.connected(5.0)
        yield House(workspace, gateway, watch, seen, received)
    finally:
        await watch.stop()
        await gateway.close()
