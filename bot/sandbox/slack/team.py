"""The state of the workspace, and the few operations that change it, whoever asks: the app, a person or a test."""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

from bot.sandbox.slack.records import (
    SLACKBOT_ID,
    Call,
    Channel,
    CommandSpec,
    File,
    Group,
    Json,
    Message,
    ResponseUrl,
    Settings,
    Trigger,
    User,
    View,
)
from bot.system.clock import Clock

BOT_NAME = "understudy"
COLORS = ("9f69e7", "4bbe2e", "e7392d", "3c989f", "674b1b", "e96699", "e0a729", "684b6c", "5b89d5", "2b6836")
DIGITS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


class Team:
    """The whole state of the workspace.

    `emit(event)` is called for each event of the Events API; `changed()` wakes whoever watches the screen.
    """

    def __init__(self, clock: Clock, settings: Settings, scopes: Iterable[str], commands: Iterable[CommandSpec]) -> None:
        self.clock = clock
        self.settings = settings
        self.scopes = list(dict.fromkeys(scopes))
        self.commands = {spec.command: spec for spec in commands}
        self._ids: Iterator[int] = count(1)
        self._last_ts = 0
        self.id, self.app_id, self.bot_id = self.new_id("T"), self.new_id("A"), self.new_id("B")
        self.bot_token = f"xoxb-{secrets.token_hex(12)}"
        self.app_token = f"xapp-1-{self.app_id}-{secrets.token_hex(12)}"
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, Group] = {}
        self.files: dict[str, File] = {}
        self.ephemerals: list[Message] = []
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.modals: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self.calls: list[Call] = []
        self.base_url = ""
        self.version = 0
        self._watchers: set[asyncio.Future[None]] = set()
        self.emit: Callable[[Json], None] = lambda event: None
        self.later: Callable[[float, Callable[[], None]], None] = lambda seconds, do: do()
        self.loses_share: Callable[[], bool] = lambda: False
        self.users[SLACKBOT_ID] = User(SLACKBOT_ID, "slackbot", "Slackbot", "757575", is_bot=True)
        self.bot_user_id = self.add_user(BOT_NAME, "Understudy", is_bot=True).id
        self.general = self.make_channel("general", creator=SLACKBOT_ID, members=())
        self.general.is_general = True

    # -- time and names

    def now(self) -> int:
        """Domain time in unix seconds."""
        return int(self.clock.now().timestamp())

    def now_ms(self) -> int:
        return int(self.clock.now().timestamp() * 1000)

    def age_s(self, born_at: float) -> float:
        """Real seconds since `born_at`: Slack's own deadlines do not run faster in a demo."""
        return (self.clock.monotonic() - born_at) / self.clock.speed

    def new_ts(self) -> str:
        """A message's timestamp: unique in the workspace and increasing, even when the wall clock steps back."""
        self._last_ts = max(self._last_ts + 1, int(self.clock.now().timestamp() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def new_id(self, letter: str) -> str:
        """An id in Slack's form, such as `C07000000A`; the same program run gives the same ids."""
        n, digits = next(self._ids), ""
        while n:
            n, digit = divmod(n, len(DIGITS))
            digits = DIGITS[digit] + digits
        return f"{letter}07{digits:0>8}"

    # -- watching

    def changed(self) -> None:
        """Note that something on somebody's screen changed."""
        self.version += 1
        waiting, self._watchers = self._watchers, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def change_after(self, version: int) -> None:
        """Return as soon as the screen is newer than `version`."""
        while self.version == version:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._watchers.add(future)
            try:
                await future
            finally:
                self._watchers.discard(future)

    # -- people and channels

    @property
    def workspaces(self) -> dict[str, str]:
        """The workspaces that the app may work in, by id, with their names; this one is the first."""
        return {self.id: self.settings.team_name, **(self.settings.workspaces if self.settings.org_install else {})}

    def add_user(self, name: str, real_name: str | None = None, *, is_bot: bool = False, **kind: Any) -> User:
        """Add a member of the workspace, who joins #general; `kind` makes them a guest, a stranger ... (fields of User).

        Raises ValueError if the name is taken.
        """
        if any(user.name == name for user in self.users.values()):
            raise ValueError(f"there is already a user named {name}")
        color = COLORS[len(self.users) % len(COLORS)]
        if self.settings.org_install and not is_bot:
            kind = {"enterprise_id": self.settings.enterprise_id, "workspaces": (self.id,)} | kind
        # In an organization, the ids of people who came with it begin with W.
        letter = "W" if self.settings.org_install and not is_bot else "U"
        user = User(self.new_id(letter), name, real_name or name.capitalize(), color, is_bot, self.now(), **kind)
        self.users[user.id] = user
        if not is_bot:
            self.general.members.append(user.id)
        self.changed()
        return user

    def user_named(self, name: str) -> User:
        """The user with that name or id. Raises KeyError."""
        if name in self.users:
            return self.users[name]
        for user in self.users.values():
            if user.name == name:
                return user
        raise KeyError(f"no user named {name}")

    def make_channel(self, name: str, *, creator: str, members: Iterable[str], kind: str = "public") -> Channel:
        """A new conversation; the name must have been checked."""
        letter = "D" if kind == "im" else "C"
        channel = Channel(self.new_id(letter), name, creator, self.now(), kind, updated_ms=self.now_ms())
        channel.members = list(dict.fromkeys(members))
        self.channels[channel.id] = channel
        self.changed()
        return channel

    def channel_named(self, name: str) -> Channel:
        """The channel with that name (`#` allowed) or id. Raises KeyError."""
        if name in self.channels:
            return self.channels[name]
        wanted = name.removeprefix("#")
        for channel in self.channels.values():
            if channel.name == wanted and channel.kind in ("public", "private"):
                return channel
        raise KeyError(f"no channel named {name}")

    def name_taken(self, name: str) -> bool:
        """Archived channels keep their names, and user groups share the namespace."""
        handles = {group.handle for group in self.groups.values()}
        return name in handles or any(c.name == name for c in self.channels.values() if c.kind in ("public", "private"))

    def open_im(self, user: str) -> tuple[Channel, bool]:
        """The app's direct messages with a person, and whether they existed before."""
        for channel in self.channels.values():
            if channel.kind == "im" and channel.members == [user, self.bot_user_id]:
                return channel, True
        return self.make_channel("", creator=self.bot_user_id, members=(user, self.bot_user_id), kind="im"), False

    def join(self, channel: Channel, user: str, *, inviter: str | None = None) -> None:
        """Make `user` a member; tells the channel and the app."""
        channel.members.append(user)
        self.system_line(channel, user, "channel_join", f"<@{user}> has joined the channel")
        event = {"type": "member_joined_channel", "user": user, "channel": channel.id, "channel_type": "C", "team": self.id}
        if inviter:
            event["inviter"] = inviter
        self.emit(event)

    def part(self, channel: Channel, user: str) -> None:
        """End a membership; tells the channel and the app."""
        channel.members.remove(user)
        self.system_line(channel, user, "channel_leave", f"<@{user}> has left the channel")
        self.emit({"type": "member_left_channel", "user": user, "channel": channel.id, "channel_type": "C", "team": self.id})

    # -- messages

    def post(self, channel: Channel, user: str, text: str, **fields: Any) -> Message:
        """Store a message and tell the app of it."""
        message = Message(self.new_ts(), channel.id, user, text, **fields)
        channel.messages.append(message)
        channel.by_ts[message.ts] = message
        if message.is_reply and message.thread_ts:
            channel.threads.setdefault(message.thread_ts, []).append(message)
        self.changed()
        return message

    def system_line(self, channel: Channel, user: str, subtype: str, text: str) -> Message:
        """A small line such as "Ana has joined the channel"."""
        return self.post(channel, user, text, subtype=subtype, bot=user == self.bot_user_id)

    def whisper(self, channel: Channel, reader: str, text: str, *, user: str, **fields: Any) -> Message:
        """An ephemeral message: seen by one person and kept only for this session."""
        message = Message(self.new_ts(), channel.id, user, text, ephemeral_to=reader, **fields)
        self.ephemerals.append(message)
        self.changed()
        return message

    def message(self, channel: Channel, ts: str) -> Message | None:
        return channel.by_ts.get(ts)

    def replies(self, channel: Channel, root_ts: str) -> list[Message]:
        return channel.threads.get(root_ts, [])

    def delete(self, channel: Channel, message: Message) -> None:
        channel.messages.remove(message)
        del channel.by_ts[message.ts]
        if message.is_reply and message.thread_ts:
            channel.threads[message.thread_ts].remove(message)
        channel.pins.pop(message.ts, None)
        self.changed()

    # -- short-lived tickets of an interaction

    def new_trigger(self, user: str, view_id: str | None = None) -> str:
        """A trigger_id: three seconds, one use."""
        trigger_id = f"{self.now()}{next(self._ids):04d}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self.triggers[trigger_id] = Trigger(user, self.clock.monotonic(), view_id)
        return trigger_id

    def new_response_url(self, user: str, channel: str, **fields: Any) -> str:
        """A URL where the app may answer an interaction, five times in half an hour."""
        key = secrets.token_hex(12)
        self.response_urls[key] = ResponseUrl(user, channel, self.clock.monotonic(), **fields)
        return f"{self.base_url}/response/{self.id}/{key}"
