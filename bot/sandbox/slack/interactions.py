"""What people do: type, click, pick, submit, close. The page and the Person driver both end here."""

import mimetypes
import re
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack import modals, payloads
from bot.sandbox.slack.api.shapes import message_shape, view_shape
from bot.sandbox.slack.block_kit.blocks import check_blocks, filled_in, interactive_of
from bot.sandbox.slack.builtin_commands import run_builtin
from bot.sandbox.slack.errors import ModalErrors, NotThere, SlackbotSays, SlackError
from bot.sandbox.slack.events import changed_event, deleted_event, mention_event, message_event
from bot.sandbox.slack.links import Links
from bot.sandbox.slack.records import SLACKBOT_ID, Channel, File, Json, Message, User, View
from bot.sandbox.slack.team import Team

TROUBLE = "We had some trouble connecting. Try again?"
MENTION = re.compile(r"(?<![\w<])@([a-z0-9._-]+)")
HASH = re.compile(r"(?<![\w<])#([a-z0-9_-]+)")
CHOSEN = {
    "static_select": "selected_option",
    "radio_buttons": "selected_option",
    "overflow": "selected_option",
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "checkboxes": "selected_options",
    "multi_static_select": "selected_options",
    "multi_users_select": "selected_users",
    "multi_channels_select": "selected_channels",
    "multi_conversations_select": "selected_conversations",
}


@dataclass
class Interactions:
    """Everything a person can do in the workspace."""

    team: Team
    links: Links

    # -- typing

    async def types(self, user: User, channel: Channel, text: str) -> None:
        """A slash command, or a message when the text does not begin with a slash."""
        if text.startswith("/"):
            await self.slash(user, channel, text)
        else:
            self.say(user, channel, text)

    async def slash(self, user: User, channel: Channel, text: str) -> None:
        """A slash command; returns once the app has acknowledged it. Raises SlackbotSays in Slack's own words."""
        self._must_be_in(user, channel)
        try:
            if run_builtin(self.team, user, channel, text):
                return
        except SlackbotSays as refusal:
            raise self._slackbot(user, channel, str(refusal)) from None
        command, *more = text.strip().split(None, 1)
        rest = more[0] if more else ""
        if command not in self.team.commands:
            raise self._slackbot(user, channel, f"`{command}` is not a valid command.")
        url = self.team.new_response_url(user.id, channel.id)
        words = self.escaped(rest, labels=True) if self.team.commands[command].should_escape else rest
        payload = payloads.slash_command(self.team, user, channel, command, words, url)
        try:
            answer = await self.links.deliver("slash_commands", payload)
        except SlackbotSays as failure:
            raise self._slackbot(user, channel, f'{command} failed with the error "{failure}"') from None
        if answer and (answer.get("text") or answer.get("blocks")):
            self.respond(user, channel, answer, command=text)

    def say(self, user: User, channel: Channel, text: str, thread_ts: str | None = None, *, file: str | None = None) -> Message:
        """A plain message, with a picture or other file of that name; the app hears of it if its scopes allow."""
        self._must_be_in(user, channel)
        if channel.kind == "im" and self.team.bot_user_id in channel.members and not self.team.settings.messages_tab:
            raise NotThere("Sending messages to this app has been turned off.")
        root = self.team.message(channel, thread_ts) if thread_ts else None
        if thread_ts and root is None:
            raise NotThere(f"there is no message {thread_ts} in #{channel.name} to reply to")
        where = (root.thread_ts or root.ts) if root else None
        files = [self._file(channel, file)] if file else []
        message = self.team.post(channel, user.id, self.escaped(text), thread_ts=where, files=files)
        self.team.emit(message_event(self.team, message))
        if f"<@{self.team.bot_user_id}>" in message.text and channel.kind != "im":
            self.team.emit(mention_event(self.team, message))
        return message

    def edit(self, user: User, message: Message, text: str) -> None:
        """Change one's own message. Raises NotThere if it is somebody else's."""
        if message.user != user.id:
            raise NotThere(f"{user.name} cannot edit what {self.team.users[message.user].name} wrote")
        before = message_shape(self.team, message, counts=False)
        message.text, message.edited_ts = self.escaped(text), self.team.new_ts()
        self.team.changed()
        self.team.emit(changed_event(self.team, message, before))

    def delete(self, user: User, message: Message) -> None:
        """Delete a message: one's own, or as an admin anybody's. If it has replies, a line stays in its place."""
        channel = self.team.channels[message.channel]
        if not self.team.replies(channel, message.ts):
            self.team.delete(channel, message)
            self.team.emit(deleted_event(self.team, message))
            return
        before = message_shape(self.team, message, counts=False)
        message.text, message.subtype, message.user = "This message was deleted.", "tombstone", SLACKBOT_ID
        message.blocks, message.files = [], []
        self.team.changed()
        self.team.emit(changed_event(self.team, message, before))

    def _file(self, channel: Channel, name: str) -> str:
        kind = mimetypes.guess_type(name)[0] or "text/plain"
        file = File(self.team.new_id("F"), name, name, 1, self.team.now(), kind, data=b"-", completed=True)
        file.shares[channel.id] = {}
        self.team.files[file.id] = file
        return file.id

    def escaped(self, text: str, *, labels: bool = False) -> str:
        """The text as Slack sends it: `& < >` as entities, @name and #name as mentions.

        A slash command's mentions of people carry their name, `<@U012|ana>` (its `labels`); a message's do not.
        """
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        text = MENTION.sub(lambda match: self._user_mention(match[1], labels), text)
        return HASH.sub(self._channel_mention, text)

    def _user_mention(self, typed: str, labels: bool) -> str:
        name = typed.rstrip(".-")
        for user in self.team.users.values():
            if user.name == name:
                return f"<@{user.id}|{name}>{typed[len(name) :]}" if labels else f"<@{user.id}>{typed[len(name) :]}"
        return f"@{typed}"

    def _channel_mention(self, match: re.Match[str]) -> str:
        for channel in self.team.channels.values():
            if channel.name == match[1] and channel.kind in ("public", "private"):
                # Slack does not tell the app the name of a private channel.
                return f"<#{channel.id}|{channel.name if channel.kind == 'public' else ''}>"
        return match[0]

    # -- using messages

    async def act_on_message(self, user: User, message: Message, element: Json, block_id: str, choice: Any = None) -> None:
        """A click or a choice in a message. Raises SlackbotSays when the app does not answer."""
        action = self._action(element, block_id, choice)
        self._remember(message.values, element, block_id, action)
        url = self.team.new_response_url(
            user.id,
            message.channel,
            message_ts=message.ts,
            ephemeral=message.ephemeral_to is not None,
            thread_ts=message.thread_ts,
        )
        await self._interact(payloads.message_action(self.team, user, message, action, url))

    async def act_on_view(self, user: User, view: View, element: Json, block_id: str, choice: Any = None) -> None:
        """A click or a choice in a modal or on the Home tab."""
        action = self._action(element, block_id, choice)
        self._remember(view.values, element, block_id, action)
        block = next(block for block in view.body["blocks"] if block["block_id"] == block_id)
        # Slack reports a change in an input block only if the block asks for it.
        if block["type"] != "input" or block.get("dispatch_action"):
            await self._interact(payloads.view_action(self.team, user, view, action))
        self.team.changed()

    async def shortcut(self, user: User, callback_id: str, message: Message | None = None) -> None:
        """A global shortcut, or a message shortcut if a message is given. Raises NotThere if the app has none with that id."""
        kind, there = "message" if message else "global", self.team.settings.shortcuts
        if there is not None and there.get(callback_id) != kind:
            raise NotThere(f"the app has no {kind} shortcut {callback_id!r}; there is: {', '.join(there)}")
        if message is None:
            await self._interact(payloads.global_shortcut(self.team, user, callback_id))
            return
        url = self.team.new_response_url(user.id, message.channel, thread_ts=message.thread_ts)
        await self._interact(payloads.message_shortcut(self.team, user, message, callback_id, url))

    def react(self, user: User, message: Message, name: str) -> None:
        """Put an emoji on a message. Raises NotThere if it is there already."""
        users = message.reactions.setdefault(name, [])
        if user.id in users:
            raise NotThere(f"{user.name} has put :{name}: there already")
        users.append(user.id)
        self._reacted("reaction_added", user, message, name)

    def unreact(self, user: User, message: Message, name: str) -> None:
        """Take one's own emoji off a message. Raises NotThere if there is none."""
        users = message.reactions.get(name, [])
        if user.id not in users:
            raise NotThere(f"{user.name} has put no :{name}: there")
        users.remove(user.id)
        if not users:
            del message.reactions[name]
        self._reacted("reaction_removed", user, message, name)

    def _reacted(self, event: str, user: User, message: Message, name: str) -> None:
        item = {"type": "message", "channel": message.channel, "ts": message.ts}
        self.team.emit({"type": event, "user": user.id, "reaction": name, "item": item, "item_user": message.user})
        self.team.changed()

    def opens_home(self, user: User) -> None:
        """Look at the app's Home tab. Raises NotThere if the app has none."""
        if not self.team.settings.home_tab:
            raise NotThere("this app has no Home tab")
        channel, _ = self.team.open_im(user.id)
        event = {"type": "app_home_opened", "user": user.id, "channel": channel.id, "tab": "home"}
        home = self.team.homes.get(user.id)
        self.team.emit(event | ({"view": view_shape(self.team, home)} if home else {}))

    # -- using modals

    async def submit(self, user: User, view: View) -> None:
        """Submit the form. Raises ModalErrors (Slack's own checks or the app's) and SlackbotSays."""
        errors = self._incomplete(view)
        if errors:
            raise ModalErrors(errors)
        try:
            answer = await self.links.deliver("interactive", payloads.view_submission(self.team, user, view)) or {}
        except SlackbotSays:
            raise SlackbotSays(TROUBLE) from None
        try:
            self._follow(user, view, answer)
        except SlackError as refusal:
            raise SlackbotSays(f"{TROUBLE} ({refusal.code}: {'; '.join(refusal.messages)})") from refusal

    async def close(self, user: User, view: View) -> None:
        """Close the modal in front; the app hears of it if the view asked for that."""
        whole = bool(view.body.get("clear_on_close"))
        gone = self.team.modals.get(user.id, []) if whole else [view]
        for one in list(gone):
            modals.pop(self.team, one)
        if view.body.get("notify_on_close"):
            await self._interact(payloads.view_closed(self.team, user, view, is_cleared=whole))

    def _follow(self, user: User, view: View, answer: Json) -> None:
        match answer.get("response_action"):
            case None:
                modals.pop(self.team, view)
            case "clear":
                self.team.modals[user.id] = []
                self.team.changed()
            case "errors":
                errors = answer.get("errors") or {}
                inputs = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
                if not errors or set(errors) - inputs:
                    raise SlackError("invalid_arguments", "errors must name input blocks of the view")
                raise ModalErrors(errors)
            case "update":
                modals.replace(self.team, view, modals.checked_view(self.team, answer.get("view"), kind="modal"))
            case "push":
                body = modals.checked_view(self.team, answer.get("view"), kind="modal")
                modals.push(self.team, user.id, body, fresh=False)
            case other:
                raise SlackError("invalid_arguments", f"no such response_action: {other}")

    def _incomplete(self, view: View) -> dict[str, str]:
        """What Slack itself checks before it submits a form."""
        errors = {}
        for block in view.body["blocks"]:
            if block["type"] != "input":
                continue
            element = block["element"]
            value = view.values[block["block_id"]][element["action_id"]]
            given = next((item for name, item in value.items() if name != "type"), None)
            if not given and not block.get("optional"):
                errors[block["block_id"]] = "Please complete this required field."
            elif isinstance(given, str) and given:
                if len(given) < element.get("min_length", 0):
                    errors[block["block_id"]] = f"Must be at least {element['min_length']} characters."
                elif len(given) > element.get("max_length", 3000):
                    errors[block["block_id"]] = f"Must be at most {element.get('max_length', 3000)} characters."
        return errors

    # -- answers of the app

    def respond(
        self,
        user: User,
        channel: Channel,
        answer: Json,
        *,
        command: str = "",
        thread_ts: str | None = None,
    ) -> Message:
        """A message that the app gave in an acknowledgement or through a response_url; ephemeral unless it says otherwise."""
        blocks = answer.get("blocks") or []
        problems = check_blocks(blocks, surface="message")
        if problems:
            raise SlackbotSays("invalid_blocks: " + "; ".join(problems))
        text, blocks = str(answer.get("text", "")), filled_in(self.team.new_id, blocks)
        bot = self.team.bot_user_id
        fields = {"blocks": blocks, "thread_ts": thread_ts, "bot": True}
        if answer.get("response_type") != "in_channel":
            return self.team.whisper(channel, user.id, text, user=bot, **fields)
        if command:
            self.team.post(channel, user.id, command)
        return self.team.post(channel, bot, text, **fields)

    async def _interact(self, payload: Json) -> None:
        await self.links.deliver("interactive", payload)

    def _slackbot(self, user: User, channel: Channel, text: str) -> SlackbotSays:
        self.team.whisper(channel, user.id, text, user=SLACKBOT_ID)
        return SlackbotSays(text)

    def _must_be_in(self, user: User, channel: Channel) -> None:
        if channel.is_archived:
            raise NotThere(f"#{channel.name} is archived: {user.name} cannot write there")
        if user.id not in channel.members:
            raise NotThere(f"{user.name} is not in #{channel.name}")

    def _action(self, element: Json, block_id: str, choice: Any) -> Json:
        kind = element["type"]
        action: Json = {"type": kind, "action_id": element["action_id"], "block_id": block_id}
        if kind == "button":
            action["text"] = element["text"]
            action |= {name: element[name] for name in ("value", "style", "url") if name in element}
        else:
            action[CHOSEN.get(kind, "value")] = choice
        return action | {"action_ts": self.team.new_ts()}

    def _remember(self, values: dict[str, dict[str, Json]], element: Json, block_id: str, action: Json) -> None:
        if element["type"] in ("button", "overflow"):
            return
        name = CHOSEN.get(element["type"], "value")
        values.setdefault(block_id, {})[element["action_id"]] = {"type": element["type"], name: action[name]}


def elements_of(blocks: list[Json]) -> list[tuple[str, Json]]:
    """All usable elements with the block_id of each."""
    return [(block["block_id"], element) for block in blocks for element in interactive_of(block)]
