"""The endpoints behind the web page: the state of one person's screen, and what they do on it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.sandbox.slack import modals
from bot.sandbox.slack.api.shapes import view_shape
from bot.sandbox.slack.errors import ModalErrors, NotThere, SlackbotSays
from bot.sandbox.slack.interactions import Interactions, elements_of
from bot.sandbox.slack.records import SLACKBOT_ID, Channel, Json, Message, User, View
from bot.sandbox.slack.team import Team

EVENTS_EVERY_S = 0.1
Act = Callable[[Json], Awaitable[Json]]


class Ui:
    """The endpoints under /ui/."""

    def __init__(self, team: Team, interactions: Interactions) -> None:
        self.team = team
        self.interactions = interactions
        self._streams: set[asyncio.Task[Any]] = set()
        self.watched = asyncio.Event()  # set once somebody has the page open

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/ui/state", self._state)
        app.router.add_get("/ui/events", self._events)
        app.router.add_get("/ui/file/{id}", self._file)
        acts = {"say": self._say, "act": self._act, "submit": self._submit, "close": self._close, "home": self._home}
        for name, act in acts.items():
            app.router.add_post(f"/ui/{name}", _answering(act))

    async def stop(self) -> None:
        """End the event streams."""
        for task in self._streams:
            task.cancel()
        await asyncio.gather(*self._streams, return_exceptions=True)

    # -- looking

    async def _state(self, request: web.Request) -> web.Response:
        user = self.team.users.get(request.query.get("user", "")) or self._first()
        if user is None:
            raise web.HTTPNotFound(text="nobody is in this workspace yet")
        return web.json_response(self.screen(user))

    def screen(self, user: User) -> Json:
        """Everything that one person's screen shows."""
        team = self.team
        channels = [channel for channel in team.channels.values() if _sees(user, channel)]
        whispers = [m for m in team.ephemerals if m.ephemeral_to == user.id]
        people = [one for one in team.users.values() if one.id != SLACKBOT_ID]
        home = team.homes.get(user.id)
        return {
            "team": {"name": team.settings.team_name},
            "me": _user(user),
            "users": [_user(one) for one in (*people, team.users[SLACKBOT_ID])],
            "channels": [self._channel(user, channel) for channel in channels],
            "messages": {channel.id: [self._message(m) for m in channel.messages] for channel in channels},
            "ephemerals": [self._message(m) for m in whispers],
            "modals": [view_shape(team, view) for view in team.modals.get(user.id, [])],
            "home": view_shape(team, home) if home else None,
            "version": team.version,
            "now": team.now(),
            "commands": [
                {"command": spec.command, "description": spec.description, "usage_hint": spec.usage_hint}
                for spec in team.commands.values()
            ],
        }

    def _first(self) -> User | None:
        return next((user for user in self.team.users.values() if not user.is_bot), None)

    def _channel(self, user: User, channel: Channel) -> Json:
        other = [member for member in channel.members if member != user.id]
        name = channel.name or ", ".join(self.team.users[member].name for member in other)
        return {
            "id": channel.id,
            "name": name,
            "topic": channel.topic,
            "purpose": channel.purpose,
            "is_archived": channel.is_archived,
            "is_private": channel.is_private,
            "is_member": user.id in channel.members,
            "members": list(channel.members),
            "pins": list(channel.pins),
            "bookmarks": [{"id": b.id, "title": b.title, "link": b.link, "emoji": b.emoji} for b in channel.bookmarks],
            "creator": channel.creator,
        }

    def _message(self, message: Message) -> Json:
        shape: Json = {
            "ts": message.ts,
            "user": message.user,
            "text": message.text,
            "blocks": message.blocks,
            "edited": message.edited_ts is not None,
            "files": [self._file_entry(file_id) for file_id in message.files],
            "reply_count": len(self.team.replies(self.team.channels[message.channel], message.ts)),
            "channel": message.channel,
            "ephemeral": message.ephemeral_to is not None,
            "bot": message.bot,
            "reactions": [{"name": name, "count": len(users)} for name, users in message.reactions.items()],
        }
        if message.is_reply:
            shape["thread_ts"] = message.thread_ts
        if message.subtype:
            shape["subtype"] = message.subtype
        return shape

    def _file_entry(self, file_id: str) -> Json:
        file = self.team.files[file_id]
        return {
            "id": file.id,
            "name": file.name,
            "title": file.title,
            "url": f"/ui/file/{file.id}",
            "size": file.length,
            "mimetype": file.mimetype,
        }

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: the version after each change, at most ten a second."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        self.watched.set()
        task = asyncio.current_task()
        if task is not None:
            self._streams.add(task)
            task.add_done_callback(self._streams.discard)
        version = self.team.version
        try:
            while True:
                await response.write(f"data: {json.dumps({'version': version})}\n\n".encode())
                await asyncio.sleep(EVENTS_EVERY_S)
                await self.team.change_after(version)
                version = self.team.version
        except (ConnectionError, asyncio.CancelledError):
            return response  # the reader left, or the workspace is closing

    async def _file(self, request: web.Request) -> web.Response:
        file = self.team.files.get(request.match_info["id"])
        if file is None or file.data is None:
            raise web.HTTPNotFound
        safe = file.name.replace('"', "").replace("\n", "").replace("\r", "")
        headers = {
            "Content-Disposition": f'attachment; filename="{safe}"',
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox",
        }
        return web.Response(body=file.data, content_type=file.mimetype, headers=headers)

    # -- acting

    async def _say(self, body: Json) -> Json:
        user, channel = self._who(body), self._where(body)
        text, thread_ts = str(body["text"]), body.get("thread_ts")
        if thread_ts:
            self.interactions.say(user, channel, text, str(thread_ts))
        else:
            await self.interactions.types(user, channel, text)
        return {}

    async def _act(self, body: Json) -> Json:
        user = self._who(body)
        choice = body.get("selected_option", body.get("value"))
        if body.get("view_id"):
            view = self._view(user, body)
            block_id, element = _element(view.body["blocks"], body)
            await self.interactions.act_on_view(user, view, element, block_id, choice)
            return {}
        message = self._find_message(user, self._where(body), str(body["ts"]))
        block_id, element = _element(message.blocks, body)
        await self.interactions.act_on_message(user, message, element, block_id, choice)
        return {}

    async def _submit(self, body: Json) -> Json:
        user = self._who(body)
        view = self._view(user, body)
        for block_id, actions in body.get("values", {}).items():
            for action_id, value in actions.items():
                known = view.values.get(block_id, {})
                if action_id in known and value.get("type") == known[action_id]["type"]:
                    known[action_id] = value
        await self.interactions.submit(user, view)
        return {}

    async def _close(self, body: Json) -> Json:
        user = self._who(body)
        await self.interactions.close(user, self._view(user, body))
        return {}

    async def _home(self, body: Json) -> Json:
        self.interactions.opens_home(self._who(body))
        return {}

    def _who(self, body: Json) -> User:
        user = self.team.users.get(str(body.get("user")))
        if user is None or user.is_bot:
            raise NotThere("no such person")
        return user

    def _where(self, body: Json) -> Channel:
        channel = self.team.channels.get(str(body.get("channel")))
        if channel is None:
            raise NotThere("no such channel")
        return channel

    def _view(self, user: User, body: Json) -> View:
        view = modals.find(self.team, view_id=str(body.get("view_id")))
        if view is None or view.user != user.id:
            raise NotThere("this form is no longer open")
        return view

    def _find_message(self, user: User, channel: Channel, ts: str) -> Message:
        whispers = [m for m in self.team.ephemerals if m.ephemeral_to == user.id and m.channel == channel.id]
        found = next((m for m in (*channel.messages, *whispers) if m.ts == ts), None)
        if found is None or not _sees(user, channel):
            raise NotThere("this message is no longer there")
        return found


def _answering(act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
    """An endpoint whose refusals are words that a person understands."""

    async def endpoint(request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType  # another site's form cannot send JSON, so it cannot act here
        try:
            body = await request.json()
            return web.json_response({"ok": True} | await act(body))
        except ModalErrors as refusal:
            return web.json_response({"ok": False, "errors": refusal.errors})
        except (SlackbotSays, NotThere) as refusal:
            return web.json_response({"ok": False, "error": str(refusal)})
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            return web.json_response({"ok": False, "error": f"not understood: {problem!r}"}, status=400)

    return endpoint


def _sees(user: User, channel: Channel) -> bool:
    return channel.kind == "public" or user.id in channel.members


def _user(user: User) -> Json:
    return {
        "id": user.id,
        "name": user.name,
        "real_name": user.real_name,
        "is_bot": user.is_bot,
        "color": f"#{user.color}",
    }


def _element(blocks: list[Json], body: Json) -> tuple[str, Json]:
    wanted = body.get("block_id"), body.get("action_id")
    for block_id, element in elements_of(blocks):
        if (block_id, element["action_id"]) == wanted:
            return block_id, element
    raise NotThere("this control is no longer there")
