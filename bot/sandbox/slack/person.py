"""A person in the workspace, for tests and demonstrations: types, clicks, submits, and sees only what they may see."""

import asyncio
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.sandbox.slack.api.shapes import view_shape
from bot.sandbox.slack.errors import NotThere
from bot.sandbox.slack.interactions import Interactions, elements_of
from bot.sandbox.slack.modals import empty_value
from bot.sandbox.slack.records import Channel, Json, Message, User, View
from bot.sandbox.slack.render import author, message_text, options_of, view_text
from bot.sandbox.slack.team import Team


@dataclass(frozen=True)
class Spot:
    """A usable element and its place."""

    element: Json
    block_id: str
    place: Message | View


class Person:
    """One member of the workspace. Methods that look for something raise NotThere with a list of what is there."""

    def __init__(self, team: Team, interactions: Interactions, user: User) -> None:
        self._team = team
        self._do = interactions
        self._user = user

    def __repr__(self) -> str:
        return f"Person({self.name}, {self.id})"

    @property
    def id(self) -> str:
        return self._user.id

    @property
    def name(self) -> str:
        return self._user.name

    # -- acting

    async def types(self, text: str, *, channel: str = "ops") -> None:
        """Type into the composer of a channel: a slash command when it begins with `/`, otherwise a message.

        Returns when the app has acknowledged. Raises SlackbotSays as Slack would answer: unknown command,
        `operation_timeout` after three seconds, `dispatch_failed` without a connection.
        """
        await self._do.types(self._user, self._team.channel_named(channel), text)

    async def says(self, text: str, *, channel: str, thread_ts: str | None = None, file: str | None = None) -> str:
        """Write a message, in a thread if asked, with a file of that name; returns its ts."""
        return self._do.say(self._user, self._team.channel_named(channel), text, thread_ts, file=file).ts

    async def writes(self, text: str, *, thread_ts: str | None = None) -> str:
        """Write to the app in a direct message; returns its ts."""
        channel, _ = self._team.open_im(self._user.id)
        return self._do.say(self._user, channel, text, thread_ts).ts

    async def edits(self, message_containing: str, text: str, *, channel: str | None = None) -> None:
        """Change the newest message with that text, which must be their own."""
        self._do.edit(self._user, self._message(message_containing, channel), text)

    async def deletes(self, message_containing: str, *, channel: str | None = None) -> None:
        """Delete the newest message with that text."""
        self._do.delete(self._user, self._message(message_containing, channel))

    async def clicks(
        self,
        button: str,
        *,
        channel: str | None = None,
        in_thread: str | None = None,
        message_containing: str | None = None,
    ) -> None:
        """Click the newest visible button with that label or action_id, in the top modal first; confirms if asked."""
        spot = self._find(button, channel, in_thread, message_containing, kinds=("button",))
        await self._act(spot, None)

    async def picks(
        self,
        action_id: str,
        option: str,
        *,
        channel: str | None = None,
        in_thread: str | None = None,
        message_containing: str | None = None,
    ) -> None:
        """Choose `option` (its value or its text; for people and channels their name) in a menu, overflow or radio group."""
        spot = self._find(action_id, channel, in_thread, message_containing, kinds=None)
        await self._act(spot, self._choice(spot.element, option))

    async def submits(self, values: dict[str, Any] | None = None, **more: Any) -> None:
        """Fill in the top modal by label, action_id or block_id and send it. Raises ModalErrors and SlackbotSays."""
        view = self._top()
        for name, value in ((values or {}) | more).items():
            self._fill(view, name, value)
        self._team.changed()
        await self._do.submit(self._user, view)

    async def closes_modal(self) -> None:
        """Close the modal in front."""
        await self._do.close(self._user, self._top())

    async def uses_shortcut(
        self,
        callback_id: str,
        *,
        message_containing: str | None = None,
        channel: str | None = None,
    ) -> None:
        """Use a global shortcut, or a message shortcut on the newest message with that text."""
        message = self._message(message_containing, channel) if message_containing else None
        await self._do.shortcut(self._user, callback_id, message)

    async def reacts(self, emoji: str, *, message_containing: str, channel: str | None = None) -> None:
        """Put an emoji (its name without colons) on the newest message with that text."""
        self._do.react(self._user, self._message(message_containing, channel), emoji)

    async def unreacts(self, emoji: str, *, message_containing: str, channel: str | None = None) -> None:
        """Take their own emoji off the newest message with that text."""
        self._do.unreact(self._user, self._message(message_containing, channel), emoji)

    async def opens_home(self) -> None:
        """Open the app's Home tab; the app hears `app_home_opened`."""
        self._do.opens_home(self._user)

    # -- seeing

    @property
    def modal(self) -> Json | None:
        """The view in front, as the API would show it."""
        stack = self._team.modals.get(self.id)
        return view_shape(self._team, stack[-1]) if stack else None

    @property
    def home(self) -> str:
        """The text of the app's Home tab."""
        view = self._team.homes.get(self.id)
        return view_text(self._team, view) if view else ""

    def sees(self, channel: str | None = None) -> str:
        """Everything on this person's screen as text, newest last: one channel or all of theirs, then an open modal."""
        channels = [self._team.channel_named(channel)] if channel else self._channels()
        parts = []
        for one in channels:
            lines = [self._line(message) for message in self._visible(one)]
            if lines:
                parts.append("\n".join([f"# {one.name or 'direct messages'}", *lines]))
        stack = self._team.modals.get(self.id)
        if stack:
            parts.append(view_text(self._team, stack[-1]))
        return "\n\n".join(parts)

    async def waits_for(self, text: str, *, channel: str | None = None, within: float = 5.0) -> str:
        """Wait until `text` is on the screen and return the screen. Raises NotThere after `within` real seconds."""
        try:
            async with asyncio.timeout(within):
                while True:
                    version, seen = self._team.version, self.sees(channel)
                    if text in seen:
                        return seen
                    await self._team.change_after(version)
        except TimeoutError:
            raise NotThere(f"{self.name} waited {within} s for {text!r} and sees:\n{self.sees(channel)}") from None

    def _line(self, message: Message) -> str:
        if message.subtype:
            return f"({message_text(self._team, message)})"
        only_you = "(only you) " if message.ephemeral_to else ""
        indent = "    " if message.is_reply else ""
        return f"{indent}{only_you}{author(self._team, message.user)}: {message_text(self._team, message)}"

    def _channels(self) -> list[Channel]:
        return [channel for channel in self._team.channels.values() if self.id in channel.members]

    def _visible(self, channel: Channel) -> list[Message]:
        """What this person may read there: public channels are open to all."""
        if channel.kind != "public" and self.id not in channel.members:
            return []
        whispers = [m for m in self._team.ephemerals if m.ephemeral_to == self.id and m.channel == channel.id]
        roots = {m.thread_ts if m.is_reply and m.thread_ts else m.ts for m in channel.messages}
        return sorted(
            [*channel.messages, *whispers],
            key=lambda m: (m.thread_ts if m.is_reply and m.thread_ts in roots else m.ts, m.ts),
        )

    # -- finding

    def _top(self) -> View:
        stack = self._team.modals.get(self.id)
        if not stack:
            raise NotThere(f"{self.name} has no modal open and sees:\n{self.sees()}")
        return stack[-1]

    def _message(self, containing: str, channel: str | None) -> Message:
        for message in self._newest_first(channel):
            if not message.ephemeral_to and containing in message_text(self._team, message):
                return message
        raise NotThere(f"{self.name} finds no message with {containing!r} and sees:\n{self.sees(channel)}")

    def _newest_first(self, channel: str | None) -> list[Message]:
        channels = [self._team.channel_named(channel)] if channel else self._channels()
        messages = [message for one in channels for message in self._visible(one)]
        return sorted(messages, key=lambda message: message.ts, reverse=True)

    def _find(
        self,
        name: str,
        channel: str | None,
        in_thread: str | None,
        containing: str | None,
        *,
        kinds: tuple[str, ...] | None,
    ) -> Spot:
        there: list[str] = []
        for place in self._places(channel, in_thread, containing):
            blocks = place.body["blocks"] if isinstance(place, View) else place.blocks
            for block_id, element in elements_of(blocks):
                if kinds is None or element["type"] in kinds:
                    label = element["text"]["text"] if "text" in element else element["type"]
                    there.append(f"{label} ({element['action_id']})")
                    if name in (element["action_id"], label):
                        return Spot(element, block_id, place)
        known = ", ".join(there) or "nothing to use"
        raise NotThere(f"{self.name} finds no {name!r}; there is: {known}\nOn the screen:\n{self.sees(channel)}")

    def _places(self, channel: str | None, in_thread: str | None, containing: str | None) -> list[Message | View]:
        places: list[Message | View] = []
        if channel is None and containing is None and in_thread is None:
            places += self._team.modals.get(self.id, [])[-1:]
        for message in self._newest_first(channel):
            fits_thread = in_thread is None or in_thread in (message.thread_ts, message.ts)
            if fits_thread and (containing is None or containing in message_text(self._team, message)):
                places.append(message)
        home = self._team.homes.get(self.id)
        return [*places, home] if home else places

    async def _act(self, spot: Spot, choice: Any) -> None:
        if isinstance(spot.place, View):
            await self._do.act_on_view(self._user, spot.place, spot.element, spot.block_id, choice)
        else:
            await self._do.act_on_message(self._user, spot.place, spot.element, spot.block_id, choice)

    # -- filling in

    def _fill(self, view: View, name: str, value: Any) -> None:
        there = []
        for block in view.body["blocks"]:
            for block_id, element in elements_of([block]):
                if element["type"] in ("button", "overflow"):
                    continue
                label = block["label"]["text"] if "label" in block else ""
                there.append(label or element["action_id"])
                if name in (label, element["action_id"], block_id):
                    state = empty_value(element)
                    key = next(key for key in state if key != "type")
                    state[key] = self._choice(element, value)
                    view.values[block_id][element["action_id"]] = state
                    return
        raise NotThere(f"the modal has no field {name!r}; there is: {', '.join(there)}")

    def _choice(self, element: Json, wanted: Any) -> Any:
        if wanted is None:
            return None  # removes the previous choice
        if isinstance(wanted, Person):
            wanted = wanted.id
        options = options_of(element)
        if isinstance(wanted, list | tuple):
            return [self._choice(element, one) for one in wanted]
        if options:
            for option in options:
                if wanted in (option["value"], option["text"]["text"]):
                    return option
            texts = ", ".join(option["text"]["text"] for option in options)
            raise NotThere(f"{element['action_id']} has no option {wanted!r}; there is: {texts}")
        if "users_select" in element["type"]:
            return self._team.user_named(wanted).id
        if "channels_select" in element["type"] or "conversations_select" in element["type"]:
            return self._team.channel_named(wanted).id
        return wanted
