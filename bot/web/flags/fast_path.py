"""A fast path for the most frequent requests: flags, with a small body, with a token or from this machine.

It gives the same answers as `ofrep`, and the same refusals as the guards, without routing, middlewares and a full response
object. Anything unusual (a browser, a proxy, a large body) takes the ordinary path.
"""

import re
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import cast

import structlog
from aiohttp import HttpVersion11, web
from aiohttp.http_parser import RawRequestMessage

from bot.flags.serving import EVENTS
from bot.web.flags import ofrep
from bot.web.server.auth import check_restored, reading_flags
from bot.web.server.bodies import BODY_BYTES, parsed
from bot.web.server.errors import OFREP, OFREP_FLAGS, Refusal, refused, unforeseen
from bot.web.server.immediate import KEPT_BYTES, PlainRequest
from bot.web.server.ready import HEADERS, ready
from bot.web.services import WebServices

Ordinary = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

USUAL = re.compile(re.escape(OFREP_FLAGS) + r"(?:/([A-Za-z0-9._-]+))?(?:\?rules=1)?", re.ASCII)
UNUSUAL = frozenset({"origin", "sec-fetch-site", "content-encoding", "transfer-encoding", "expect", "upgrade"})

log = structlog.get_logger(__name__)


class FastPath:
    """Gets every request first; `ordinary` handles the rest."""

    def __init__(self, services: WebServices, ordinary: Ordinary) -> None:
        self._services = services
        self._ordinary = ordinary
        self.open = True  # False when another server is about to replace this one

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Handle a request that was not answered at once."""
        return await (self._ordinary(request) if self.open else self._last(request))

    def wants(self, message: RawRequestMessage) -> bool:
        """Whether this is an ordinary flag request of a service."""
        sent = message.headers
        return (
            message.method == "POST"
            and _key(message.path) is not None
            and not (message.should_close or message.upgrade)
            and message.version >= HttpVersion11
            and UNUSUAL.isdisjoint(map(str.lower, sent))
            and int(sent.get("Content-Length", 0)) <= BODY_BYTES
        )

    def answer(self, request: PlainRequest, body: bytes) -> bytes:
        """Head and body of the answer."""
        try:
            made = ofrep.reply(self._services, request, self._question(request, body))
        except Refusal as refusal:
            response = refused(request, refusal)
        except Exception:  # as at the root of an ordinary request
            log.exception("http.failed", method="POST", route=OFREP_FLAGS)
            response = refused(request, unforeseen())
        else:
            return ready(made.status, made.headers, made.body)
        return ready(response.status, response.headers, cast(bytes, response.body))

    def _question(self, request: PlainRequest, body: bytes) -> ofrep.Question:
        known: tuple[bytes, ofrep.Question] | None = request.found_out
        if known is not None and known[0] == body:
            return known[1]
        audience = reading_flags(request, self._services)
        check_restored(self._services)
        found = ofrep.question(request, audience, _key(request.raw_path) or "", parsed(body))
        if len(body) <= KEPT_BYTES:
            request.found_out = body, found
        return found

    async def _last(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer flags as usual but close the connection; refuse anything else, which the next server will handle."""
        if request.path.startswith(OFREP) and request.path != EVENTS:
            response = await self._ordinary(request)
        else:
            remedy = "Ask again in a second."
            response = refused(request, Refusal(503, "A new configuration is being taken over.", remedy=remedy))
            response.headers.update({**HEADERS, "Retry-After": "1"})
        response.force_close()
        return response


@lru_cache(maxsize=4_096)
def _key(path: str) -> str | None:
    """The flag in an ordinary path, empty for all of them; None for any other path."""
    found = USUAL.fullmatch(path)
    return None if found is None else found[1] or ""
