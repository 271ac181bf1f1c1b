"""Two implementations for the contract of `bot.ports.Chat`: the real gateway over the local workspace, and the fake."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol

from bot.ports import Chat
from bot.sandbox.chat import FakeChat
from bot.sandbox.chat_state import Fault
from bot.sandbox.slack import LocalWorkspace
from bot.slack.client import SlackLogin
from bot.slack.gateway import GatewayTiming, SlackGateway
from bot.system.clock import SystemClock

METHODS = {"post": "chat.postMessage", "edit": "chat.update", "create_channel": "conversations.create"}

QUICK = GatewayTiming(timeout_s=1.0, post_every_s=0.01, edit_every_s=0.01, share_looks_s=(0.05, 0.1, 0.2, 0.4))


class Stage(Protocol):
    """A Slack with people and channels, and the `chat` under test."""

    chat: Chat

    def add_channel(self, name: str, *, private: bool = False, member: bool = True) -> str: ...
    def add_person(self, name: str) -> str: ...
    def add_group(self, members: Sequence[str]) -> str: ...
    def archive(self, channel: str) -> None: ...
    def texts(self, channel: str, thread_ts: str = "") -> list[str]: ...
    def topic(self, channel: str) -> str: ...
    def pins(self, channel: str) -> list[str]: ...
    def bookmarks(self, channel: str) -> list[tuple[str, str]]: ...
    def members(self, channel: str) -> set[str]: ...
    def files(self, channel: str) -> list[str]: ...
    def limit(self, call: str, seconds: int) -> None: ...
    def lose_answer(self, call: str, *, happens: bool) -> None: ...


class FakeStage:
    """The in-memory fake."""

    def __init__(self) -> None:
        self.fake = FakeChat(SystemClock())
        self.chat: Chat = self.fake

    def add_channel(self, name: str, *, private: bool = False, member: bool = True) -> str:
        return self.fake.add_channel(name, private=private, member=member)

    def add_person(self, name: str) -> str:
        return self.fake.add_person()

    def add_group(self, members: Sequence[str]) -> str:
        return self.fake.add_group(members)

    def archive(self, channel: str) -> None:
        self.fake.channel(channel).is_archived = True

    def texts(self, channel: str, thread_ts: str = "") -> list[str]:
        return [message.text for message in self.fake.messages(channel, thread_ts=thread_ts)]

    def topic(self, channel: str) -> str:
        return self.fake.channel(channel).topic

    def pins(self, channel: str) -> list[str]:
        return self.fake.channel(channel).pins

    def bookmarks(self, channel: str) -> list[tuple[str, str]]:
        return self.fake.channel(channel).bookmarks

    def members(self, channel: str) -> set[str]:
        return self.fake.channel(channel).members

    def files(self, channel: str) -> list[str]:
        id = self.fake.channel(channel).id
        return [file.name for file in self.fake.files.values() for place in file.shared if place.channel == id]

    def limit(self, call: str, seconds: int) -> None:
        self._once(call, Fault.limited(timedelta(seconds=seconds)))

    def lose_answer(self, call: str, *, happens: bool) -> None:
        self._once(call, Fault("unclear_after" if happens else "unclear_before"))

    def _once(self, call: str, fault: Fault) -> None:
        left = [fault]
        self.fake.before = lambda name, args: left.pop() if name == call and left else None


class WorkspaceStage:
    """The real gateway over HTTP."""

    def __init__(self, workspace: LocalWorkspace, gateway: SlackGateway) -> None:
        self.workspace = workspace
        self.chat: Chat = gateway

    def add_channel(self, name: str, *, private: bool = False, member: bool = True) -> str:
        return self.workspace.add_channel(name, members=("understudy",) if member else (), private=private)

    def add_person(self, name: str) -> str:
        return self.workspace.add_user(name).id

    def add_group(self, members: Sequence[str]) -> str:
        return self.workspace.add_group("oncall", "On call", members)

    def archive(self, channel: str) -> None:
        self.workspace.channel(channel).is_archived = True

    def texts(self, channel: str, thread_ts: str = "") -> list[str]:
        messages = self.workspace.messages(channel, thread_ts=thread_ts or None)
        return [message.text for message in messages if message.ts != thread_ts]

    def topic(self, channel: str) -> str:
        return self.workspace.channel(channel).topic

    def pins(self, channel: str) -> list[str]:
        return list(self.workspace.channel(channel).pins)

    def bookmarks(self, channel: str) -> list[tuple[str, str]]:
        return [(bookmark.title, bookmark.link) for bookmark in self.workspace.channel(channel).bookmarks]

    def members(self, channel: str) -> set[str]:
        return set(self.workspace.channel(channel).members)

    def files(self, channel: str) -> list[str]:
        files = self.workspace.team.files
        return [files[id].name for message in self.workspace.channel(channel).messages for id in message.files]

    def limit(self, call: str, seconds: int) -> None:
        self.workspace.faults.add(METHODS[call], "429", retry_after=seconds)

    def lose_answer(self, call: str, *, happens: bool) -> None:
        self.workspace.faults.add(METHODS[call], "drop_after" if happens else "drop_before")


@asynccontextmanager
async def stage(kind: str) -> AsyncIterator[Stage]:
    """A fresh Slack of that kind: `gateway` or `fake`."""
    if kind == "fake":
        yield FakeStage()
        return
    async with LocalWorkspace() as workspace:
        login = SlackLogin(workspace.api_url, workspace.bot_token, workspace.app_token)
        gateway = SlackGateway(login, patience=QUICK)
        await gateway.start()
        await gateway.identity()
        try:
            yield WorkspaceStage(workspace, gateway)
        finally:
            await gateway.close()
