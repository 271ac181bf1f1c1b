"""`bot.ports.Chat` in memory: Slack's rules without Slack, deterministic, for simulations in virtual time.

It passes the same contract tests as the real gateway. Before each call it asks what should go wrong.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from bot.ports import (
    ChannelGone,
    ChannelInfo,
    ChannelNameTaken,
    ChannelSetup,
    ChatError,
    GroupGone,
    Message,
    MessageGone,
    MessageState,
    Place,
    PostedAt,
)
from bot.sandbox.chat_state import FakeChannel, FakeFile, FakeMessage, Fault
from bot.system.clock import Clock

T = TypeVar("T")

ME = "U0UNDERSTUDY"
NAME_MAX, TOPIC_MAX, EDIT_MAX, BLOCKS_MAX, PINS_MAX = 80, 250, 4_000, 50, 100
CLOCKS_DIFFER = timedelta(seconds=60)


def nothing_fails(call: str, args: Mapping[str, Any]) -> Fault | None:
    """The default `before`: nothing goes wrong."""
    return None


class FakeChat:
    """Slack in memory. `before(call, args)` says what goes wrong with a call, `later(seconds, do)` runs late effects.

    `call` is the method's name in the port (`post`, `edit`, `create_channel` ...).
    """

    def __init__(
        self, clock: Clock, *, before: Callable[[str, Mapping[str, Any]], Fault | None] = nothing_fails,
        later: Callable[[float, Callable[[], None]], None] | None = None,
    ) -> None:  # fmt: skip
        self._clock = clock
        self.before = before
        self._later = later or _on_the_loop
        self._ids = 0
        self._last_ts = 0
        self.channels: dict[str, FakeChannel] = {}
        self.people: set[str] = {ME}
        self.groups: dict[str, tuple[str, ...]] = {}
        self.files: dict[str, FakeFile] = {}
        self.calls: list[str] = []

    # --- setting up, and inspecting

    def add_person(self) -> str:
        """Add a person; returns their id."""
        id = self._new_id("U")
        self.people.add(id)
        return id

    def add_group(self, members: Sequence[str]) -> str:
        """Add a user group; returns its id."""
        id = self._new_id("S")
        self.groups[id] = tuple(members)
        return id

    def add_channel(self, name: str, *, private: bool = False, member: bool = False, creator: str = "U0SOMEBODY") -> str:
        """Add a channel that somebody else created; returns its id. `member` says whether the bot is in it."""
        return self._make_channel(name, private, creator, {ME} if member else set()).id

    def channel(self, channel: str) -> FakeChannel:
        """A channel by id, `#name` or name. Raises KeyError."""
        name = channel.removeprefix("#")
        found = next((each for each in self.channels.values() if each.name == name), None)
        return found or self.channels[channel]

    def messages(self, channel: str, *, thread_ts: str = "") -> list[FakeMessage]:
        """The messages in a channel, or in one thread without its root."""
        return [each for each in self.channel(channel).messages if each.thread_ts == thread_ts]

    # --- bot.ports.Chat: messages

    @property
    def me(self) -> str:
        return ME

    async def post(self, place: Place, message: Message, key: str) -> PostedAt:
        return await self._do("post", lambda: self._post(place, message, key), place=place, message=message, key=key)

    async def find_post(self, place: Place, key: str, since: datetime) -> PostedAt | None:
        found = await self._newest(place, key.__eq__, since)
        return found and found[1]

    async def newest_key(self, place: Place, wanted: Callable[[str], bool], since: datetime) -> str | None:
        found = await self._newest(place, wanted, since)
        return found and found[0]

    async def _newest(self, place: Place, wanted: Callable[[str], bool], since: datetime) -> tuple[str, PostedAt] | None:
        def look() -> tuple[str, PostedAt] | None:
            if place.channel in self.people:
                raise _error("cannot_look_up", "a direct message cannot be looked up")
            channel = self._joined(place.channel)
            for message in reversed(channel.messages):
                here = message.thread_ts == place.thread_ts or (place.thread_ts and message.ts == place.thread_ts)
                if here and message.ours and wanted(message.key) and message.at >= since - CLOCKS_DIFFER:
                    return message.key, PostedAt(channel.id, message.ts)
            return None

        return await self._do("find_post", look, place=place, since=since)

    async def edit(self, at: PostedAt, message: Message) -> None:
        def change() -> None:
            found = self._message(at)
            if not found.ours:
                raise _error("cant_update_message", "the message is not ours")
            if self._known(at.channel).is_archived:
                raise _archived("is_inactive")
            _check(message)
            if len(message.text) > EDIT_MAX:
                raise _error("msg_too_long", "the message is too long to be edited")
            found.text, found.blocks, found.edits = message.text, message.blocks, found.edits + 1

        await self._do("edit", change, at=at, message=message)

    async def tell(self, user: str, message: Message, key: str) -> PostedAt:
        return await self._do("tell", lambda: self._post(Place(user), message, key), user=user, message=message, key=key)

    # --- bot.ports.Chat: channels

    async def find_channel(self, channel: str) -> str:
        def find() -> str:
            try:
                found = self.channel(channel)
            except KeyError:
                raise _unseen(channel) from None
            if ME not in found.members:
                if found.private or found.is_archived:
                    raise _unseen(channel)
                found.members.add(ME)
            return found.id

        return await self._do("find_channel", find, channel=channel)

    async def create_channel(self, name: str, private: bool) -> ChannelInfo:
        def create() -> ChannelInfo:
            if not name:
                raise _error("invalid_name_required", "a channel needs a name")
            if len(name) > NAME_MAX:
                raise _error("invalid_name_maxlength", f"a channel name has at most {NAME_MAX} characters")
            if name != name.lower() or not all(char.isalnum() or char in "-_" for char in name):
                raise _error("invalid_name_specials", "a channel name has lowercase letters, digits, - and _ only")
            if any(each.name == name for each in self.channels.values()):
                raise ChannelNameTaken("a channel of that name exists already", code="name_taken", permanent=True)
            return self._make_channel(name, private, ME, {ME}).info()

        return await self._do("create_channel", create, name=name, private=private)

    async def own_channels(self) -> list[ChannelInfo]:
        def own() -> list[ChannelInfo]:
            return [each.info() for each in self.channels.values() if ME in each.members and each.name]

        return await self._do("own_channels", own)

    async def take_again(self, channel: str) -> ChannelInfo:
        def take() -> ChannelInfo:
            found = self._known(channel)
            if found.is_archived:
                raise _archived("is_archived")
            found.members.add(ME)
            return found.info()

        return await self._do("take_again", take, channel=channel)

    async def channel_setup(self, channel: str) -> ChannelSetup:
        def look() -> ChannelSetup:
            found = self._open(channel)
            return ChannelSetup(found.topic, found.topic_by, frozenset(dict(found.bookmarks)), frozenset(found.members))

        return await self._do("channel_setup", look, channel=channel)

    async def message_state(self, at: PostedAt, thread_ts: str = "") -> MessageState | None:
        def look() -> MessageState | None:
            found = self._joined(at.channel)
            here = any(each.ts == at.ts and each.thread_ts in ("", thread_ts) for each in found.messages)
            return MessageState(at.ts in found.pins) if here else None

        return await self._do("message_state", look, at=at, thread_ts=thread_ts)

    async def set_topic(self, channel: str, topic: str) -> None:
        def change() -> None:
            if len(topic) > TOPIC_MAX:
                raise _error("too_long", f"a channel's topic has at most {TOPIC_MAX} characters")
            found = self._open(channel)
            found.topic, found.topic_by = topic, ME

        await self._do("set_topic", change, channel=channel, topic=topic)

    async def members_of(self, group: str) -> list[str]:
        def members() -> list[str]:
            if group not in self.groups:
                raise GroupGone("there is no such user group", code="no_such_subteam", permanent=True)
            return list(self.groups[group])

        return await self._do("members_of", members, group=group)

    async def invite(self, channel: str, users: Sequence[str]) -> list[str]:
        def invite() -> list[str]:
            found, problems = self._open(channel), []
            for id in users:
                for user in self.groups.get(id, (id,)):
                    if user in self.people:
                        found.members.add(user)
                    else:
                        problems.append(f"<@{user}> was not invited: there is no such person in the workspace")
            return problems

        return await self._do("invite", invite, channel=channel, users=users)

    async def pin(self, at: PostedAt) -> None:
        def pin() -> None:
            found = self._open(at.channel)
            self._message(at)
            if at.ts in found.pins:
                return
            if len(found.pins) >= PINS_MAX:
                raise _error("too_many_pins", "the channel has as many pins as it may have")
            found.pins.append(at.ts)

        await self._do("pin", pin, at=at)

    async def bookmark(self, channel: str, title: str, link: str) -> None:
        def add() -> None:
            found = self._open(channel)
            if not link.startswith(("http://", "https://")):
                raise _error("invalid_link", "Slack does not take the bookmark's link")
            if title not in dict(found.bookmarks):
                found.bookmarks.append((title, link))

        await self._do("bookmark", add, channel=channel, title=title, link=link)

    # --- bot.ports.Chat: files

    async def start_upload(self, filename: str, content: bytes) -> str:
        def upload() -> str:
            if not content:
                raise _error("empty_file", f"{filename} is empty")
            file = FakeFile(self._new_id("F"), filename, content)
            self.files[file.id] = file
            return file.id

        return await self._do("start_upload", upload, filename=filename, content=content)

    async def share_upload(self, file: str, title: str, place: Place, comment: str) -> None:
        def share() -> None:
            channel = self._open(place.channel)
            found = self.files.get(file)
            if found is None:
                raise _error("file_not_found", "Slack does not have the file")
            if any(each.channel == place.channel for each in found.shared):
                return
            found.shared.append(place)
            self._put(channel, Message(comment or title), thread_ts=place.thread_ts)

        await self._do("share_upload", share, file=file, title=title, place=place, comment=comment)

    # --- how a call runs

    async def _do(self, call: str, effect: Callable[[], T], **args: Any) -> T:
        self.calls.append(call)
        await asyncio.sleep(0)  # like any real call, it lets others run
        fault = self.before(call, args)
        if fault is None:
            return effect()
        if fault.kind == "refused" and fault.error:
            raise fault.error
        if fault.kind == "unclear_after":
            _ignoring_refusal(effect)
        elif fault.kind == "late":
            self._later(fault.delay_s, lambda: _ignoring_refusal(effect))
        raise ChatError(f"Slack did not answer in time ({call})", code="timeout", permanent=False, unclear=True)

    def _post(self, place: Place, message: Message, key: str) -> PostedAt:
        if place.channel in self.people - {ME}:
            members = {place.channel, ME}
            new = FakeChannel(place.channel, "", ME, self._clock.now(), private=True, members=members)
            channel = self.channels.setdefault(place.channel, new)
        else:
            channel = self._open(place.channel)
        _check(message)
        if place.thread_ts and not any(each.ts == place.thread_ts for each in channel.messages):
            raise MessageGone("the message cannot be answered", code="cannot_reply_to_message", permanent=True)
        return PostedAt(channel.id, self._put(channel, message, key=key, thread_ts=place.thread_ts).ts)

    def _put(self, channel: FakeChannel, message: Message, *, key: str = "", thread_ts: str = "") -> FakeMessage:
        now = self._clock.now()
        # Unique and increasing, even when the wall clock is set back.
        self._last_ts = max(self._last_ts + 1, int(now.timestamp() * 1_000_000))
        ts = f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"
        at = datetime.fromtimestamp(self._last_ts / 1_000_000, UTC)
        new = FakeMessage(ts, message.text, message.blocks, key, at, thread_ts)
        channel.messages.append(new)
        return new

    def _make_channel(self, name: str, private: bool, creator: str, members: set[str]) -> FakeChannel:
        created_at = self._clock.now().replace(microsecond=0)  # Slack reports whole seconds
        channel = FakeChannel(self._new_id("C"), name, creator, created_at, private=private, members=members)
        self.channels[channel.id] = channel
        return channel

    def _new_id(self, letter: str) -> str:
        self._ids += 1
        return f"{letter}0{self._ids:08d}"

    def _known(self, channel: str) -> FakeChannel:
        try:
            found = self.channel(channel)
        except KeyError:
            raise _unseen(channel) from None
        if found.private and ME not in found.members:
            raise _unseen(channel)
        return found

    def _joined(self, channel: str) -> FakeChannel:
        found = self._known(channel)
        if ME not in found.members:
            raise ChannelGone("I am not in that channel", code="not_in_channel", why="the bot was removed from it")
        return found

    def _open(self, channel: str) -> FakeChannel:
        if self._known(channel).is_archived:
            raise _archived("is_archived")
        return self._joined(channel)

    def _message(self, at: PostedAt) -> FakeMessage:
        for message in self._joined(at.channel).messages:
            if message.ts == at.ts:
                return message
        raise MessageGone("the message is gone", code="message_not_found", permanent=True)


def _check(message: Message) -> None:
    if not message.text.strip():
        raise _error("no_text", "the message is empty")
    if len(message.blocks) > BLOCKS_MAX:
        raise _error("invalid_blocks", "Slack does not take the message's blocks")


def _error(code: str, sentence: str) -> ChatError:
    return ChatError(sentence, code=code, permanent=True)


def _archived(code: str) -> ChannelGone:
    return ChannelGone("the channel is archived", code=code, why="it was archived")


def _unseen(channel: str) -> ChannelGone:
    why = "it was deleted, or the bot may not see it"
    return ChannelGone(f"I see no channel {channel}", code="channel_not_found", why=why)


def _ignoring_refusal(effect: Callable[[], Any]) -> None:
    """Run an effect whose answer, or refusal, gets lost."""
    try:
        effect()
    except ChatError:
        return


def _on_the_loop(delay_s: float, do: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(delay_s, do)
