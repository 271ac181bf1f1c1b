"""The channel for alerts, and the backup that takes them while the first one cannot be posted to."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from bot.ports import ChannelGone, Chat, ChatError, Message, Place, PostedAt
from bot.system.clock import Clock

T = TypeVar("T")


class OpsChannel:
    """Posts to `first`, or to `second` (if configured) while `first` is lost.

    `on_lost` is called once per loss, and `on_found` when a post succeeds again afterwards.

    Every post tries the first channel again, so nobody has to tell the bot when it is back.
    """

    def __init__(
        self, chat: Chat, clock: Clock, first: str, second: str, on_lost: Callable[[str], None],
        on_found: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._chat = chat
        self._clock = clock
        self._first = first
        self._second = second
        self._on_lost = on_lost
        self._on_found = on_found
        self._was_lost = False  # no post succeeded since; that `look` finds the channel does not mean that it takes posts
        self.trouble = ""  # what is wrong with it and where alerts go instead; empty if it works
        self.since: datetime | None = None

    async def look(self) -> None:
        """Check whether the first channel exists; posts find out the rest. Never raises."""
        try:
            await self._chat.find_channel(self._first)
        except ChatError as error:
            self._note(error)
        else:
            self._found()

    async def place(self) -> Place:
        """Where to post a file. Raises ChatError."""
        return Place(await self._chat.find_channel(self._second if self.trouble and self._second else self._first))

    async def post(self, message: Message, key: str) -> PostedAt:
        """Post to the channel that works. Raises ChatError."""
        try:
            at = await self._chat.post(Place(await self._chat.find_channel(self._first)), message, key)
        except ChatError as error:
            if not self._note(error) or not self._second:
                raise
            return await self._chat.post(Place(await self._chat.find_channel(self._second)), message, key)
        self._found()
        if self._was_lost:
            self._was_lost = False
            self._on_found()
        return at

    async def find_post(self, key: str, since: datetime) -> PostedAt | None:
        """Find a post of ours by its key, in either channel; a lost one has none. Raises ChatError if Slack cannot tell."""
        return await self._in_either(lambda place: self._chat.find_post(place, key, since))

    async def newest_key(self, wanted: Callable[[str], bool], since: datetime) -> str | None:
        """The newest key of our posts that `wanted` accepts, from the first channel that has one. Raises ChatError."""
        return await self._in_either(lambda place: self._chat.newest_key(place, wanted, since))

    async def _in_either(self, find: Callable[[Place], Awaitable[T | None]]) -> T | None:
        for channel in filter(None, (self._first, self._second)):
            try:
                found = await find(Place(await self._chat.find_channel(channel)))
            except ChannelGone as error:
                if not error.permanent:
                    raise
                if channel == self._first:
                    self._note(error)
                continue
            if found:
                return found
        return None

    async def edit(self, at: PostedAt, message: Message) -> None:
        """Replace one of our messages, whichever channel it is in. Raises ChatError."""
        await self._chat.edit(at, message)

    def _note(self, error: ChatError) -> bool:
        """Record the loss if the error means that the first channel is lost; returns whether it does."""
        if not isinstance(error, ChannelGone) or not error.permanent:
            return False
        fresh = not self.trouble
        to = f"alerts go to {self._second} meanwhile" if self._second else "alerts go out by notify: only"
        remedy = "Make the channel anew or unarchive it, invite the bot, or name another one in slack.alerts_channel"
        self.trouble = f"The alerts channel {self._first} takes no posts: {error.why} ({error.code}); {to}. {remedy}."
        self._was_lost = True
        if fresh:
            self.since = self._clock.now()
            self._on_lost(self.trouble)
        return True

    def _found(self) -> None:
        self.trouble, self.since = "", None
