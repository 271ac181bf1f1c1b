"""The two kinds of address that Slack hands out: response_url and upload_url."""

import json
from collections.abc import Callable

from aiohttp import web

from bot.sandbox.slack.errors import RateLimited, SlackbotSays, SlackError
from bot.sandbox.slack.interactions import Interactions
from bot.sandbox.slack.mischief import Mischief, Work
from bot.sandbox.slack.records import File, Json, Message, ResponseUrl
from bot.sandbox.slack.team import Team


class Callbacks:
    """Answers over a response_url, and the bytes of uploads; faults know them as `response_url` and `upload`."""

    def __init__(self, team: Team, interactions: Interactions, mischief: Mischief) -> None:
        self.team = team
        self.interactions = interactions
        self.mischief = mischief

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """A response_url: five uses in thirty minutes; by default only the person sees the answer."""
        key = request.match_info["key"]
        try:
            body = json.loads(await request.text())
        except ValueError:
            return web.Response(status=400, text="invalid_payload")
        return await self.mischief.around(request, _work("response_url", body, lambda: self._answer(key, body)))

    def _answer(self, key: str, body: Json) -> web.Response:
        target = self.team.response_urls.get(key)
        if target is None:
            return web.Response(status=404, text="no_such_url")
        if self.team.age_s(target.born_at) > self.team.settings.response_url_lives_s:
            return web.Response(status=404, text="expired_url")
        if target.uses >= self.team.settings.response_url_uses:
            return web.Response(status=404, text="used_url")
        target.uses += 1
        try:
            return self._apply(target, body)
        except SlackbotSays as refusal:
            return web.Response(status=400, text=str(refusal))

    def _apply(self, target: ResponseUrl, body: Json) -> web.Response:
        original = self._original(target)
        if body.get("delete_original"):
            self._delete(original)
            return _ok()
        if not (body.get("text") or body.get("blocks") or body.get("attachments")):
            return web.Response(status=400, text="no_text")
        channel, user = self.team.channels[target.channel], self.team.users[target.user]
        if body.get("replace_original") and original is not None:
            fresh = self.interactions.respond(user, channel, body | {"response_type": "ephemeral"})
            self.team.ephemerals.remove(fresh)
            original.text, original.blocks = fresh.text, fresh.blocks
            original.edited_ts = None if original.ephemeral_to else self.team.new_ts()
            self.team.changed()
            return _ok()
        thread_ts = body.get("thread_ts") or target.thread_ts
        self.interactions.respond(user, channel, body, thread_ts=thread_ts)
        return _ok()

    def _original(self, target: ResponseUrl) -> Message | None:
        channel = self.team.channels[target.channel]
        whispers = (message for message in self.team.ephemerals if message.ts == target.message_ts)
        return self.team.message(channel, target.message_ts or "") or next(whispers, None)

    def _delete(self, original: Message | None) -> None:
        if original is None:
            return
        if original.ephemeral_to:
            self.team.ephemerals.remove(original)
            self.team.changed()
        else:
            self.team.delete(self.team.channels[original.channel], original)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """The bytes of a file, bare or as a form; answers as Slack does, in plain text."""
        if request.content_type == "multipart/form-data":
            fields = await request.post()
            data = b"".join(f.file.read() for f in fields.values() if isinstance(f, web.FileField))
        else:
            data = await request.read()
        key = request.match_info["key"]
        return await self.mischief.around(request, _work("upload", {"length": len(data)}, lambda: self._store(key, data)))

    def _store(self, key: str, data: bytes) -> web.Response:
        file = self._expected(key)
        if file is None:
            return web.Response(status=404, text="no such upload")
        if len(data) != file.length:
            return web.Response(status=400, text=f"expected {file.length} bytes, got {len(data)}")
        file.data = data
        return web.Response(text=f"OK - {len(data)}")

    def _expected(self, key: str) -> File | None:
        return next((file for file in self.team.files.values() if file.upload_key == key and file.data is None), None)


def _work(name: str, args: Json, run: Callable[[], web.Response]) -> Work:
    """A call outside the Web API: it has no envelope, and `calls` does not list it."""
    return Work(name, args, run, refuse=_plain_refusal, note=lambda error, status: None)


def _plain_refusal(refusal: SlackError) -> web.Response:
    if isinstance(refusal, RateLimited):
        return web.Response(status=429, headers={"Retry-After": str(refusal.retry_after_s)}, text=refusal.code)
    return web.Response(status=400, text=refusal.code)


def _ok() -> web.Response:
    return web.Response(text="ok")
