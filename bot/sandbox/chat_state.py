"""The state of the in-memory chat, and what may go wrong with a call to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from bot.ports import ChannelInfo, ChatError, Place

Kind = Literal["refused", "unclear_before", "unclear_after", "late"]


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a call.

    `refused`: nothing happens and `error` is raised. `unclear_before`: nothing happens, and the caller cannot know.
    `unclear_after`: it happens, and the caller cannot know. `late`: it happens `delay_s` later, and the caller cannot know.
    """

    kind: Kind
    error: ChatError | None = None
    delay_s: float = 0.0

    @staticmethod
    def limited(retry_after: timedelta) -> "Fault":
        """A 429."""
        error = ChatError("Slack asks to wait", code="ratelimited", permanent=False, retry_after=retry_after)
        return Fault("refused", error)

    @staticmethod
    def down() -> "Fault":
        """Nothing is listening: the call was never sent."""
        return Fault("refused", ChatError("Slack cannot be reached", code="connection", permanent=False))


@dataclass
class FakeMessage:
    """A message as its readers see it."""

    ts: str
    text: str
    blocks: tuple[Mapping[str, Any], ...]
    key: str
    at: datetime
    thread_ts: str = ""
    edits: int = 0
    ours: bool = True


@dataclass
class FakeFile:
    """An uploaded file and where it was shared."""

    id: str
    name: str
    content: bytes
    shared: list[Place] = field(default_factory=list)


@dataclass
class FakeChannel:
    """A channel, or a direct message (its id is the person's)."""

    id: str
    name: str
    creator: str
    created_at: datetime
    private: bool = False
    is_archived: bool = False
    topic: str = ""
    topic_by: str = ""
    members: set[str] = field(default_factory=set)
    messages: list[FakeMessage] = field(default_factory=list)
    pins: list[str] = field(default_factory=list)
    bookmarks: list[tuple[str, str]] = field(default_factory=list)

    def info(self) -> ChannelInfo:
        """The channel as the port shows it."""
        return ChannelInfo(self.id, self.name, self.creator, self.created_at, self.is_archived)
