"""The workspace itself: an HTTP server on loopback that speaks as Slack does, and the handle that tests hold."""

import asyncio
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bot.sandbox.slack.api.shapes import group_shape, user_shape
from bot.sandbox.slack.callbacks import Callbacks
from bot.sandbox.slack.faults import Faults, SocketFaults
from bot.sandbox.slack.interactions import Interactions
from bot.sandbox.slack.links import Links
from bot.sandbox.slack.mischief import Mischief
from bot.sandbox.slack.page_files import add_page_routes
from bot.sandbox.slack.person import Person
from bot.sandbox.slack.records import (
    BOT_SCOPES,
    COMMANDS,
    SLACKBOT_ID,
    Ack,
    Call,
    Channel,
    CommandSpec,
    Group,
    Message,
    Settings,
)
from bot.sandbox.slack.render import message_text
from bot.sandbox.slack.team import BOT_NAME, Team
from bot.sandbox.slack.ui import Ui
from bot.sandbox.slack.web_api import WebApi
from bot.system.clock import Clock, SystemClock

BODY_MAX = 32_000_000


class LocalWorkspace:
    """A strict simulation of one Slack workspace with one installed app.

    `api_url` goes into `AsyncWebClient(base_url=...)`; the websocket's address comes out of `apps.connections.open`.
    The bot is in no channel until it is made a member (by `members=(..., "understudy")`), invited, or joins.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        scopes: Iterable[str] | None = None,
        commands: Sequence[CommandSpec] | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.host, self.port = host, port
        self.team = Team(
            clock or SystemClock(),
            settings or Settings(),
            BOT_SCOPES if scopes is None else scopes,
            COMMANDS if commands is None else commands,
        )
        self.acks: list[Ack] = []
        socket_faults = SocketFaults()
        self.links = Links(self.team, self.acks, socket_faults)
        self.faults = Faults(self.links, self, socket_faults)
        self.interactions = Interactions(self.team, self.links)
        self._mischief = Mischief(self.faults)
        self._api = WebApi(self.team, self._mischief, self.links.open_ticket)
        self._ui = Ui(self.team, self.interactions)
        self._runner: web.AppRunner | None = None
        self._site: web.SockSite | None = None
        self._held: socket.socket | None = None  # holds the port while offline
        self._timers: set[asyncio.TimerHandle] = set()
        self.team.loses_share = self.faults.loses_share
        self.team.later = self._later

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any], *, settings: Settings | None = None, **rest: Any) -> Self:
        """A workspace with the app of this (parsed) manifest: its scopes, commands, shortcuts and events, no others."""
        declared = manifest.get("features", {}).get("slash_commands", [])
        commands = [
            CommandSpec(one["command"], one.get("description", ""), one.get("usage_hint", ""), one.get("should_escape", False))
            for one in declared
        ]
        shortcuts = {one["callback_id"]: one["type"] for one in manifest.get("features", {}).get("shortcuts", [])}
        events = manifest.get("settings", {}).get("event_subscriptions", {}).get("bot_events", [])
        tabs = manifest.get("features", {}).get("app_home", {})
        tabs_there = {
            "home_tab": tabs.get("home_tab_enabled", False),
            "messages_tab": tabs.get("messages_tab_enabled", True) and not tabs.get("messages_tab_read_only_enabled", True),
        }
        return cls(
            scopes=manifest["oauth_config"]["scopes"]["bot"],
            commands=commands,
            settings=replace(settings or Settings(), events=frozenset(events), shortcuts=shortcuts, **tabs_there),
            **rest,
        )

    # -- life

    async def start(self) -> None:
        """Listen. The port stays the same across `faults.offline()` and `faults.online()`."""
        app = web.Application(client_max_size=BODY_MAX)
        callbacks = Callbacks(self.team, self.interactions, self._mischief)
        app.router.add_route("*", "/api/{method}", self._api.handle)
        app.router.add_get("/link/", self.links.upgrade)
        app.router.add_post("/response/{team}/{key}", callbacks.respond)
        app.router.add_post("/upload/{key}", callbacks.upload)
        self._ui.add_routes(app)
        add_page_routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await self.go_online()
        self.team.base_url = f"http://{self.host}:{self.port}"
        self.team.emit = self.links.emit

    async def stop(self) -> None:
        """Close the server and every connection, and cancel what was still to come."""
        for timer in self._timers:
            timer.cancel()
        self.team.emit = lambda event: None
        await self._mischief.stop()
        await self.links.stop()
        await self._ui.stop()
        if self._runner is not None:
            self._abort_connections()
            await self._runner.cleanup()
            self._runner = self._site = None
        if self._held is not None:
            self._held.close()
            self._held = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def go_online(self) -> None:
        """Listen on the port; used by `faults.online()`."""
        if self._runner is None or self._site is not None:
            return
        listener, self._held = self._held or self._bound(), None
        self.port = listener.getsockname()[1]
        self._site = web.SockSite(self._runner, listener, backlog=128)
        await self._site.start()

    async def go_offline(self) -> None:
        """Stop listening and abort every connection; used by `faults.offline()`."""
        if self._site is not None:
            await self._site.stop()
            self._site = None
            self._held = self._bound()
        self._abort_connections()

    def _bound(self) -> socket.socket:
        """A socket bound to our port but not listening: nobody gets an answer, and nobody else gets the port."""
        made = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET, socket.SOCK_STREAM)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((self.host, self.port))
        except OSError:
            made.close()
            raise
        return made

    def _abort_connections(self) -> None:
        server = self._runner.server if self._runner else None
        for connection in list(server.connections) if isinstance(server, web.Server) else []:
            if connection.transport is not None:
                connection.transport.abort()

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        self._timers = {timer for timer in self._timers if timer.when() > asyncio.get_running_loop().time()}
        self._timers.add(asyncio.get_running_loop().call_later(seconds, do))

    # -- addresses and names

    @property
    def api_url(self) -> str:
        return f"{self.team.base_url}/api/"

    @property
    def page_url(self) -> str:
        return f"{self.team.base_url}/"

    async def page_opened(self) -> None:
        """Return once somebody has the page open."""
        await self._ui.watched.wait()

    @property
    def bot_token(self) -> str:
        return self.team.bot_token

    @property
    def app_token(self) -> str:
        return self.team.app_token

    @property
    def signing_secret(self) -> str:
        return self.links.request_url.signing_secret

    async def sends_to(self, url: str) -> None:
        """Turn Socket Mode off: from now on the app is reached at this request URL, once it has answered the challenge."""
        await self.links.request_url.verify(url)

    @property
    def team_id(self) -> str:
        return self.team.id

    @property
    def bot_user_id(self) -> str:
        return self.team.bot_user_id

    @property
    def bot_id(self) -> str:
        return self.team.bot_id

    @property
    def app_id(self) -> str:
        return self.team.app_id

    @property
    def calls(self) -> list[Call]:
        """Every Web API call that arrived."""
        return self.team.calls

    # -- people and channels

    def add_user(self, name: str, real_name: str | None = None, *, is_bot: bool = False, **kind: Any) -> Person:
        """Add a person, a member of #general; `kind` makes them a guest, a stranger ... (fields of `records.User`)."""
        return Person(self.team, self.interactions, self.team.add_user(name, real_name, is_bot=is_bot, **kind))

    def change_user(self, person: str | Person, **fields: Any) -> None:
        """An admin makes somebody a guest, deactivates them ... (fields of `records.User`); the app hears `user_change`."""
        user = self.team.user_named(person.id if isinstance(person, Person) else person)
        for name, value in fields.items():
            setattr(user, name, value)
        user.updated = self.team.now()
        shape = user_shape(self.team, user)
        shape.get("enterprise_user", {}).pop("teams", None)  # users.info has a person's workspaces, the event does not
        self.team.emit({"type": "user_change", "user": shape, "cache_ts": self.team.now()})
        self.team.changed()

    def change_group(self, id: str, members: Iterable[str | Person]) -> None:
        """Change who is in a user group; the app hears who was added and who was removed."""
        group = self.team.groups[id]
        before, now = list(group.members), self.team.now()
        group.members = [member.id if isinstance(member, Person) else self.team.user_named(member).id for member in members]
        added = [user for user in group.members if user not in before]
        removed = [user for user in before if user not in group.members]
        self.team.emit({
            "type": "subteam_members_changed", "subteam_id": id, "team_id": self.team_id, "date_previous_update": group.created,
            "date_update": now, "added_users": added, "added_users_count": len(added), "removed_users": removed,
            "removed_users_count": len(removed),
        })  # fmt: skip
        self.team.emit({"type": "subteam_updated", "subteam": group_shape(self.team, group, users=True, counts=True)})

    def person(self, name: str) -> Person:
        """The person with that name or id. Raises KeyError."""
        return Person(self.team, self.interactions, self.team.user_named(name))

    def add_channel(
        self,
        name: str,
        *,
        members: Iterable[str | Person] = (),
        private: bool = False,
        creator: str | Person | None = None,
        purpose: str = "",
    ) -> str:
        """Add a channel created by a person; returns its id. The bot is a member only if `members` names "understudy"."""
        if self.team.name_taken(name):
            raise ValueError(f"there is already a channel named {name}")
        ids = [member.id if isinstance(member, Person) else self.team.user_named(member).id for member in members]
        people = [member for member in ids if member != self.bot_user_id]
        by = creator.id if isinstance(creator, Person) else creator and self.team.user_named(creator).id
        maker = by or next(iter(people), SLACKBOT_ID)
        channel = self.team.make_channel(name, creator=maker, members=ids, kind="private" if private else "public")
        channel.purpose = purpose
        return channel.id

    def add_group(self, handle: str, name: str, members: Iterable[str | Person] = ()) -> str:
        """Add a user group such as `oncall`; returns its id."""
        ids = [member.id if isinstance(member, Person) else self.team.user_named(member).id for member in members]
        group = Group(self.team.new_id("S"), handle, name, ids, self.team.now())
        self.team.groups[group.id] = group
        return group.id

    def channel(self, name: str) -> Channel:
        """The channel with that name or id. Raises KeyError."""
        return self.team.channel_named(name)

    def channels(self) -> list[Channel]:
        """All channels, archived ones too, without direct messages."""
        return [channel for channel in self.team.channels.values() if channel.kind in ("public", "private")]

    def messages(self, channel_name: str, *, thread_ts: str | None = None, system: bool = False) -> list[Message]:
        """The messages of a channel without replies, or one thread with its root first; `system` includes Slack's own lines."""
        channel = self.channel(channel_name)
        if thread_ts is not None:
            return [m for m in channel.messages if thread_ts in (m.ts, m.thread_ts)]
        return [m for m in channel.messages if not m.is_reply and (system or not m.subtype)]

    def direct_messages(self, person: str | Person) -> list[Message]:
        """What the app and a person wrote to each other."""
        user = person.id if isinstance(person, Person) else self.team.user_named(person).id
        return list(self.team.open_im(user)[0].messages)

    def shows(self, message: Message) -> str:
        """A message as its reader sees it, in plain text."""
        return message_text(self.team, message)

    async def connected(self, at_least: int = 1, *, within: float = 5.0) -> None:
        """Wait until the app holds that many websockets. Raises TimeoutError."""
        async with asyncio.timeout(within):
            await self.links.wait_for_links(at_least)


__all__ = ["BOT_NAME", "LocalWorkspace"]
