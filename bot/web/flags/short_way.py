"""The short way for what services ask most: flags, in a small whole body, with a token or from this machine.

It answers what `ofrep` answers, and refuses what the doors refuse, without the search for a route, middlewares and a response
made for everything. What is in any way unusual (a browser, a proxy, a body still under way) goes the ordinary way.
"""

import re
from collections.abc import Awaitable, Callable
from typing import cast

from aiohttp import HttpVersion11, web

from bot.flags.serving import EVENTS
from bot.web.flags import ofrep
from bot.web.server.auth import check_restored, reading_flags
from bot.web.server.bodies import BODY_BYTES, parsed
from bot.web.server.connections import Guarded
from bot.web.server.errors import OFREP, OFREP_FLAGS, Refusal, refused
from bot.web.server.ready import HEADERS, ready
from bot.web.services import WebServices

Ordinary = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

USUAL = re.compile(re.escape(OFREP_FLAGS) + r"(?:/([A-Za-z0-9._-]+))?(?:\?rules=1)?", re.ASCII)


class ShortWay:
    """Takes every request first; `ordinary` takes what it leaves."""

    def __init__(self, services: WebServices, ordinary: Ordinary) -> None:
        self._services = services
        self._ordinary = ordinary
        self.leaving = False  # another server is about to take this one's place

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer it here or there."""
        if self.leaving:
            return await self._last(request)
        found = USUAL.fullmatch(request.raw_path) if request.method == "POST" else None
        if found is None or not self._is_usual(request):
            return await self._ordinary(request)
        cast(Guarded, request.protocol).asked()
        return self._answer(request, found[1] or "")

    async def _last(self, request: web.BaseRequest) -> web.StreamResponse:
        """Flags as ever, and the connection ends with the answer; anything else is asked of the next server."""
        if request.path.startswith(OFREP) and request.path != EVENTS:
            response = await self._ordinary(request)
        else:
            remedy = "Ask again in a second."
            response = refused(request, Refusal(503, "A new configuration is being taken over.", remedy=remedy))
            response.headers.update({**HEADERS, "Retry-After": "1"})
        response.force_close()
        return response

    def _answer(self, request: web.BaseRequest, key: str) -> web.StreamResponse:
        try:
            audience = reading_flags(request, self._services)
            check_restored(self._services)
            data = parsed(request.content.read_nowait())
            made = ofrep.reply(self._services, request, audience, key, data)
        except Refusal as refusal:
            response = refused(request, refusal)
            response.headers.update(HEADERS)
            return response
        lines = "".join(f"{name}: {value}\r\n" for name, value in made.headers.items())
        if made.status == 200:
            lines += f"Content-Type: {ofrep.JSON}\r\n"
        return ready(made.status, lines, made.body)

    @staticmethod
    def _is_usual(request: web.BaseRequest) -> bool:
        body, sent = request.content, request.headers
        return (
            body.is_eof()
            and body.total_bytes <= BODY_BYTES
            and isinstance(request.protocol, Guarded)
            and request.version >= HttpVersion11
            and request.keep_alive
            and "Origin" not in sent
            and "Sec-Fetch-Site" not in sent
            and "Content-Encoding" not in sent
            and "Expect" not in sent
            and "Upgrade" not in sent
        )
